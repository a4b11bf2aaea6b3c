"""Two accounts that have everything, ten people before every door, and what none of them may see of the other."""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.hashers import make_password
from django.db.models import Model
from procrastinate.contrib.django.models import ProcrastinateJob

from analytics import phone
from escalations.actions import (
    assessments,
    attachments,
    channels,
    deliveries,
    drafts,
    feedback,
    handoffs,
    offers,
    preferences,
    runbooks,
    secrets,
    sessions,
    steps,
)
from escalations.actions.refusals import Refusal
from escalations.models import AISession, Handoff, Message, ModelCall, Reveal, TriedStep
from escalations.models.channel import TOLD
from escalations.runbooks import Page
from resolutionflow.accounts.models import Account, User
from resolutionflow.trail import record
from resolutionflow.trail.models import Entry
from tests.factories import AccountFactory, UserFactory
from tests.resolutionflow.matrix import sign_in

FULL = os.environ.get("MATRIX") == "full"  # everybody everywhere, and servers without a wall: `make matrix`
PEOPLE = (
    "signed out", "viewer", "engineer", "owner", "admin",
    "other engineer", "other owner", "other admin", "deactivated", "superuser",
)  # fmt: skip


@dataclass
class Team:
    """An account with a row in every table; `mark` stands in each of its texts."""

    mark: str
    account: Account
    people: dict[str, User]
    ids: dict[str, str] = field(default_factory=dict)  # what addresses name
    secret: set[str] = field(default_factory=set)  # what nobody else may read


@dataclass
class Ground:
    ours: Team
    theirs: Team
    cookies: dict[str, str | None]

    def foreign_to(self, person: str) -> set[str]:
        if person in {"viewer", "engineer", "owner", "admin"}:
            return self.theirs.secret
        if person.startswith("other"):
            return self.ours.secret
        return self.ours.secret | self.theirs.secret


def make() -> Ground:
    ours, theirs = team("Quokka"), team("Wombat")
    sam = User.objects.create_superuser("sam@operator.example", "demo", name="Sam Super")
    gone = UserFactory(name="Dee Quokka", email="dee@quokka.example", account=ours.account)
    seats = {
        **{person: ours.people[person] for person in ("viewer", "engineer", "owner", "admin")},
        **{f"other {person}": theirs.people[person] for person in ("engineer", "owner", "admin")},
        "deactivated": gone,
        "superuser": sam,
    }
    cookies = {person: sign_in.fresh_cookie_of(seats[person]) if person in seats else None for person in PEOPLE}
    User.objects.filter(pk=gone.pk).update(is_active=False)
    return Ground(ours, theirs, cookies)


def team(mark: str) -> Team:
    account = AccountFactory(name=f"{mark} Team", slug=mark.lower())
    people = {
        role: UserFactory(
            name=f"{role.title()} {mark}",
            email=f"{role}@{mark.lower()}.example",
            account=account,
            role=role,
            password=make_password("demo"),
        )
        for role in ("viewer", "engineer", "owner", "admin")
    }
    colleague = UserFactory(name=f"Colleague {mark}", email=f"colleague@{mark.lower()}.example", account=account)
    made = Team(mark, account, people)
    ids, secrets_of_sign_in = sign_in.kept(mark, people["owner"], people["engineer"], colleague)
    at_work(made, people["engineer"], colleague)
    made.ids |= ids
    made.secret = {mark.lower(), *uuids_of(account), *secrets_of_sign_in}
    return made


