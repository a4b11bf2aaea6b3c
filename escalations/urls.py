"""The table of contents."""

from django.urls import path

from escalations.views import handoffs, lessons, queue, runbooks, secrets, sessions, steps

app_name = "escalations"
urlpatterns = [
    path("queue/", queue.show, name="queue"),
    path("queue/cards/", queue.cards, name="cards"),
    path("queue/lessons/", lessons.show, name="lessons"),
    path("handoffs/<uuid:handoff_id>/", handoffs.context, name="handoff"),
    path("handoffs/<uuid:handoff_id>/pick-up/", handoffs.pick_up, name="pick-up"),
    path("handoffs/<uuid:handoff_id>/release/", handoffs.release, name="release"),
    path("handoffs/<uuid:handoff_id>/take-back/", handoffs.take_back, name="take-back"),
    path("handoffs/<uuid:handoff_id>/assess/", handoffs.assess_again, name="assess"),
    path("handoffs/<uuid:handoff_id>/feedback/", handoffs.judge, name="feedback"),
    path("handoffs/<uuid:handoff_id>/got-it/", lessons.got_it, name="got-it"),
    path("runbooks/<str:key>/", runbooks.show, name="runbook"),
    path("sessions/", sessions.index, name="sessions"),
    path("sessions/<uuid:session_id>/", sessions.show, name="session"),
    path("sessions/<uuid:session_id>/messages/", sessions.post, name="post"),
    path("sessions/<uuid:session_id>/steps/", steps.record, name="record-step"),
    path("sessions/<uuid:session_id>/steps/<uuid:step_id>/merge/<uuid:other_id>/", steps.merge, name="merge-steps"),
    path("sessions/<uuid:session_id>/steps/<uuid:step_id>/keep-apart/", steps.keep_apart, name="keep-apart"),
    path("sessions/<uuid:session_id>/suggestions/", sessions.show_suggestions, name="suggestions"),
    path("sessions/<uuid:session_id>/escalate/", sessions.escalate, name="escalate"),
    path("sessions/<uuid:session_id>/reveal/", secrets.reveal, name="reveal"),
    path("sessions/<uuid:session_id>/resolve/", sessions.resolve, name="resolve"),
]
