"""The table of contents."""

from django.urls import path

from escalations.views import handoffs, queue, sessions

app_name = "escalations"
urlpatterns = [
    path("queue/", queue.show, name="queue"),
    path("queue/cards/", queue.cards, name="cards"),
    path("handoffs/<uuid:handoff_id>/", handoffs.context, name="handoff"),
    path("handoffs/<uuid:handoff_id>/pick-up/", handoffs.pick_up, name="pick-up"),
    path("handoffs/<uuid:handoff_id>/release/", handoffs.release, name="release"),
    path("handoffs/<uuid:handoff_id>/take-back/", handoffs.take_back, name="take-back"),
    path("handoffs/<uuid:handoff_id>/assess/", handoffs.assess_again, name="assess"),
    path("sessions/", sessions.index, name="sessions"),
    path("sessions/<uuid:session_id>/", sessions.show, name="session"),
    path("sessions/<uuid:session_id>/messages/", sessions.post, name="post"),
    path("sessions/<uuid:session_id>/steps/", sessions.record_step, name="record-step"),
    path("sessions/<uuid:session_id>/escalate/", sessions.escalate, name="escalate"),
    path("sessions/<uuid:session_id>/resolve/", sessions.resolve, name="resolve"),
]
