"""Everything that has an address."""

from django.contrib import admin
from django.urls import include, path

from resolutionflow import pages
from resolutionflow.api import api

urlpatterns = [
    path("", pages.start, name="start"),
    path("", include("resolutionflow.accounts.urls")),
    path("", include("escalations.urls")),
    path("analytics/", include("analytics.urls")),
    path("api/", api.urls),
    path("admin/", admin.site.urls),
    path("healthz", pages.healthz, name="healthz"),
    path("readyz", pages.readyz, name="readyz"),
]
