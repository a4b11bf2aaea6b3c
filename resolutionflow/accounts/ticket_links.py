"""A ticket's reference becomes a link into the team's own system: a template, and the address that it makes.

`{ticket}` stands for the reference as it was typed, `{number}` for its digits alone. The host is always the template's:
what somebody types into a reference can never lead elsewhere, so both stand behind the host only, percent-encoded.
"""

import re
from urllib.parse import quote, urlsplit

from django.core.exceptions import ValidationError

TEMPLATE_LENGTH = 500
PLACES = ("{ticket}", "{number}")
IN_BRACES = re.compile(r"\{[^{}]*\}")
EXAMPLE = "#48213"

# What such an address looks like elsewhere; people put their own host in.
PRESETS = (
    (
        "ConnectWise",
        "https://na.myconnectwise.net/v4_6_release/services/system_io/Service/fv_sr100_request.rails"
        "?service_recid={number}",
    ),
    (
        "Autotask",
        "https://ww1.autotask.net/Autotask/AutotaskExtend/ExecuteCommand.aspx"
        "?Code=OpenTicketDetail&TicketNumber={ticket}",
    ),
    ("HaloPSA", "https://yourteam.halopsa.com/tickets?id={number}"),
    ("Zendesk", "https://yourteam.zendesk.com/agent/tickets/{number}"),
    ("Freshdesk", "https://yourteam.freshdesk.com/a/tickets/{number}"),
)


def validate_template(template: str) -> None:
    """Raises ValidationError with a sentence for people."""
    if re.search(r"[\s\\<>\"'`\x00-\x1f\x7f]", template):
        raise ValidationError("An address has no spaces, quotes or backslashes in it.")
    try:
        parts = urlsplit(template)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValidationError("That is no web address.") from None
    if parts.scheme != "https":
        raise ValidationError("The address must begin with https://.")
    if not host or "%" in parts.netloc:
        raise ValidationError("The address names no host, such as yourteam.example.com.")
    if "@" in parts.netloc:
        raise ValidationError("No name or password may stand before the host.")
    if "{" in parts.netloc or "}" in parts.netloc:
        raise ValidationError("The host is always the same: the reference can only stand after it, behind a slash.")
    rest = template.split(parts.netloc, 1)[1]
    if unknown := sorted(set(IN_BRACES.findall(rest)) - set(PLACES)):
        raise ValidationError(f"{unknown[0]} means nothing here; use {{ticket}} or {{number}}.")
    if not any(place in rest for place in PLACES):
        raise ValidationError("Put {ticket} or {number} where the reference belongs.")
    if re.search(r"[{}]", IN_BRACES.sub("", rest)):
        raise ValidationError("A brace stands alone; use {ticket} or {number}.")


def address_of(template: str, reference: str) -> str:
    """Where a reference leads; empty where there is no template, or nothing in the reference to put into it."""
    number = "".join(re.findall("[0-9]", reference))
    if not template or not reference.strip(" ./\\") or ("{number}" in template and not number):
        return ""
    return template.replace("{ticket}", quote(reference.strip(), safe="")).replace("{number}", number)
