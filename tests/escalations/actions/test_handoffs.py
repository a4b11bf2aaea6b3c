import pytest

from escalations.models import FeedEvent, Handoff
from tests.factories import HandoffFactory

pytestmark = pytest.mark.django_db


def test_picking_up_gives_the_session_to_the_picker(ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    assert handoff.state == Handoff.State.PICKED_UP
    assert handoff.session.holder == ben
    assert list(FeedEvent.objects.order_by("seq").values_list("kind", flat=True)) == [
        "handoff_created",
        "handoff_picked_up",
    ]
