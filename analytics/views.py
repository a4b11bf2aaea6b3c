"""The page of figures, the lists that they open, and both as CSV. For owners and admins."""

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Min
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import push_url, reswap, retarget

from analytics import causes, charts, export, facts, lists, metrics, page, periods, phone
from analytics import report as reports
from analytics.forms import PhoneForm
from analytics.models import PhoneHandOff
from analytics.periods import BadPeriod, Period
from escalations.models import Handoff
from escalations.models.feed import cursor_of
from resolutionflow.accounts.models import Account
from resolutionflow.accounts.requests import MemberRequest
from resolutionflow.trail import record

ROWS_ON_A_PAGE = 50
LAST_GOOD = "analytics_period"  # in the person's session: what the page goes back to
View = Callable[[MemberRequest], HttpResponseBase]


def for_owners(view: View) -> Callable[[HttpRequest], HttpResponseBase]:
    """Owners and admins only; whatever they ask for that is no period is answered in words."""

    @never_cache
    @require_safe
    @functools.wraps(view)
    def answer(request: MemberRequest) -> HttpResponseBase:
        if not request.user.may_see_analytics:
            raise PermissionDenied
        try:
            return view(request)
        except BadPeriod as bad:
            return _in_words(request, bad)

    return answer  # type: ignore[return-value]


@for_owners
def escalations(request: MemberRequest) -> HttpResponse:
    period = _asked(request)
    if request.session.get(LAST_GOOD) != period.query:
        request.session[LAST_GOOD] = period.query
    # Coming back too: HTMX would parse a whole page, and hold its head's styles against this page's content policy.
    return _page(request, period, "analytics/_report.html" if request.htmx else "analytics/escalations.html")


@for_owners
def table_as_csv(request: MemberRequest) -> HttpResponseBase:
    """The table behind the chart."""
    period = _asked(request)
    report = reports.for_table(request.account, period)
    _record(request, period, "trend")
    return export.answer(request, iter([[*export.trend(report, period.tz)]]), f"escalations-{_name(period)}")


@for_owners
def handoffs(request: MemberRequest) -> HttpResponse:
    """The rows that a part of a figure counts."""
    period = _asked(request)
    chosen = lists.asked_for(request.GET, request.account)
    facts.catch_up(request.account)
    found = lists.rows(request.account, period, chosen, as_of=metrics.now())
    sort = request.GET.get("sort", "")
    rows = Paginator(lists.in_order(found, sort), ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "analytics/handoffs.html", page.of_list(period, chosen, rows, sort))


@for_owners
def handoffs_as_csv(request: MemberRequest) -> HttpResponseBase:
    period = _asked(request)
    chosen = lists.asked_for(request.GET, request.account)
    facts.catch_up(request.account)
    found = lists.rows(request.account, period, chosen, as_of=metrics.now())
    _record(request, period, chosen.figure)
    return export.answer(request, export.portions(found, period.tz), f"{chosen.figure}-{_name(period)}")


@for_owners
def repeated_causes(request: MemberRequest) -> HttpResponse:
    """What came again and again in the last 90 days."""
    found = causes.of(request.account, now=timezone.now())
    return render(request, "analytics/causes.html", {"causes": found, "days": causes.DAYS})


@for_owners
def waiting(request: MemberRequest) -> HttpResponse:
    """What waits in the queue now, as a fragment."""
    return render(request, "analytics/_waiting.html", _waiting(request.account))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add_phone(request: MemberRequest) -> HttpResponse:
    """One measured hand-off by phone; what is wrong with it is said on the page itself, whose links lead on by GET."""
    if not request.user.may_see_analytics:
        raise PermissionDenied
    if request.method != "POST":
        return redirect(f"{reverse('analytics:escalations')}?{request.GET.urlencode()}")
    form = PhoneForm(request.POST)
    if not form.is_valid():
        return _page(request, _last_good(request), "analytics/escalations.html", phone_form=form)
    told = form.cleaned_data
    phone.add(request.account, by=request.user, seconds=told["total"], note=told["note"])
    return _to_phone(request)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def remove_phone(request: MemberRequest, sample_id: UUID) -> HttpResponse:
    samples = PhoneHandOff.objects.for_account(request.account).select_related("recorded_by", "account")
    sample = get_object_or_404(samples, pk=sample_id)
    if not request.user.may_see_analytics:
        raise PermissionDenied
    if request.method != "POST":
        return render(request, "analytics/remove_phone.html", {"sample": sample})
    phone.remove(sample, by=request.user)
    return _to_phone(request)


def _to_phone(request: MemberRequest) -> HttpResponse:
    return redirect(f"{reverse('analytics:escalations')}?{_last_good(request).query}#phone")


def _record(request: MemberRequest, period: Period, what: str) -> None:
    record("exported", account=request.account, by=request.user, about=f"{what} as CSV", period=period.query)


def _asked(request: MemberRequest) -> Period:
    return periods.parse(request.GET.dict(), tz=request.account.tz, now=timezone.now())


def _name(period: Period) -> str:
    return f"{period.first}-{period.last}"


def _page(request: MemberRequest, period: Period, template: str, **more: Any) -> HttpResponse:
    account = request.account
    report = reports.for_people(account, period)
    chart = charts.of(report.trend, report.previous_trend)
    told = {"baseline": phone.baseline(account, period), "phone_form": PhoneForm()}
    context = {
        **page.of_report(report),
        "chart": chart,
        **_waiting(account),
        "presets": periods.PRESETS,
        **told,
        **more,
    }
    return render(request, template, context, status=422 if more else 200)


def _waiting(account: Account) -> dict[str, Any]:
    cursor = cursor_of(account)  # before the count: what happens in between is fetched again, never lost
    queue = Handoff.objects.for_account(account).filter(state=Handoff.State.WAITING)
    return {"cursor": cursor, "waiting": queue.count(), "oldest": queue.aggregate(at=Min("created_at"))["at"]}


def _in_words(request: MemberRequest, bad: BadPeriod) -> HttpResponse:
    """HTMX leaves the figures as they are; without it the page shows the last good period again."""
    if request.htmx and not request.htmx.history_restore_request:
        answer = render(request, "analytics/_period_error.html", {"said": str(bad)}, status=422)
        return push_url(reswap(retarget(answer, "#period-error"), "innerHTML"), False)
    return _page(request, _last_good(request), "analytics/escalations.html", said=str(bad))


def _last_good(request: MemberRequest) -> Period:
    kept = dict(parse_qsl(request.session.get(LAST_GOOD, "")))
    try:
        return periods.parse(kept, tz=request.account.tz, now=timezone.now())
    except BadPeriod:  # it has left the range meanwhile, or the account has another zone
        return periods.parse({}, tz=request.account.tz, now=timezone.now())
