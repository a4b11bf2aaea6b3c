"""The middleware that counts: after the sign-in is known, before anything else is done."""

from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from resolutionflow import addresses, logs
from resolutionflow.accounts.models import User
from resolutionflow.accounts.tokens import bearer_token, token_of_request
from resolutionflow.limits import answers
from resolutionflow.limits.gate import resting
from resolutionflow.limits.rates import Refusal, rates
from resolutionflow.middleware import database_away, is_for_programs

GetResponse = Callable[[HttpRequest], HttpResponse]


class Limits:
    """429 to whoever asks for too much: no question to the database that would not be asked anyway."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in answers.FREE:
            return self.get_response(request)
        try:
            user = who_asks(request)
        except (OperationalError, InterfaceError) as error:
            return database_away(request, error)
        if user is not None:
            logs.add(user=user.pk, account=user.account_id)
        refusal = rates.refusal(user, addresses.of_request(request), request.method or "")
        return self._refuse(request, refusal) if refusal else self.get_response(request)

    def _refuse(self, request: HttpRequest, refusal: Refusal) -> HttpResponse:
        if scope := getattr(request, "scope", None):
            resting.note(scope, refusal)
        body, headers = answers.answer(request.path, refusal, htmx="HX-Request" in request.headers)
        return HttpResponse(body, status=429, headers=headers)


def who_asks(request: HttpRequest) -> User | None:
    if is_for_programs(request) and bearer_token(request.headers.get("Authorization")) is not None:
        token = token_of_request(request)
        return token.user if token else None
    return request.user if request.user.is_authenticated else None
