"""Where sign-ins are kept: Django's database sessions, for keys that can be keys at all."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """A cookie may carry anything, a NUL among it, which PostgreSQL refuses: then nobody is signed in."""

    def __init__(self, session_key: str | None = None) -> None:
        possible = session_key is not None and session_key.isascii() and session_key.isalnum()
        super().__init__(session_key if possible else None)
