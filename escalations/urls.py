"""The table of contents."""

from django.urls import path

from escalations.views import (
    handoffs,
    notification_settings,
    notifications,
    offers,
    queue,
    runbooks,
    secrets,
    sessions,
    steps,
)

app_name = "escalations"
urlpatterns = [
    path("queue/", queue.show, name="queue"),
    path("queue/cards/", queue.cards, name="cards"),
    path("handoffs/<uuid:handoff_id>/", handoffs.context, name="handoff"),
    path("handoffs/<uuid:handoff_id>/pick-up/", handoffs.pick_up, name="pick-up"),
    path("handoffs/<uuid:handoff_id>/release/", handoffs.release, name="release"),
    path("queue/offers/", offers.show, name="offers"),
    path("handoffs/<uuid:handoff_id>/undo/", handoffs.undo, name="undo"),
    path("handoffs/<uuid:handoff_id>/hand-to/", offers.hand_to, name="hand-to"),
    path("handoffs/<uuid:handoff_id>/accept/", offers.accept, name="accept"),
    path("handoffs/<uuid:handoff_id>/decline/", offers.decline, name="decline"),
    path("handoffs/<uuid:handoff_id>/withdraw/", offers.withdraw, name="withdraw"),
    path("handoffs/<uuid:handoff_id>/take-back/", handoffs.take_back, name="take-back"),
    path("handoffs/<uuid:handoff_id>/assess/", handoffs.assess_again, name="assess"),
    path("handoffs/<uuid:handoff_id>/feedback/", handoffs.judge, name="feedback"),
    path("notifications/", notifications.index, name="notifications"),
    path("notifications/panel/", notifications.panel, name="notifications-panel"),
    path("notifications/state/", notifications.state, name="notifications-state"),
    path("notifications/read/", notifications.read, name="notifications-read"),
    path("account/notifications/", notification_settings.settings, name="notification-settings"),
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
