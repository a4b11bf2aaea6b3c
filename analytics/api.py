"""The figures for programs."""

from typing import Any

from ninja import Query, Router, Status
from ninja.errors import ValidationError

from analytics import metrics, periods, shapes
from analytics import report as reports
from escalations.actions.refusals import NotAllowed
from escalations.shapes import REFUSALS
from resolutionflow.accounts.tokens import SignedRequest, account_of
from resolutionflow.trail import record

router = Router()


@router.get(
    "/analytics/escalations",
    response={200: shapes.ReportShape, **REFUSALS},
    operation_id="escalation_analytics",
    tags=["Analytics"],
)
def escalation_analytics(request: SignedRequest, asked: Query[shapes.ReportAsked]) -> Status[Any]:
    """All figures of a period with what they mean, its trend, and the period of equal length before it.

    For owners and admins. Without a period: 30 days.
    """
    if not request.auth.may_see_analytics:
        raise NotAllowed("The analytics are for owners and admins.")
    _refuse_unknown(request)
    account = account_of(request)
    period = periods.parse(request.GET.dict(), tz=account.tz, now=metrics.now())
    record("exported", account=account, by=request.auth, about="figures by the API", period=period.query)
    return Status(200, shapes.report(reports.for_programs(account, period)))


def _refuse_unknown(request: SignedRequest) -> None:
    """A misspelt name would otherwise answer for 30 days."""
    unknown = request.GET.keys() - set(periods.NAMES)
    if unknown:
        raise ValidationError([{"loc": ("query", name), "type": "extra_forbidden", "msg": ""} for name in unknown])
