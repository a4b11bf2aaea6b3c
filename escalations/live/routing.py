"""Which socket, and which stream, is at which address."""

from django.urls import path, re_path

from escalations.live import consumers, stream

http_urlpatterns = [
    path("api/escalations/stream", stream.StreamConsumer.as_asgi()),
]
websocket_urlpatterns = [
    path("ws/queue/", consumers.QueueConsumer.as_asgi()),
    path("ws/sessions/<uuid:session_id>/", consumers.SessionConsumer.as_asgi()),
    re_path(r"", consumers.NowhereConsumer.as_asgi()),
]
