"""The account's people: change a role, switch somebody off and on again. The admin calls this, too."""

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet

from escalations.actions import handoffs
from escalations.actions.refusals import Conflict, NotAllowed
from escalations.actions.transaction import in_transaction
from escalations.live.people import rights_changed
from escalations.models import Handoff
from resolutionflow.accounts import sign_ins
from resolutionflow.accounts.models import Account, User
from resolutionflow.trail import record


def require_manager(by: User) -> None:
    """Raises NotAllowed for anybody but owners and admins."""
    if not by.may_manage_people:
        raise NotAllowed("Only owners and admins of the account manage its people.")


def in_hand(person: User) -> QuerySet[Handoff]:
    """What the person has picked up and not finished."""
    return Handoff.objects.for_account(person.account).filter(state=Handoff.State.PICKED_UP, picked_up_by=person)


@in_transaction
def change_role(person: User, *, by: User, role: str) -> User:
    """Raises NotAllowed beyond one's own role, Conflict for the last owner. A viewer's open handoffs go back."""
    _require_reach(by, person)
    if not by.may_grant(role):
        raise NotAllowed("You cannot give a role that may more than your own.")
    keep_an_owner(person, role=role, is_active=person.is_active)
    User.objects.filter(pk=person.pk).update(role=role)
    person.role = role
    if role == User.Role.VIEWER:
        hand_back(person, by=by)
    rights_changed(person.pk)
    _record("person_changed", person, by, role=role)
    return person


@in_transaction
def deactivate(person: User, *, by: User) -> list[Handoff]:
    """Switch somebody off: signed out everywhere, and what they had picked up waits again, at its old age.

    Gives those handoffs. What they escalated themselves goes on waiting. Raises NotAllowed, or Conflict for the last
    owner.
    """
    _require_reach(by, person)
    keep_an_owner(person, role=person.role, is_active=False)
    User.objects.filter(pk=person.pk).update(is_active=False)
    person.is_active = False
    back = hand_back(person, by=by)
    sign_ins.end_all(person)
    rights_changed(person.pk)
    _record("person_deactivated", person, by, handed_back=len(back))
    return back


@in_transaction
def reactivate(person: User, *, by: User) -> User:
    """They sign in again as before; nothing comes back to them by itself."""
    _require_reach(by, person)
    User.objects.filter(pk=person.pk).update(is_active=True)
    person.is_active = True
    _record("person_changed", person, by, switched_on=True)
    return person


@in_transaction
def rename(person: User, *, name: str) -> None:
    """One's own name, also the operator's. The audit trail keeps the names of the day."""
    if name != person.name:
        User.objects.filter(pk=person.pk).update(name=name)
        _record("person_changed", person, person, fields="name")
        person.name = name


@in_transaction
def remove_second_step(person: User, *, by: User) -> None:
    """For somebody whose phone or key is gone: the password alone signs them in again, until they set one up."""
    _require_reach(by, person)
    Authenticator.objects.filter(user=person).delete()
    _record("mfa_changed", person, by, what="removed by a colleague")


def hand_back(person: User, *, by: User) -> list[Handoff]:
    """Release what the person has in hand, on their behalf. Within the transaction that says why."""
    back = list(in_hand(person).select_for_update(no_key=True, of=("self",)).order_by("pk"))
    why = "may only look on now" if person.is_active else "is switched off"
    return [handoffs.release(each, by=by, on_behalf_of=person, reason=f"{person.name} {why}.") for each in back]


def keep_an_owner(person: User, *, role: str, is_active: bool) -> None:
    """Raises Conflict if the account would have no active owner left; holds its owners until the transaction ends."""
    owners = User.objects.for_account(person.account).filter(role=User.Role.OWNER, is_active=True)
    last = {each.pk for each in owners.select_for_update(no_key=True).order_by("pk")} == {person.pk}
    if last and not (is_active and role == User.Role.OWNER):
        raise Conflict(f"{person.name} is the last owner of the account. Make somebody else an owner first.")


def _require_reach(by: User, person: User) -> None:
    require_manager(by)
    if person.pk == by.pk:
        raise NotAllowed("Nobody changes their own role or switches themselves off. A colleague can.")
    if not by.may_manage(person):
        raise NotAllowed(f"{person.name} may more than you; only somebody with the same role can change that.")
    assert person.account_id is not None, "whoever is somebody's colleague has an account"
    Account.objects.select_for_update(no_key=True).get(pk=person.account_id)  # one change of people at a time


def _record(kind: str, person: User, by: User, **details: str | int | bool) -> None:
    record(kind, account=person.account, by=by, about=f"person {person.pk}", **details)
