"""Where sign-ins are kept: Django's database sessions, for keys that can be keys at all."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """A cookie may carry anything, a NUL among it, which PostgreSQL refuses: then nobody is signed in."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(super()._validate_session_key(key)) and str(key).isascii() and str(key).isalnum()
