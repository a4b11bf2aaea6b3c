"""What is counted for a request, and how far."""

from dataclasses import dataclass

from django.conf import settings

from resolutionflow import addresses
from resolutionflow.accounts.models import User
from resolutionflow.limits.counting import Counter, Limit, counter

READS = {"GET", "HEAD", "OPTIONS"}
WHOSE = {
    "user": "You have asked for more than one person may in a minute.",
    "account": "Your account has asked for more than one may in a minute.",
    "address": "More was asked for from your network than one may in a minute.",
}


@dataclass(frozen=True)
class Refusal:
    """`whose` limit was reached: user, account or address. `seconds` until it is worth trying again."""

    seconds: float
    whose: str

    @property
    def retry_after(self) -> int:
        return max(1, int(self.seconds + 0.999))

    def __str__(self) -> str:
        return f"{WHOSE[self.whose]} Please try again in {self.retry_after} seconds."


class Rates:
    """The limits of this process; what they are counted with is made with the first request."""

    def __init__(self) -> None:
        self._counter: Counter | None = None

    def refusal(self, user: User | None, address: str, method: str) -> Refusal | None:
        """Count a request. None: it may go on."""
        limits = limits_of(user, address, method)
        if not limits:
            return None
        if self._counter is None:
            self._counter = counter()
        seconds, reached = self._counter.wait(limits)
        return Refusal(seconds, reached.partition(":")[0]) if reached else None


def limits_of(user: User | None, address: str, method: str) -> list[Limit]:
    """The counters that a request adds to, each with its most. Reading and changing are counted apart."""
    kind = "reads" if method in READS else "writes"
    found = {"address": addresses.counted_as(address)}
    if user is not None:
        found["user"] = str(user.pk)
    if user is not None and user.account_id is not None:
        found["account"] = str(user.account_id)
    most = {whose: settings.RATE_LIMITS[whose][kind] for whose in found}
    return [(f"{whose}:{name}:{kind}", most[whose]) for whose, name in found.items() if most[whose]]


rates = Rates()
