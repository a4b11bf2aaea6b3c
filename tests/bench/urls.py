"""The product's addresses and, behind the same middleware, the least that a page can do."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from resolutionflow.urls import urlpatterns as of_the_product


def trivial(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {request.user.pk}")


urlpatterns = [path("bench/trivial/", trivial), *of_the_product]
