"""From the first release's schema to today's, while its code goes on writing."""

import os
import subprocess
import sys
import time

import psycopg
import pytest
from django.db import connection

from tests.old_writer import OldWriter
from tests.serving import ROOT, database_url

FIRST_RELEASE = """
import django; django.setup()
from django.core.management import call_command as call
for app in ("contenttypes", "auth", "sessions", "procrastinate", "axes"):
    call("migrate", app, verbosity=0)
call("migrate", "accounts", "0001_initial", verbosity=0)
call("migrate", "escalations", "0001_initial", verbosity=0)
"""
UPGRADE = """
import django; django.setup()
from django.core.management import call_command as call
call("migrate", verbosity=0)
"""
PROOFS = """
import django; django.setup()
from django.core.management import call_command as call
from escalations.actions import handoffs, sessions
from escalations.models import Handoff
from resolutionflow.accounts.models import User
ben = User.objects.select_related("account").filter(name="Ben").first()
ann = User.objects.select_related("account").get(name="Ann", account=ben.account)
taken = Handoff.objects.filter(picked_up_by=ben).latest("created_at")
handoffs.release(taken, by=ben)
handoffs.pick_up(taken, by=ben)
sessions.resolve(taken.session, by=ben, resolution="Deleted the cached token.")
call("audit_feed"); call("audit_trail", "--verify"); call("rebuild_metrics", "--check"); call("prune", "--days", "1")
"""


def run(code: str, url: str) -> str:
    env = {**os.environ, "DATABASE_URL": url, "DEBUG": "true", "DJANGO_SETTINGS_MODULE": "resolutionflow.settings"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def first_release(transactional_db):
    """The address of a database with the schema of the first release."""
    name = f"{connection.settings_dict['NAME']}_old"
    url = database_url().replace(f"/{connection.settings_dict['NAME']}", f"/{name}")
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}"')
    run(FIRST_RELEASE, url)
    yield url
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def wait_for(writers: list[OldWriter], rounds: int) -> None:
    wanted = [writer.done + rounds for writer in writers]
    until = time.monotonic() + 30
    while any(writer.done < most and not writer.errors for writer, most in zip(writers, wanted, strict=True)):
        assert time.monotonic() < until, "the old code does not get on"
        time.sleep(0.02)


def test_the_first_release_goes_on_writing_while_it_is_migrated(first_release):
    writers = [OldWriter(first_release, slug) for slug in ("harbor-it", "summit-desk")]
    for writer in writers:
        writer.start()
    wait_for(writers, 20)
    before = [writer.done for writer in writers]
    run(UPGRADE, first_release)
    during = [writer.done for writer in writers]
    wait_for(writers, 20)
    for writer in writers:
        writer.stop()
    assert [writer.errors for writer in writers] == [[], []]
    assert all(now > then for now, then in zip(during, before, strict=True)), "it stood still meanwhile"
    print(f"the slowest of {sum(writer.done for writer in writers)} rounds: {max(w.slowest for w in writers):.2f} s")
    with psycopg.connect(first_release) as asked:
        (escalated,) = asked.execute("SELECT count(*) FROM feed_event").fetchone()
    said = run(PROOFS, first_release)
    assert escalated == 2 * sum(writer.done for writer in writers)
    assert said.count("no breach") == 2
    assert "all facts as the feed says" in said
