"""What opens something elsewhere (addresses, keys) is kept sealed with a key that comes from SECRET_KEY."""

from cryptography.fernet import InvalidToken

from escalations.notifications.letter import NotSent
from resolutionflow import sealing

PURPOSE = "channels"
SEALED_ELSEWHERE = (
    "It was sealed with another SECRET_KEY: edit the channel and enter its address again. If its requests are signed, "
    "make a new secret, too."
)


def seal(plain: str) -> str:
    return sealing.seal(PURPOSE).encrypt(plain.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises NotSent."""
    try:
        return sealing.seal(PURPOSE).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise NotSent(SEALED_ELSEWHERE) from None
