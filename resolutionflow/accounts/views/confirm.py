"""Is it you? Asked before somebody changes how they sign in. What allauth does of it stands in `urls.py` as it is."""

from typing import Any

from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils.decorators import method_decorator


@method_decorator(login_required, name="dispatch")
class WithKey(ReauthenticateWebAuthnView):  # type: ignore[misc]  # carries no types
    """A key that did not fit is asked for again here; allauth would send the person off to the queue without a word."""

    def form_invalid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = self.render_to_response(self.get_context_data() | {"form": form}, status=422)
        return answer


with_key = WithKey.as_view()
