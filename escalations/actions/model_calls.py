"""Ask a model only as often as the account may, and note what it cost.

The account's row is locked while one more is counted in, so of two workers at the limit one is refused.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import F, Sum
from django.db.models.functions import Now
from django.utils import timezone

from escalations.actions.transaction import in_transaction
from escalations.models import ModelCall
from resolutionflow.accounts.models import Account


class BudgetSpent(Exception):
    """The account's questions or tokens of today are used up; `str()` says so to people."""


@in_transaction
def begin(account: Account, *, purpose: ModelCall.Purpose, model: str, seconds: float) -> ModelCall | None:
    """Count one more question in, which ends within `seconds`. None while too many are under way.

    Raises BudgetSpent.
    """
    owner = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    calls = ModelCall.objects.for_account(owner)
    _check_budget(owner)
    if calls.under_way().count() >= settings.MODEL_CALLS_AT_ONCE:
        return None
    until = timezone.now() + timedelta(seconds=seconds)
    return ModelCall.objects.create(account=owner, purpose=purpose, model=model, expires_at=until)


@in_transaction
def end(call: ModelCall, *, outcome: ModelCall.Outcome, why: str = "", tokens_in: int = 0, tokens_out: int = 0) -> None:
    """Note how it ended; the place is free for the next."""
    ModelCall.objects.filter(pk=call.pk, ended_at=None).update(
        ended_at=Now(), outcome=outcome, why=why[:300], tokens_in=tokens_in, tokens_out=tokens_out
    )


class Tally(NamedTuple):
    """Questions to a model and their tokens, read and written."""

    calls: int
    tokens: int


def budget_of(account: Account) -> Tally:
    """The most of a day: the account's own, else the installation's."""
    return Tally(
        _first_told(account.model_calls_per_day, settings.MODEL_CALLS_PER_DAY),
        _first_told(account.model_tokens_per_day, settings.MODEL_TOKENS_PER_DAY),
    )


def used_today(account: Account) -> Tally:
    """Since midnight in the account's zone."""
    today = ModelCall.objects.for_account(account).filter(began_at__gte=_midnight(account))
    return Tally(today.count(), today.aggregate(tokens=Sum(F("tokens_in") + F("tokens_out")))["tokens"] or 0)


def _check_budget(owner: Account) -> None:
    most, used = budget_of(owner), used_today(owner)
    if used.calls >= most.calls:
        raise BudgetSpent(f"Your team's questions to the model are used up for today ({most.calls:,}).")
    if used.tokens >= most.tokens:
        raise BudgetSpent(f"Your team's tokens of the model are used up for today ({most.tokens:,}).")


def _first_told(own: int | None, installations: int) -> int:
    return installations if own is None else own


def _midnight(account: Account) -> datetime:
    return timezone.localtime(timezone=account.tz).replace(hour=0, minute=0, second=0, microsecond=0)
