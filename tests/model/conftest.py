import pytest

from tests.factories import AccountFactory, UserFactory
from tests.model.world import Desk


@pytest.fixture
def teams(transactional_db, settings):
    """Two accounts with three engineers each; rows are committed for real."""
    settings.ASSESSMENT_BUDGET_SECONDS = 86_400.0  # no deadline passes during a run
    accounts = [AccountFactory(name="Harbor IT"), AccountFactory(name="Summit Desk")]
    desks = [Desk(account, [UserFactory(account=account) for _ in range(3)]) for account in accounts]
    yield desks
    Desk.all.clear()