def at_work(made: Team, engineer: User, colleague: User) -> None:
    """A session on the engineer's desk with steps and a secret, a waiting handoff, a picked up one, and the rest."""
    mark = made.mark
    own = started(mark, engineer)
    tried = [steps.record_step(own, by=engineer, description=f"{mark} restart {n}", outcome="failed") for n in (1, 2)]
    attached = attachments.attach(own, by=engineer, name=f"{mark}.log", size=len(mark), file=io.BytesIO(mark.encode()))
    sessions.post(own, by=engineer, body=f"{mark} log", files=[attached.pk])
    drafts.keep(own, by=engineer, field="message", text=f"{mark} draft", sent=0, page="p", turn=1)
    waiting = handoffs.escalate(started(mark, colleague), by=colleague, reason=f"{mark} is stuck", priority="high")
    data = {"summary_prose": mark, "what_we_know": [], "likely_cause": mark, "suggested_steps": [], "confidence": "low"}
    assessments.store(waiting, data=data, made_by="playbook")
    held = handoffs.escalate(started(mark, colleague), by=colleague, reason=f"{mark} again", priority="low")
    assessments.store(held, data=data, made_by="playbook")
    handoffs.pick_up(held, by=engineer)
    refused(lambda: handoffs.pick_up(held, by=made.people["owner"]))
    held = Handoff.objects.for_context().get(pk=held.pk)
    feedback.judge(held, by=engineer, helpful=False, why=mark)
    offers.hand_to(held, by=engineer, to=made.people["owner"], note=f"{mark} is yours")
    resolved = started(mark, engineer)
    sessions.resolve(resolved, by=engineer, resolution=f"{mark} was restarted")
    secrets.reveal(own.secrets.get(number=1), by=engineer)
    runbooks.keep(Page(path="a.md", title=mark, tags=(), body=mark, steps=(mark,)), account=made.account)
    ModelCall.objects.create(account=made.account, purpose="answer", model=f"{mark}:1", expires_at=own.created_at)
    sample = phone.add(made.account, by=made.people["owner"], seconds=290, note=f"{mark} called")
    record("exported", account=made.account, by=engineer, about=f"{mark} figures")
    preferences.of(colleague, made.account)
    told = {"name": f"{mark} hook", "target": f"https://{mark}.example/", "kinds": TOLD, "priorities": ["high"]}
    channel, _ = channels.add(by=made.people["owner"], kind="webhook", **told)
    delivery = deliveries.test(channel)
    LogEntry.objects.create(user=made.people["admin"], object_repr=mark, action_flag=CHANGE)
    made.ids = {
        "entry": str(Entry.objects.for_account(made.account).latest("seq").pk),
        "procrastinatejob": str(ProcrastinateJob.objects.order_by("id").values_list("pk", flat=True).first() or 1),
        "session_id": str(own.pk), "attachment_id": str(attached.pk), "attachment": str(attached.pk),
        "step_id": str(tried[0].pk), "other_id": str(tried[1].pk),
        "sample_id": str(sample.pk),
        "handoff_id": str(waiting.pk), "held_id": str(held.pk), "key": str(made.account.runbooks.get().pk),
        "account": str(made.account.pk), "user": str(colleague.pk),
        "assessment": str(waiting.pk), "handoff": str(waiting.pk), "aisession": str(own.pk),
        "feedevent": str(waiting.events.first().pk), "modelcall": str(made.account.model_calls.get().pk),
        "channel_id": str(channel.pk), "kind": "webhook", "channel": str(channel.pk), "delivery": str(delivery.pk),
        "reveal": str(Reveal.objects.get(secret__session=own).pk), "runbook": str(made.account.runbooks.get().pk),
    }  # fmt: skip


def started(mark: str, by: User) -> AISession:
    told = f"{mark} hangs. password: {mark}-Secret-77!"
    return sessions.start(by.account, by=by, title=f"{mark} printer", client_name=f"{mark} Dental", problem=told)


def refused(verb: Callable[[], object]) -> None:
    try:
        verb()
    except Refusal:
        return
    raise AssertionError("first, somebody came too late")


def uuids_of(account: Account) -> set[str]:
    """The ids of what the account has, as addresses and answers would name them."""
    rows: list[Model] = [*Message.objects.filter(session__account=account)]
    rows += TriedStep.objects.filter(session__account=account)
    for relation in account._meta.get_fields(include_hidden=True):
        if relation.one_to_many or relation.one_to_one:
            rows += relation.related_model._default_manager.filter(**{relation.field.name: account})
    return {str(account.pk), *(str(row.pk) for row in rows if isinstance(row.pk, UUID))}
