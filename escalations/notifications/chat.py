"""Slack, Teams, PagerDuty and ntfy, by apprise: each at an address that is the service's own.

Nobody hands apprise an address: its addresses can name other hosts, files of this machine and commands. From what
people have at hand (`read`) only tokens of a known form are taken, and the plugin is made from those. So whom apprise
asks, with its own HTTP client, is fixed here. Redirects are off.

apprise takes half a second to import and some 20 MB, which web processes have no use for: it is imported where it is
used.
"""

import importlib
import logging
import re
import threading
from typing import Any

from escalations.models import Channel
from escalations.models.channel import CALLS
from escalations.notifications.letter import Letter, NotSent

Kind = Channel.Kind
ALNUM = r"[A-Za-z0-9]"
MAY_BE = {
    Kind.SLACK: re.compile(
        rf"https://hooks\.slack\.com/services/(?P<token_a>T{ALNUM}{{5,20}})/(?P<token_b>B{ALNUM}{{5,20}})/(?P<token_c>{ALNUM}{{10,40}})/?"
    ),
    Kind.TEAMS: re.compile(
        r"https://(?P<host>(?:[a-z0-9-]{1,63}\.){1,5}(?:logic\.azure\.com|api\.powerplatform\.com))(?::443)?"
        r"(?P<power_automate>/powerautomate/automations/direct(?:/cu/(?P<routing_id>[0-9]{1,10}))?)?"
        r"/workflows/(?P<workflow>[A-Za-z0-9_-]{8,80})/triggers/manual/paths/invoke/?"
        r"\?(?:[^#\s]*&)?api-version=(?P<version>[0-9A-Za-z-]{1,40})&(?:[^#\s]*&)?sig=(?P<signature>[A-Za-z0-9_-]{10,100})(?:&[^#\s]*)?"
    ),
    Kind.PAGERDUTY: re.compile(rf"(?:(?P<region_name>eu|us):)?(?P<integrationkey>{ALNUM}{{32}})"),
    Kind.NTFY: re.compile(r"(?:https://ntfy\.sh/)?(?P<topic>[A-Za-z0-9_-]{1,64})"),
}
SEVERITY = {"low": "info", "normal": "warning", "high": "error", "urgent": "critical"}
LOUDNESS = {"low": "low", "normal": "default", "high": "high", "urgent": "max"}
NAMES = {Kind.SLACK: "Slack", Kind.TEAMS: "Teams", Kind.PAGERDUTY: "PagerDuty", Kind.NTFY: "ntfy.sh"}


def read(kind: str, target: str) -> dict[str, str]:
    """The parts of what somebody typed. Raises ValueError if it is not what the service gives out."""
    found = MAY_BE[Kind(kind)].fullmatch(target)
    if found is None:
        raise ValueError(f"That is not what {NAMES[Kind(kind)]} gives out.")
    return {name: value for name, value in found.groupdict().items() if value}


def send(letter: Letter) -> None:
    """Raises NotSent."""
    import apprise  # noqa: PLC0415 see above

    kind = Kind(letter.way)
    try:
        parts = read(kind, letter.target)
    except ValueError as error:
        raise NotSent(str(error)) from error
    with Heard() as heard:
        done = plugin(kind, parts, letter).notify(
            title="" if kind == Kind.PAGERDUTY else _escaped(letter.title) if kind == Kind.TEAMS else letter.title,
            body=_body(kind, letter),
            body_format=apprise.NotifyFormat.MARKDOWN if kind == Kind.TEAMS else apprise.NotifyFormat.TEXT,
        )
    if not done:
        raise NotSent(f"{NAMES[kind]} did not take it{heard.status}.")


def plugin(kind: Channel.Kind, parts: dict[str, str], letter: Letter) -> Any:
    """apprise's own for this service. By its class, not by its address: then none of the hundred others is loaded."""
    import apprise  # noqa: PLC0415 see above

    name, made_from = _made_from(kind, parts, letter)
    module = importlib.import_module(f"apprise.plugins.{name.lower()}")
    asset = apprise.AppriseAsset(app_id="ResolutionFlow", app_url="", http_redirects=False, plugin_paths=[])
    return getattr(module, f"Notify{name}")(asset=asset, include_image=False, **made_from)


def _made_from(kind: Channel.Kind, parts: dict[str, str], letter: Letter) -> tuple[str, dict[str, Any]]:
    if kind == Kind.SLACK:
        return "Slack", {**parts, "include_footer": False}
    if kind == Kind.TEAMS:
        return "Workflows", {**parts, "secure": True}
    if kind == Kind.PAGERDUTY:
        action = "trigger" if letter.kind in CALLS or not letter.case else "resolve"
        more = {"apikey": "none", "source": "ResolutionFlow", "dedup": letter.case, "click": letter.link or None}
        told = {"severity": SEVERITY[letter.priority], "details": {"about": letter.text}}
        return "PagerDuty", {"action": action, **more, **told, **parts}
    return "Ntfy", {"mode": "cloud", "targets": [parts["topic"]], "priority": LOUDNESS[letter.priority]}


def _body(kind: Channel.Kind, letter: Letter) -> str:
    """A client's text is text everywhere: apprise sees to that at Slack, where `<!channel>` would call everybody."""
    if kind == Kind.PAGERDUTY:
        return letter.title  # an incident's heading; the rest are its details
    if kind == Kind.TEAMS:
        link = [f"[Open it in ResolutionFlow]({letter.link})"] if letter.link else []
        return "\n\n".join([*map(_escaped, letter.text.splitlines()), *link])
    return f"{letter.text}\n{letter.link}".strip()


def _escaped(told: str) -> str:
    """As Markdown shows it as it is."""
    return re.sub(r"([\\`*_\[\]<>~#])", r"\\\1", told)


class Heard(logging.Handler):
    """The status that apprise only logs, of this thread's own sending."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.status = ""
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        found = re.search(r"error=(\d{3})", record.getMessage())
        if found and record.thread == self._thread:
            self.status = f" ({found[1]})"

    def __enter__(self) -> "Heard":
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *problem: object) -> None:
        logging.getLogger("apprise").removeHandler(self)
