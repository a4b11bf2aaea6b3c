"""The worker's jobs, for the operator: procrastinate's own pages, without the inline styles that the policy refuses."""

import json

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from procrastinate.contrib.django.admin import ProcrastinateJobAdmin  # which registers itself
from procrastinate.contrib.django.models import ProcrastinateJob

LONGEST = 2000  # characters of a job's arguments that are shown

admin.site.unregister(ProcrastinateJob)


@admin.register(ProcrastinateJob)
class JobAdmin(ProcrastinateJobAdmin):
    @admin.display(description="Arguments")
    def pretty_args(self, instance: ProcrastinateJob) -> SafeString:
        told = json.dumps(instance.args, indent=2)
        return format_html("<pre>{}</pre>", told[:LONGEST] + ("…" if len(told) > LONGEST else ""))
