"""What a security key is asked, as an attribute that static/js/security_key.js reads."""

import json

from django import template

register = template.Library()


@register.filter
def as_json(value: object) -> str:
    """The challenge; its bytes are base64url already."""
    return json.dumps(value)
