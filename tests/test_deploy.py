"""What an installation is made of: `Dockerfile`, `compose.yaml`, docs/deploy, and Django's own `check --deploy`."""

import configparser
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from resolutionflow import settings as ours
from resolutionflow.management.commands import serve
from tests.serving import ROOT

IN_EARNEST = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "SITE_URL": "https://desk.example",
    "ALLOWED_HOSTS": "desk.example",
    "WEB_CONCURRENCY": "2",
    "DEBUG": "false",
}
UNITS = ("resolutionflow-web@.service", "resolutionflow-worker.service")
NOT_SETTINGS = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "POSTGRES_PASSWORD", "SITE", "WEB", "VERSION"}
NOT_SETTINGS |= {"WEB_CONCURRENCY"}
LONGEST_STOP = 5 + 5 + serve.LONGEST_REQUEST_SECONDS + serve.STOP_SECONDS


def deploy_check(**changed: str) -> subprocess.CompletedProcess:
    env = {"PATH": os.environ["PATH"], "RESOLUTIONFLOW_DATA_DIR": "/nonexistent", **IN_EARNEST, **changed}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)


def test_djangos_own_deployment_check_finds_nothing():
    done = deploy_check()
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"SECRET_KEY": "short"}, "security.W009"),
        ({"DEBUG": "true"}, "security.W018"),
        ({"REDIS_URL": ""}, "resolutionflow.E002"),
    ],
    ids=["a weak key", "debug", "processes that cannot hear each other"],
)
def test_and_it_would_find_what_is_wrong(changed, found):
    done = deploy_check(**changed)
    assert done.returncode == 1
    assert found in done.stderr


# compose.yaml


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def test_two_web_processes_a_worker_and_what_they_need_make_an_installation(compose):
    services = compose["services"]
    assert set(services) == {"migrate", "web-a", "web-b", "worker", "postgres", "valkey", "caddy"}
    assert services["web-a"] == services["web-b"]
    assert services["caddy"]["environment"]["WEB"] == "web-a:8000 web-b:8000"
    started = services["web-a"]["depends_on"]
    assert started["migrate"] == {"condition": "service_completed_successfully"}


def test_every_container_is_bounded_and_can_write_nothing_but_its_data(compose):
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service, name
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["caddy"]
    assert compose["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "valkey"):
        assert compose["services"][name]["networks"] == ["inside"]


def test_supervisors_wait_longer_than_a_stop_may_take(compose):
    assert int(compose["services"]["web-a"]["stop_grace_period"].rstrip("s")) > LONGEST_STOP
    assert int(unit(UNITS[0])["Service"]["TimeoutStopSec"]) > LONGEST_STOP
    assert int(unit(UNITS[1])["Service"]["TimeoutStopSec"]) > serve.STOP_SECONDS


def test_no_secret_stands_in_the_files(compose):
    for path in ("compose.yaml", "Dockerfile", *(f"docs/deploy/{name}" for name in ("Caddyfile", *UNITS))):
        text = (ROOT / path).read_text()
        assert not re.search(r"(PASSWORD|TOKEN|SECRET_KEY|API_KEY)\s*[=:]\s*[A-Za-z0-9]", text), path


# Names


def told() -> set[str]:
    """Every environment variable that the files set."""
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    names = {
        name
        for service, what in compose["services"].items()
        if service not in {"postgres", "caddy"}
        for name in what.get("environment", ())
    }
    dockerfile = (ROOT / "Dockerfile").read_text().split("AS resolutionflow")[1]
    names |= set(re.findall(r"^(?:ENV |    )([A-Z_]+)=", dockerfile, re.M))
    for name in UNITS:
        text = (ROOT / "docs" / "deploy" / name).read_text()
        names |= {pair.split("=")[0] for line in re.findall(r"^Environment=(.*)$", text, re.M) for pair in line.split()}
    return names


def test_every_variable_that_the_files_set_is_one_that_the_product_reads():
    assert len(told()) > 8
    assert told() - NOT_SETTINGS <= set(ours.MAY_BE)


# Dockerfile


def test_the_image_takes_what_runs_and_nothing_else():
    text = (ROOT / "Dockerfile").read_text()
    taken = {words.split()[0] for words in re.findall(r"^COPY (?!--from|requirements)(.*)$", text, re.M)}
    assert taken == {"manage.py", "templates", "static", "analytics", "escalations", "resolutionflow"}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert let_in == taken | {"requirements.lock"}


def test_the_image_runs_as_nobody_in_particular():
    last = (ROOT / "Dockerfile").read_text().rsplit("\nFROM ", 1)[1]
    assert re.search(r"^USER 10001:10001$", last, re.M)
    assert 'CMD ["serve", "--no-worker"]' in last
    assert "apt-get" not in last
    assert "--require-hashes" not in last  # nothing is installed there


# systemd


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(ROOT / "docs" / "deploy" / name)
    return parser


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_hardened(name):
    service = unit(name)["Service"]
    assert service["User"] == "resolutionflow"
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "true"
    assert service["CapabilityBoundingSet"] == ""
    assert service["KillSignal"] == "SIGTERM"


def test_systemd_itself_takes_the_units(tmp_path):
    analyze = shutil.which("systemd-analyze")
    names = []
    for name in UNITS:
        text = (ROOT / "docs" / "deploy" / name).read_text()
        text = text.replace("/opt/resolutionflow/.venv/bin/python", sys.executable)
        names.append(tmp_path / name.replace("@.", "@8001."))
        names[-1].write_text(text)
        assert all(re.fullmatch(r"(#.*|\[\w+\]|[A-Za-z]+=.*|)", line) for line in text.splitlines())
    if analyze:
        done = subprocess.run([analyze, "verify", *names], capture_output=True, text=True, timeout=30)
        complaints = [line for line in done.stderr.splitlines() if "resolutionflow" in line]
        assert (done.returncode, complaints) == (0, [])
