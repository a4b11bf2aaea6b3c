"""Connections follow what the code says: between threads and tasks, through rollbacks, and back into the pool."""

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DataError, connection, transaction
from psycopg.pq import TransactionStatus

from escalations import thinking
from resolutionflow import walls
from resolutionflow.accounts.models import User
from resolutionflow.walls import checks, role
from resolutionflow.walls.postgresql import base
from tests.serving import ROOT, Server
from tests.walled import in_the_walls

SET_NOW = "SELECT current_setting('resolutionflow.account', true), current_setting('resolutionflow.everywhere', true)"


def what_is_set() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(SET_NOW)
        return cursor.fetchone()


def in_a_thread(work):
    def run():
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


@pytest.mark.django_db
def test_a_connection_follows_and_goes_back(harbor, summit):
    with walls.within(harbor.pk):
        assert what_is_set() == (str(harbor.pk), "")
        with walls.everywhere():
            assert what_is_set() == ("", "on")
            with walls.within(summit.pk):
                assert what_is_set() == (str(summit.pk), "")
        with walls.within(None):
            assert what_is_set() == ("", "")
        assert what_is_set() == (str(harbor.pk), "")


@pytest.mark.django_db
def test_an_account_that_is_no_uuid_is_refused(harbor):
    with pytest.raises(ValueError, match="UUID"), walls.within("x' OR 'y"):
        pass


@pytest.mark.django_db
def test_what_a_rollback_undid_is_set_again(harbor, ann):
    with in_the_walls(), walls.within(harbor.pk):
        with transaction.atomic(), walls.everywhere():
            assert User.objects.exists()
            transaction.set_rollback(True)
        assert what_is_set() == (str(harbor.pk), "")
        with pytest.raises(DataError), transaction.atomic(), walls.everywhere(), connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        assert what_is_set() == (str(harbor.pk), "")
        assert list(User.objects.all()) == [ann]


@pytest.mark.django_db
def test_it_rides_along_with_the_next_statement(ann, as_user, monkeypatch):
    """A page costs no round trip more than without the wall."""
    alone = []
    monkeypatch.setattr(base, "_set", lambda connection: alone.append(connection))
    client = as_user(ann)
    assert client.get("/queue/").status_code == 200
    assert alone == []


@pytest.mark.django_db(transaction=True)
def test_a_connection_from_the_pool_carries_nothing(harbor):
    def leave_something() -> int:
        with walls.within(harbor.pk):
            assert what_is_set()[0] == str(harbor.pk)
        with connection.cursor() as cursor:  # behind the product's back, too
            cursor.execute(f"SET resolutionflow.account = '{harbor.pk}'; SET resolutionflow.everywhere = 'on'")
        return connection.connection.info.backend_pid

    left = {in_a_thread(leave_something) for _ in range(3)}
    pool, seen = connection.pool, {}
    with walls.nowhere():
        given = [pool.getconn() for _ in range(4)]
        for each in given:
            seen[each.info.backend_pid] = each.execute(SET_NOW).fetchone()
            pool.putconn(each)
    assert left & set(seen), "first, it is one of those"
    assert set(seen.values()) == {("", "")}


@pytest.mark.django_db(transaction=True)
def test_one_that_came_back_in_the_middle_of_a_transaction_begins_anew():
    pool = connection.pool
    left = pool.getconn()
    left.set_autocommit(False)
    left.execute("SELECT 1")
    pool.putconn(left)
    taken = [pool.getconn()]
    while taken[-1] is not left:
        taken.append(pool.getconn())
    assert (left.autocommit, left.info.transaction_status) == (True, TransactionStatus.IDLE)
    for each in taken:
        pool.putconn(each)


@pytest.mark.django_db(transaction=True)
def test_threads_at_the_same_time_do_not_mix(ann, zoe):
    turn = threading.Barrier(4)

    def look(user: User) -> list[bool]:
        with in_the_walls(), walls.within(user.account_id):
            found = []
            for _ in range(20):
                turn.wait(timeout=20)
                found.append([each.pk for each in User.objects.all()] == [user.pk])
            return found

    def whole(user: User) -> list[bool]:
        try:
            return look(user)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert all(all(found) for found in pool.map(whole, [ann, zoe, ann, zoe]))


def test_tasks_at_the_same_time_do_not_mix_and_their_threads_know():
    async def job(account: str) -> bool:
        with walls.within(account):
            same = []
            for _ in range(20):
                await asyncio.sleep(0)
                same.append(await thinking.think(walls.current) == walls.Scope(account))
            return all(same)

    async def both() -> list[bool]:
        return await asyncio.gather(*(job(f"{n:032x}"[:8] + "-0000-4000-8000-000000000000") for n in (1, 2, 3)))

    assert all(asyncio.run(both()))
    assert walls.current() == walls.EVERYWHERE, "the tests' own"


PROBE = """
import django
from resolutionflow import walls
walls.serve()
django.setup()
from django.db import connection
from resolutionflow.accounts.models import User
with connection.cursor() as cursor:
    cursor.execute("SELECT current_user, session_user")
    print(*cursor.fetchone(), User.objects.count(), end=" ")
with walls.everywhere():
    print(User.objects.count())
"""


@pytest.mark.django_db(transaction=True)
def test_a_process_that_serves_connects_in_the_role_and_sees_nothing_at_first(ann, zoe):
    env = {**Server().env, "DJANGO_SETTINGS_MODULE": "resolutionflow.settings"}
    said = subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, env=env, capture_output=True, text=True)
    taken, login, at_first, everywhere = said.stdout.split()
    assert (taken, at_first, everywhere) == (role.name(), "0", "2"), said.stderr
    assert login != taken


@pytest.mark.django_db
def test_a_login_that_passes_the_wall_is_named(settings):
    assert checks.second_wall_stands(None, databases=["default"]) == []
    settings.DATABASE_ROLE = "none"
    (found,) = checks.second_wall_stands(None, databases=["default"])
    assert "passes row security" in found.msg
    settings.DATABASE_ROLE = "nobody_made_it"
    with pytest.raises(SystemExit, match="run manage"):
        role.refuse_to_serve()
    settings.DATABASE_ROLE = "postgres"
    with pytest.raises(SystemExit, match="neither SUPERUSER nor BYPASSRLS"):
        role.refuse_to_serve()
