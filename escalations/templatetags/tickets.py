"""A ticket's reference, as a link into the team's own system where the account has set one up."""

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from resolutionflow.accounts import ticket_links

register = template.Library()


@register.filter
def as_ticket(reference: str, url_template: str) -> SafeString:
    """For everybody in the account the same; it opens beside the product, which learns nothing of it."""
    address = ticket_links.address_of(url_template, reference)
    if not address:
        return conditional_escape(reference)
    return format_html(
        '<a class="ticket" href="{}" target="_blank" rel="noopener noreferrer">{}</a>', address, reference
    )
