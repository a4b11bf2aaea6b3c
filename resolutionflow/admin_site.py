from django.contrib import admin
from django.contrib.admin.apps import AdminConfig


class ResolutionFlowAdmin(AdminConfig):
    default_site = "resolutionflow.admin_site.Site"


class Site(admin.AdminSite):
    site_header = "ResolutionFlow administration"
    site_title = "ResolutionFlow"
