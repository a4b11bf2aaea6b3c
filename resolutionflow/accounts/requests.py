"""What a request looks like to a page behind the sign-in."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from resolutionflow.accounts.models import Account, User


class MemberRequest(HttpRequest):
    """The request of somebody who belongs to an account; `resolutionflow.middleware.SignedIn` sees to it."""

    user: User
    account: Account
    htmx: HtmxDetails
