"""What a file dialog offers; what is taken is decided by a file's bytes."""

from django import template

from escalations.filetypes import ENDINGS

register = template.Library()


@register.simple_tag
def attachable() -> str:
    return ",".join(f".{ending}" for endings in ENDINGS.values() for ending in endings)
