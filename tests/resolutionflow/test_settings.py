"""Settings come from the environment: a broken one stops the start with one line that says what it may be.

The settings are loaded by a process of their own, from a copy: this checkout's `.env` is nobody's business here.
"""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from resolutionflow import postgres

ROOT = Path(__file__).parents[2]
TELL = """
import json
from resolutionflow import settings
print(json.dumps([getattr(settings, name) for name in {}], default=str))
"""


class Copy:
    """A copy of what the settings need, with a data directory and a `.env` of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / ".data"
        package = folder / "resolutionflow"
        package.mkdir()
        for name in ("__init__.py", "settings.py", "postgres.py", "model_provider.py", "origins.py", "addresses.py"):
            shutil.copy(ROOT / "resolutionflow" / name, package)

    def start(self, code: str, **environment: str) -> "subprocess.Popen[str]":
        env = {"PATH": os.environ["PATH"], **environment}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, "-c", code], cwd=self.folder, env=env, **pipes)

    def values(self, *names: str, **environment: str) -> list[object]:
        process = self.start(TELL.format(names), **environment)
        said, complaint = process.communicate(timeout=30)
        assert (process.returncode, complaint) == (0, "")
        return json.loads(said)

    def value(self, name: str, **environment: str) -> object:
        return self.values(name, **environment)[0]

    def refusal(self, **environment: str) -> str:
        process = self.start("import resolutionflow.settings", **environment)
        said, complaint = process.communicate(timeout=30)
        assert (process.returncode, said) == (1, "")
        assert len(complaint.splitlines()) == 1, complaint
        assert complaint.startswith("Settings: ")
        return complaint


@pytest.fixture
def copy(tmp_path) -> Copy:
    return Copy(tmp_path)


DEFAULTS = {
    "DEBUG": False,
    "ALLOWED_HOSTS": ["127.0.0.1", "localhost", "[::1]"],
    "HOST": "127.0.0.1",
    "PORT": 8000,
    "DATABASE_URL": "",
    "DATABASE_POOL_SIZE": 20,
    "REDIS_URL": "",
    "ASSESSMENT_MODEL": "playbook",
    "ASSESSMENT_BUDGET_SECONDS": 5.0,
}


@pytest.mark.parametrize("told", [None, "", "  "], ids=["unset", "empty", "spaces"])
def test_what_is_not_told_takes_its_default(copy, told):
    environment = {} if told is None else dict.fromkeys(DEFAULTS, told)
    assert dict(zip(DEFAULTS, copy.values(*DEFAULTS, **environment), strict=True)) == DEFAULTS


GOOD = [
    ("DEBUG", "true", True),
    ("DEBUG", "0", False),
    ("ALLOWED_HOSTS", "desk.example, www.desk.example,,", ["desk.example", "www.desk.example"]),
    ("ALLOWED_HOSTS", "!?", ["!?"]),
    ("PORT", "65535", 65535),
    ("DATABASE_POOL_SIZE", "2", 2),
    ("REDIS_URL", "rediss://:word@cache.example:6380/1", "rediss://:word@cache.example:6380/1"),
    ("REDIS_URL", "unix:///run/redis.sock", "unix:///run/redis.sock"),
    ("REDIS_URL", "redis://one:6379/0,redis://two:6379/0", "redis://one:6379/0,redis://two:6379/0"),
    ("METRICS_TOKEN", "a-long-and-random-text", "a-long-and-random-text"),
    ("STOP_DRAIN_SECONDS", "0", 0.0),
    ("ASSESSMENT_MODEL", "none", "none"),
    ("ASSESSMENT_MODEL", "ollama:qwen3:8b", "ollama:qwen3:8b"),
    ("ASSESSMENT_BUDGET_SECONDS", "0.1", 0.1),
    ("MODEL_CALLS_PER_DAY", "0", 0),
    ("EMAIL_SECURITY", "tls", "tls"),
    ("REQUIRE_MFA_FOR_ADMIN", "false", False),
]


@pytest.mark.parametrize(("name", "told", "value"), GOOD)
def test_a_good_value_is_taken(copy, name, told, value):
    assert copy.value(name, **{name: told}) == value


BROKEN = [
    ("DEBUG", "maybe", "true or false"),
    ("PORT", "abc", "from 1 to 65535"),
    ("PORT", "0", "from 1 to 65535"),
    ("PORT", "99999", "from 1 to 65535"),
    ("ASSESSMENT_MODEL", "foo", "playbook"),
    ("ASSESSMENT_MODEL", "foo:bar", "openai, anthropic, ollama, vllm"),
    ("ASSESSMENT_MODEL", "openai:", "provider:model"),
    ("ASSESSMENT_MODEL", ":gpt", "provider:model"),
    ("MODEL_CALLS_PER_DAY", "-1", "from 0"),
    ("MODEL_TOKENS_PER_DAY", "many", "from 0"),
    ("MODEL_CALLS_AT_ONCE", "0", "from 1"),
    ("ASSESSMENT_BUDGET_SECONDS", "abc", "from 0.1 to 60"),
    ("ASSESSMENT_BUDGET_SECONDS", "-1", "from 0.1 to 60"),
    ("ASSESSMENT_BUDGET_SECONDS", "inf", "from 0.1 to 60"),
    ("ASSESSMENT_BUDGET_SECONDS", "nan", "from 0.1 to 60"),
    ("DATABASE_POOL_SIZE", "1", "from 2 to 500"),
    ("DATABASE_POOL_SIZE", "2.5", "from 2 to 500"),
    ("DATABASE_URL", "garbage", "postgresql://"),
    ("DATABASE_URL", "mysql://root@db.example/desk", "postgresql://"),
    ("DATABASE_URL", "postgresql://me:hush-hush@db.example:port/desk", "postgresql://"),
    ("DATABASE_URL", "postgresql://me:hush-hush@db.example:99999/desk", "postgresql://"),
    ("DATABASE_URL", "postgresql://me:hush-hush@db.example", "postgresql://"),
    ("DATABASE_URL", "postgresql://[db/desk", "postgresql://"),
    ("REDIS_URL", "http://cache.example", "redis://"),
    ("REDIS_URL", "redis://:hush-hush@cache.example:port/0", "redis://"),
    ("REDIS_URL", "redis://[cache", "redis://"),
    ("REDIS_URL", "cache.example:6379", "redis://"),
    ("EMAIL_SECURITY", "ssl", "starttls, tls or none"),
    ("SITE_URL", "desk.example", "https://"),
    ("SITE_URL", "http://desk.example", "only with DEBUG"),
    ("REDIS_URL", "redis://one:6379/0,", "redis://"),
    ("METRICS_TOKEN", "hush-hush", "at least 16 characters"),
    ("METRICS_TOKEN", "hush-hush with spaces in it", "at least 16 characters"),
    ("METRICS_PORT", "99999", "from 1 to 65535"),
    ("STOP_DRAIN_SECONDS", "-1", "from 0 to 300"),
]


@pytest.mark.parametrize(("name", "told", "may_be"), BROKEN)
def test_a_broken_value_stops_the_start_with_one_line(copy, name, told, may_be):
    said = copy.refusal(**{name: told})
    assert f"{name} must be" in said
    assert may_be in said
    assert "hush-hush" not in said
    assert said.count(" must be ") == 1


def test_all_broken_values_are_named_at_once(copy):
    broken = {
        "DEBUG": "maybe",
        "PORT": "x",
        "DATABASE_URL": "x",
        "REDIS_URL": "x",
        "ASSESSMENT_MODEL": "x",
        "ASSESSMENT_BUDGET_SECONDS": "x",
        "DATABASE_POOL_SIZE": "x",
    }
    said = copy.refusal(**broken)
    assert all(f"{name} must be" in said for name in broken)


@pytest.mark.parametrize("command", [["check"], ["serve"], ["migrate"], ["help"]], ids=" ".join)
def test_every_command_stops_at_a_broken_value(command):
    env = {**os.environ, "ASSESSMENT_MODEL": "foo"}
    done = subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "ASSESSMENT_MODEL" in done.stderr


# .env


def test_dotenv_is_read_and_the_environment_wins(copy):
    (copy.folder / ".env").write_text("DATABASE_POOL_SIZE=7\nPORT=9000\nHOST=\n")
    assert copy.value("DATABASE_POOL_SIZE") == 7
    assert copy.value("DATABASE_POOL_SIZE", DATABASE_POOL_SIZE="8") == 8
    assert copy.value("HOST") == "127.0.0.1"


def test_an_empty_variable_means_unset_even_over_dotenv(copy):
    (copy.folder / ".env").write_text("PORT=9000\n")
    assert copy.value("PORT", PORT="") == 8000


def test_a_mail_server_needs_a_sender(copy):
    assert "EMAIL_FROM must be an e-mail address" in copy.refusal(EMAIL_HOST="mail.example")
    told = {"EMAIL_HOST": "mail.example", "EMAIL_FROM": "desk@mail.example"}
    assert copy.value("EMAIL_BACKEND", **told) == "django.core.mail.backends.smtp.EmailBackend"
    assert copy.value("EMAIL_BACKEND") == "django.core.mail.backends.dummy.EmailBackend"


def test_a_broken_value_in_dotenv_stops_the_start(copy):
    (copy.folder / ".env").write_text("PORT=ninety\n")
    assert "PORT must be" in copy.refusal()


# Models


@pytest.mark.parametrize(
    ("told", "missing"),
    [
        ({"ASSESSMENT_MODEL": "openai:gpt"}, "OPENAI_API_KEY"),
        ({"ASSESSMENT_MODEL": "anthropic:claude"}, "ANTHROPIC_API_KEY"),
        ({"ASSESSMENT_MODEL": "vllm:qwen"}, "VLLM_BASE_URL"),
        (
            {"ASSESSMENT_MODEL": "openai:gpt", "OPENAI_API_KEY": "hush-hush", "OPENAI_BASE_URL": "here"},
            "OPENAI_BASE_URL",
        ),
        ({"ASSESSMENT_MODEL": "ollama:qwen", "OLLAMA_BASE_URL": "http://[x"}, "OLLAMA_BASE_URL"),
    ],
    ids=["no key", "no key of Anthropic's", "no address", "no web address", "a broken address"],
)
def test_a_model_without_what_its_provider_needs_stops_the_start_with_one_line(copy, told, missing):
    said = copy.refusal(**told)
    assert f"{missing} must be" in said
    assert "hush-hush" not in said
    assert said.count(" must be ") == 1


def test_what_other_providers_variables_say_is_nobodys_business(copy):
    assert copy.value("ASSESSMENT_MODEL", OPENAI_BASE_URL="nonsense") == "playbook"
    assert copy.value("MODEL_API_KEY", ASSESSMENT_MODEL="ollama:qwen", OPENAI_API_KEY="a-key") == ""


def test_a_models_key_and_address_are_read_from_dotenv_too(copy):
    (copy.folder / ".env").write_text("OPENAI_API_KEY=from-file\nOPENAI_BASE_URL=http://10.0.0.9/v1\n")
    assert copy.value("MODEL_API_KEY", ASSESSMENT_MODEL="openai:gpt") == "from-file"
    assert copy.value("MODEL_BASE_URL", ASSESSMENT_MODEL="openai:gpt") == "http://10.0.0.9/v1"
    assert copy.value("MODEL_API_KEY", ASSESSMENT_MODEL="openai:gpt", OPENAI_API_KEY="told") == "told"


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("", "http://127.0.0.1:11434/v1"),
        ("http://10.0.0.7:11434", "http://10.0.0.7:11434/v1"),
        ("http://x/y", "http://x/y"),
    ],
    ids=["this machine", "without a path", "with a path"],
)
def test_ollama_is_found_where_it_usually_listens(copy, told, address):
    assert copy.value("MODEL_BASE_URL", ASSESSMENT_MODEL="ollama:qwen", OLLAMA_BASE_URL=told) == address


# The database


def test_without_an_address_the_embedded_server_of_the_data_directory_is_used(copy, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    database = copy.value("DATABASES", RESOLUTIONFLOW_DATA_DIR=str(elsewhere))["default"]
    assert postgres.url(elsewhere).endswith(f"?host={database['OPTIONS']['host']}")
    assert copy.value("EMBEDDED_POSTGRES") == str(copy.data_dir)


def test_an_address_with_odd_letters_in_its_password_is_understood(copy):
    url = "postgresql://me:p%40ss%2F%3A@db.example:6543/desk?sslmode=require"
    database = copy.value("DATABASES", DATABASE_URL=url, SECRET_KEY="k")["default"]
    assert (database["PASSWORD"], database["PORT"], database["NAME"]) == ("p@ss/:", 6543, "desk")
    assert database["OPTIONS"]["sslmode"] == "require"
    assert copy.value("EMBEDDED_POSTGRES", DATABASE_URL=url, SECRET_KEY="k") is None


# The secret key and the data directory


def test_the_secret_key_is_made_once_kept_and_private(copy):
    made = copy.value("SECRET_KEY")
    kept = copy.data_dir / "secret_key"
    assert len(made) >= 50
    assert kept.read_text() == made == copy.value("SECRET_KEY")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in copy.data_dir.iterdir()] == ["secret_key"]


def test_starts_at_the_same_time_agree_on_one_secret_key(copy):
    processes = [copy.start(TELL.format("SECRET_KEY")) for _ in range(8)]
    assert len({process.communicate(timeout=60) for process in processes}) == 1


def test_a_secret_key_that_is_told_is_not_kept(copy):
    assert copy.value("SECRET_KEY", SECRET_KEY="told") == "told"
    assert not copy.data_dir.exists()


def test_a_database_elsewhere_needs_a_secret_key_of_its_own(copy):
    assert "SECRET_KEY must be" in copy.refusal(DATABASE_URL="postgresql://me@db.example/desk")
    assert copy.value("DEBUG", DATABASE_URL="postgresql://me@db.example/desk", SECRET_KEY="k") is False


def test_a_data_directory_that_cannot_be_is_refused(copy):
    (copy.folder / "file").write_text("")
    assert "RESOLUTIONFLOW_DATA_DIR must be" in copy.refusal(RESOLUTIONFLOW_DATA_DIR=str(copy.folder / "file"))
    assert "RESOLUTIONFLOW_DATA_DIR must be" in copy.refusal(RESOLUTIONFLOW_DATA_DIR=str(copy.folder / "file/deeper"))


def test_a_demonstration_is_refused_with_debug_off(copy):
    copy.data_dir.mkdir()
    (copy.data_dir / "demo").write_text("")
    assert copy.value("DEMO", DEBUG="true") is True
    said = copy.refusal()
    assert "DEBUG must be true" in said
    assert str(copy.data_dir) in said
    assert "DEBUG must be true" in copy.refusal(DATABASE_URL="postgresql://me@db.example/desk", SECRET_KEY="k")


def test_without_a_demonstration_there_is_no_demo(copy):
    assert copy.value("DEMO") is False


# The site's address

FROM_THE_ADDRESS = (
    "import json; from resolutionflow import settings as s; print(json.dumps([s.ALLOWED_HOSTS, s.CSRF_TRUSTED_ORIGINS,"
    " s.SITES, s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE,"
    " hasattr(s, 'SECURE_HSTS_SECONDS'), hasattr(s, 'SECURE_PROXY_SSL_HEADER')]))"
)
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
TLS = ["__Host-sessionid", "__Host-csrftoken", True, True]
IN_CLEAR = ["sessionid", "csrftoken", False, False]


@pytest.mark.parametrize(
    ("environment", "follows"),
    [
        ({"DEBUG": "true"}, [LOOPBACK, [], [], *IN_CLEAR, False, False]),
        ({}, [LOOPBACK, [], [], *TLS, False, False]),
        (
            {"SITE_URL": "https://Desk.example.org/, https://desk.example.net:8443"},
            [
                ["desk.example.org", "desk.example.net", *LOOPBACK],
                *[["https://desk.example.org", "https://desk.example.net:8443"]] * 2,
                *TLS,
                True,
                True,
            ],
        ),
        (
            {"SITE_URL": "http://box.local:8000", "DEBUG": "true", "ALLOWED_HOSTS": "box.local"},
            [["box.local"], *[["http://box.local:8000"]] * 2, *IN_CLEAR, False, False],
        ),
    ],
    ids=["demonstration", "unset", "https", "http"],
)
def test_hosts_origins_cookies_and_tls_follow_from_the_address(copy, environment, follows):
    said, complaint = copy.start(FROM_THE_ADDRESS, **environment).communicate(timeout=30)
    assert complaint == ""
    assert json.loads(said) == follows
