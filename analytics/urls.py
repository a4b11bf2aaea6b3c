from django.urls import path
from django.views.generic import RedirectView

from analytics import views

app_name = "analytics"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="analytics:escalations"), name="start"),
    path("causes/", views.repeated_causes, name="causes"),
    path("phone/", views.add_phone, name="add-phone"),
    path("phone/<uuid:sample_id>/remove/", views.remove_phone, name="remove-phone"),
    path("escalations/", views.escalations, name="escalations"),
    path("escalations/table.csv", views.table_as_csv, name="table"),
    path("escalations/handoffs/", views.handoffs, name="handoffs"),
    path("escalations/handoffs.csv", views.handoffs_as_csv, name="handoffs-csv"),
    path("escalations/waiting/", views.waiting, name="waiting"),
]
