"""A rehearsal that runs, for the pages that say so. Without a demonstration nothing is asked and nothing said."""

from typing import Any

from django import template
from django.conf import settings
from django.template.context import RequestContext

from resolutionflow.demo import running
from resolutionflow.demo.rival import NAME

register = template.Library()


@register.inclusion_tag("demo/_strip.html", takes_context=True)
def rehearsal_strip(context: RequestContext) -> dict[str, Any]:
    """On the queue of the account in which it runs."""
    account = getattr(context.get("request"), "account", None)
    now = running.running() if settings.DEMO else None
    here = now if now and account is not None and now.plan.account == account.slug else None
    return {"running": here, "rival": NAME, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("demo/_offer.html", takes_context=True)
def rehearsal_offer(context: RequestContext) -> dict[str, Any]:
    """On the login page of a demonstration."""
    return {"running": running.running(), "rival": NAME, "csrf_token": context.get("csrf_token")}
