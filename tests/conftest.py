"""Named people: ann and ben are engineers of Harbor IT, vic looks on, olga owns it, adam administers it; zoe and
omar belong to Summit Desk; sam operates the installation."""

import logging
import os
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client

from resolutionflow.accounts.models import Account, User
from tests import emptying
from tests.chromium import browser  # noqa: F401 a fixture
from tests.factories import AccountFactory, UserFactory
from tests.serving import Server, remove_jobs, wait_until_alone, wait_until_idle

# What takes long begins first, so that no worker is left alone with it at the end.
LONG = ("tests/oracle/", "tests/model/", "tests/faults/", "tests/resolutionflow/test_serve.py", "tests/browser/")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((n for n, path in enumerate(LONG) if item.nodeid.startswith(path)), len(LONG)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """With CI=true a test that did not run has failed, whatever it lacked."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"It did not run: {report.longrepr[2]}"
    return report


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> Iterator[None]:
    """The test database is dropped at the end, once the sessions of the processes that have just ended are over."""
    with django_db_blocker.unblock():
        emptying.install()
    yield
    with django_db_blocker.unblock():
        wait_until_alone()


@pytest.fixture(autouse=True)
def fast_passwords(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


class FallenTasks(logging.Handler):
    """What asyncio only logs: a task that broke and that nobody waited for. It may have been an earlier test's."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(f"{record.getMessage()} {record.exc_info and record.exc_info[1]!r}")


fallen = FallenTasks()
logging.getLogger("asyncio").addHandler(fallen)


@pytest.fixture(autouse=True)
def no_task_falls_unseen() -> Iterator[None]:
    yield
    told = list(fallen.told)
    fallen.told.clear()
    assert not told, told


@pytest.fixture(autouse=True)
def no_job_outlives_its_test(request, django_db_blocker) -> Iterator[None]:
    """Django empties its own tables after a test that commits; the jobs stand in procrastinate's, whatever became of
    them. What a file's server has in hand is left to it."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction")):
        with django_db_blocker.unblock():
            remove_jobs(in_hand=False)


@pytest.fixture(autouse=True, scope="module")
def no_job_outlives_its_file(django_db_blocker) -> Iterator[None]:
    """Nor what was in hand when a server was killed, nor what a worker left when its file was over."""
    yield
    with django_db_blocker.unblock():
        if connection.settings_dict["NAME"].startswith("test_"):
            remove_jobs(in_hand=True)


@pytest.fixture
def harbor(db) -> Account:
    return AccountFactory(name="Harbor IT", slug="harbor-it")


@pytest.fixture
def summit(db) -> Account:
    return AccountFactory(name="Summit Desk", slug="summit-desk")


@pytest.fixture
def ann(harbor) -> User:
    return UserFactory(name="Ann Abel", email="ann@harbor.example", account=harbor)


@pytest.fixture
def ben(harbor) -> User:
    return UserFactory(name="Ben Bauer", email="ben@harbor.example", account=harbor)


@pytest.fixture
def vic(harbor) -> User:
    return UserFactory(name="Vic Viewer", email="vic@harbor.example", account=harbor, role="viewer")


@pytest.fixture
def olga(harbor) -> User:
    return UserFactory(name="Olga Owner", email="olga@harbor.example", account=harbor, role="owner")


@pytest.fixture
def adam(harbor) -> User:
    return UserFactory(name="Adam Admin", email="adam@harbor.example", account=harbor, role="admin")


@pytest.fixture
def zoe(summit) -> User:
    return UserFactory(name="Zoe Zander", email="zoe@summit.example", account=summit)


@pytest.fixture
def sam(db) -> User:
    return User.objects.create_superuser("sam@operator.example", "demo", name="Sam Super")


@pytest.fixture
def as_user():
    """`as_user(ann)` is a browser in which ann is signed in."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture(scope="module")
def server_process(django_db_setup, django_db_blocker) -> Iterator[Server]:
    """One server for the tests of a file. It ends with the file: its worker would take the jobs of other tests."""
    with django_db_blocker.unblock():
        server = Server().start()
    yield server
    server.stop()


@pytest.fixture
def server(server_process, transactional_db) -> Iterator[Server]:
    """The running product, over rows that are committed for real (`pytest.mark.django_db` is not needed)."""
    server_process.wait_until_ready()
    yield server_process
    wait_until_idle()
