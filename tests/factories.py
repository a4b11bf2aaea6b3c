"""Rows for tests. State is told by trait and made by the product's own verbs: `HandoffFactory(picked_up=True)`."""

import factory
from factory.django import DjangoModelFactory

from escalations.actions import handoffs, sessions
from escalations.models import AISession, Handoff
from resolutionflow.accounts.models import Account, User


class AccountFactory(DjangoModelFactory):
    class Meta:
        model = Account

    name = factory.Sequence(lambda n: f"Team {n}")
    slug = factory.Sequence(lambda n: f"team-{n}")
    time_zone = "Europe/Berlin"


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    name = factory.Sequence(lambda n: f"Person {n}")
    email = factory.Sequence(lambda n: f"person{n}@example.test")
    account = factory.SubFactory(AccountFactory)
    role = "engineer"
    password = "!"


class SessionFactory(DjangoModelFactory):
    """An active session on the desk of `by`, or a `resolved=True` one."""

    class Meta:
        model = AISession

    by = factory.SubFactory(UserFactory)
    title = "Outlook asks for the password again and again"
    client_name = "Brightwater Dental"
    ticket_ref = "#48213"
    problem = "Since the tenant move on Friday Outlook asks 14 people for their password. Error 0x8004011d."

    @classmethod
    def _create(cls, model_class, *args, by, resolved=False, resolution="Deleted the cached token.", **fields):
        session = sessions.start(by.account, by=by, **fields)
        return sessions.resolve(session, by=by, resolution=resolution) if resolved else session


class HandoffFactory(DjangoModelFactory):
    """A waiting handoff from `by`; `picker=ben` picks it up, `released=True` puts it back, and so on."""

    class Meta:
        model = Handoff

    by = factory.SubFactory(UserFactory)
    session = factory.SubFactory(SessionFactory, by=factory.SelfAttribute("..by"))
    reason = "Modern auth is on, cached tokens cleared, it still loops."
    priority = "normal"

    @classmethod
    def _create(
        cls,
        model_class,
        *args,
        by,
        session,
        reason,
        priority,
        picker=None,
        released=False,
        taken_back=False,
        resolved=False,
    ):
        handoff = handoffs.escalate(session, by=by, reason=reason, priority=priority)
        if taken_back:
            handoffs.take_back(handoff, by=by)
        if picker:
            handoffs.pick_up(handoff, by=picker)
        if released:
            handoffs.release(handoff, by=picker)
        if resolved:
            sessions.resolve(handoff.session, by=picker, resolution="Deleted the cached token.")
        return Handoff.objects.for_context().get(pk=handoff.pk)
