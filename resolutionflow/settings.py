"""All settings, from the environment (`.env` is read first). An unknown or broken value stops the start.

Every variable has a default that runs offline on one machine; `docs/settings.md` lists them.
"""

import os
import secrets
from pathlib import Path
from typing import Any

import dj_database_url
import environs
from csp.constants import NONCE, NONE, SELF
from marshmallow.validate import Length, Range

from resolutionflow import postgres

BASE_DIR = Path(__file__).resolve().parent.parent

# The environment

env = environs.Env(eager=False)
env.read_env(str(BASE_DIR / ".env"), recurse=False)


def unset_when_empty(*names: str) -> None:
    """`NAME=` in a .env or compose file means "not set"."""
    for name in names:
        if not os.environ.get(name, "x").strip():
            del os.environ[name]


unset_when_empty("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "RESOLUTIONFLOW_DATA_DIR", "ASSESSMENT_MODEL")

DEBUG = env.bool("DEBUG", False)
DATA_DIR = Path(env.str("RESOLUTIONFLOW_DATA_DIR", str(BASE_DIR / ".data"))).absolute()
DATABASE_URL = env.str("DATABASE_URL", "", validate=Length(max=2000))
REDIS_URL = env.str("REDIS_URL", "")
SECRET_KEY = env.str("SECRET_KEY", "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
ASSESSMENT_MODEL = env.str("ASSESSMENT_MODEL", "playbook")
ASSESSMENT_BUDGET_SECONDS = env.float("ASSESSMENT_BUDGET_SECONDS", 5.0, validate=Range(min=0.1, max=60))
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", 20, validate=Range(min=2, max=500))

DEMO_MARK = DATA_DIR / "demo"  # written by `manage.py demo`: this data directory belongs to a demonstration
DEMO = DEMO_MARK.exists()


def broken_settings() -> dict[str, str]:
    """What environs cannot see by itself: values that are well-formed, but that this program does not know."""
    found = {}
    if ASSESSMENT_MODEL not in {"playbook", "none", None}:
        found["ASSESSMENT_MODEL"] = "use playbook (offline, the default) or none"
    if DATABASE_URL and not DATABASE_URL.startswith(("postgres://", "postgresql://")):
        found["DATABASE_URL"] = "use postgresql://user:password@host/database, or leave it unset"
    if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
        found["REDIS_URL"] = "use redis://host:port/0, or leave it unset"
    if DATABASE_URL and not DEBUG and not SECRET_KEY:
        found["SECRET_KEY"] = "must be set when DATABASE_URL is"
    if DEMO and not DEBUG:
        found["DEBUG"] = f"{DATA_DIR} holds a demonstration with known passwords, which is refused with DEBUG off"
    return found


def stop_on_broken_settings() -> None:
    """Exit with one line that names every broken variable and what it may be."""
    try:
        env.seal()
        messages = {}
    except environs.EnvValidationError as error:
        messages = {name: " ".join(map(str, said)) for name, said in (error.error_messages or {}).items()}
    messages |= {} if messages else broken_settings()
    if messages:
        raise SystemExit("Settings: " + "; ".join(f"{name}: {said}" for name, said in messages.items()))


stop_on_broken_settings()


def kept_secret_key() -> str:
    """A secret key of this data directory's own, made at the first start."""
    kept = DATA_DIR / "secret_key"
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(kept, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return kept.read_text()


SECRET_KEY = SECRET_KEY or kept_secret_key()

# Database

EMBEDDED_POSTGRES: Path | None = None if DATABASE_URL else DATA_DIR
DATABASES: dict[str, Any] = {"default": dj_database_url.parse(DATABASE_URL or postgres.url(DATA_DIR))}
DATABASES["default"] |= {
    "CONN_MAX_AGE": 0,  # the pool keeps connections
    "CONN_HEALTH_CHECKS": True,
}
# A pool that tries again for minutes does so ever more rarely, and would find a database that is back a minute late.
DATABASES["default"]["OPTIONS"] = DATABASES["default"].get("OPTIONS", {}) | {
    "pool": {"min_size": 1, "max_size": DATABASE_POOL_SIZE, "timeout": 5, "reconnect_timeout": 4},
    "connect_timeout": 5,
    "options": "-c statement_timeout=20s -c lock_timeout=2s -c idle_in_transaction_session_timeout=30s",
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The application

ROOT_URLCONF = "resolutionflow.urls"
ASGI_APPLICATION = "resolutionflow.asgi.application"
INSTALLED_APPS = [
    "resolutionflow.accounts",
    "resolutionflow",
    "escalations",
    "analytics",
    "resolutionflow.admin_site.ResolutionFlowAdmin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "channels",
    "ninja",
    "django_htmx",
    "csp",
    "axes",
    "pgtrigger",
    "procrastinate.contrib.django",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "resolutionflow.middleware.BodyLimit",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "resolutionflow.middleware.SignedIn",
    "resolutionflow.middleware.Refusals",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": [
                "django.templatetags.static",
                "escalations.templatetags.durations",
            ],
        },
    }
]
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# People

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "escalations:queue"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # a stranger cannot lock a colleague out
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "429.html"
AXES_VERBOSE = False
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_ENGINE = "resolutionflow.accounts.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600

# What a browser may do

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
    # Documentation pages of django-ninja: Swagger writes styles of its own.
    "EXCLUDE_URL_PREFIXES": ("/api/docs",),
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
CSRF_FAILURE_VIEW = "resolutionflow.pages.csrf_failure"

# Static files: no build step; WhiteNoise serves them from where they lie

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 0 if DEBUG else 3600

# Live

CHANNEL_LAYERS: dict[str, Any] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "resolutionflow"},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 5000}}
}

# Work in the background

PROCRASTINATE_WORKER_DEFAULTS = {"delete_jobs": "successful"}

# Logs

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "resolutionflow": {"level": "INFO"},
        "escalations": {"level": "INFO"},
        "django.request": {"level": "ERROR"},
        "django.server": {"level": "WARNING"},
    },
}
