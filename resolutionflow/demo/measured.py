"""Hand-offs by phone that an owner measured when the team began here: days ago, seconds, a note."""

from datetime import datetime, timedelta

from analytics.models import PhoneHandOff
from resolutionflow.accounts.models import Account
from resolutionflow.demo.people import People

BY = "olga"
SAMPLES = {
    "harbor-it": (
        (88, 764, "VPN at Brightwater, Ann to Ben"),
        (87, 1125, "Rang twice, then the whole story again"),
        (86, 517, ""),
        (84, 841, "Ben was on the road"),
        (83, 698, "Exchange, read the error out loud"),
        (81, 632, ""),
    ),
}


def write(account: Account, members: People, now: datetime) -> None:
    PhoneHandOff.objects.bulk_create(
        PhoneHandOff(
            account=account, recorded_by=members[BY], seconds=seconds, note=note, at=now - timedelta(days=days)
        )
        for days, seconds, note in SAMPLES.get(account.slug, ())
    )
