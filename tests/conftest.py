"""Named people: ann and ben are engineers of Harbor IT, vic looks on, olga owns it, adam administers it; zoe and
omar belong to Summit Desk; sam operates the installation."""

from collections.abc import Iterator

import pytest
from django.test import Client

from resolutionflow.accounts.models import Account, User
from tests.chromium import browser  # noqa: F401 a fixture
from tests.factories import AccountFactory, UserFactory
from tests.serving import Server, wait_until_idle


@pytest.fixture(autouse=True)
def fast_passwords(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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
