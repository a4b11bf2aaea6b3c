"""Everything that has an address."""

from django.contrib import admin
from django.urls import include, path

from resolutionflow import pages, probes
from resolutionflow.api import api
from resolutionflow.demo import views as rehearsals

handler500 = "resolutionflow.pages.server_error"
urlpatterns = [
    path("", pages.start, name="start"),
    path("", include("resolutionflow.accounts.urls")),
    path("", include("escalations.urls")),
    path("rehearsal/", rehearsals.show, name="rehearsal"),
    path("rehearsal/start/", rehearsals.start, name="start_rehearsal"),
    path("rehearsal/stop/", rehearsals.stop, name="stop_rehearsal"),
    path("help/", pages.help_page, name="help"),
    path("analytics/", include("analytics.urls")),
    path("api/", api.urls),
    path("admin/", admin.site.urls),
    path("healthz", probes.healthz, name="healthz"),
    path("readyz", probes.readyz, name="readyz"),
    path("metrics", probes.metrics, name="metrics"),
]
