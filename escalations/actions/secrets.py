"""Take secrets out of what is written into a session, keep them sealed, and show one to the session's holder.

Texts are stored with `[hidden password 2]` in the secret's place, so that nothing which reads them later (pages,
frames, snapshots, models, search, exports) can let it out. Only `reveal` opens the seal, and that is on record.
"""

import hmac
from collections.abc import Iterable

from cryptography.fernet import Fernet, InvalidToken

from escalations import masking
from escalations.actions.conversation import add_message, lock_as_holder
from escalations.actions.refusals import Conflict, require_engineer
from escalations.actions.transaction import in_transaction
from escalations.models import AISession, Message, Reveal, Secret
from resolutionflow import sealing
from resolutionflow.accounts.models import User
from resolutionflow.trail import record


class Hiding:
    """The secrets of one session while its texts are written. `keep` them when the session's row is there.

    The caller holds the session's lock, or has just made it.
    """

    def __init__(self, session: AISession, *, is_new: bool = False) -> None:
        self.session = session
        self._numbers: dict[str, int] | None = {} if is_new else None
        self._new: list[Secret] = []

    def hide(self, text: str, *, length: int | None = None) -> str:
        """`text` with its secrets numbered and out of it, at most `length` characters long."""
        hidden = masking.replace(text, self._place_of)
        return hidden if length is None else hidden[:length]

    def keep(self) -> None:
        """Store what was hidden since the last time."""
        Secret.objects.bulk_create(self.taken())

    def taken(self) -> list[Secret]:
        """What was hidden since the last time, to be stored by the caller."""
        new, self._new = self._new, []
        return new

    def _place_of(self, kind: str, value: str) -> str:
        numbers = self._known_numbers()
        digest = _digest(value)
        if digest not in numbers:
            numbers[digest] = max(numbers.values(), default=0) + 1
            secret = Secret(session=self.session, number=numbers[digest], kind=kind, digest=digest)
            secret.sealed = _seal().encrypt(value.encode("utf-8", "surrogatepass")).decode()
            self._new.append(secret)
        return f"[hidden {kind} {numbers[digest]}]"

    def _known_numbers(self) -> dict[str, int]:
        if self._numbers is None:
            self._numbers = dict(self.session.secrets.values_list("digest", "number"))
        return self._numbers


def hide(session: AISession, text: str, *, length: int | None = None) -> str:
    """`text` as it may be stored in this (locked) session; its secrets are kept apart."""
    (hidden,) = hide_all(session, [text], length=length)
    return hidden


def hide_all(session: AISession, texts: Iterable[str], *, length: int | None = None) -> list[str]:
    hiding = Hiding(session)
    hidden = [hiding.hide(text, length=length) for text in texts]
    hiding.keep()
    return hidden


@in_transaction
def reveal(secret: Secret, *, by: User) -> str:
    """The secret itself, for the session's holder; a line in the session says who read it.

    Raises NotAllowed for anybody else, Conflict once the session is closed or if it was sealed with another SECRET_KEY.
    """
    require_engineer(by)
    session = secret.session
    lock_as_holder(session, by=by)
    try:
        value = _seal().decrypt(secret.sealed.encode()).decode("utf-8", "surrogatepass")
    except InvalidToken:
        raise Conflict("It was hidden with another SECRET_KEY, and nobody can read it any more.") from None
    Reveal.objects.create(secret=secret, by=by)
    add_message(session, Message.Kind.SYSTEM, f"{by.name} revealed {secret}.", author=by)
    about = f"{secret.kind} {secret.number} of session {session.pk}"
    record("secret_revealed", account=by.account, by=by, about=about)
    return value


def _seal() -> Fernet:
    return sealing.seal("secrets, sealing")


def _digest(value: str) -> str:
    return hmac.digest(sealing.key("secrets, numbering"), value.encode("utf-8", "surrogatepass"), "sha256").hex()
