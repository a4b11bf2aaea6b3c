"""All settings, from the environment (`.env` is read first). An unknown or broken value stops the start.

Every variable has a default that runs offline on one machine; `docs/settings.md` lists them.
"""

import contextlib
import os
import secrets
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import environs
from csp.constants import NONCE, NONE, SELF
from marshmallow import ValidationError
from marshmallow.validate import Range

from resolutionflow import addresses, model_provider, origins, postgres

BASE_DIR = Path(__file__).resolve().parent.parent

# The environment

# How many requests a minute; a demonstration has no limits unless they are set.
limits = {"RATE_LIMIT_USER": "3000/1200", "RATE_LIMIT_ACCOUNT": "12000/6000", "RATE_LIMIT_ADDRESS": "24000/12000"}

# Each variable, and what it may be.
MAY_BE = {
    "DEBUG": "true or false",
    "SECRET_KEY": "a long random text; it must be set when DATABASE_URL is and DEBUG is off",
    "SITE_URL": "https:// and a host name, or several with commas (http:// only with DEBUG)",
    "ALLOWED_HOSTS": "host names, separated by commas",
    "ATTACHMENTS_DIR": "a folder that can be written",
    "ATTACHMENT_MAX_MB": "a whole number from 1 to 100",
    "ATTACHMENT_SCAN_COMMAND": "a program and its arguments, such as clamdscan --no-summary -, or unset for no scan",
    "HOST": "an address of this machine",
    "PORT": "a port from 1 to 65535",
    "RESOLUTIONFLOW_DATA_DIR": "a folder that can be written",
    "DATABASE_URL": "postgresql://user:password@host:port/database, or unset for the embedded PostgreSQL",
    "DATABASE_POOL_SIZE": "a whole number from 2 to 500",
    "DATABASE_ROLE": "a role of the database, none, or unset for one of its own",
    "REDIS_URL": "redis://host:port/0 (or rediss://, unix://; several with commas between), or unset for one process",
    "TRUSTED_PROXIES": "a whole number from 0 to 20, or networks such as 10.0.0.0/8, separated by commas",
    **dict.fromkeys(limits, "READS/WRITES a minute, such as 3000/1200, or off"),
    "LOG_FORMAT": "lines or json",
    "SLOW_CLIENT_SECONDS": "seconds, from 1 to 600",
    "MAX_CONNECTIONS": "a whole number from 10 to 1000000",
    "SOCKETS_PER_USER": "a whole number from 0 (no limit) to 100000",
    "SOCKETS_PER_ACCOUNT": "a whole number from 0 (no limit) to 100000",
    "ASSESSMENT_MODEL": "playbook (the default, offline), none, or provider:model with the provider one of "
    + ", ".join(model_provider.PROVIDERS),
    "ASSESSMENT_BUDGET_SECONDS": "seconds, from 0.1 to 60",
    "METRICS_TOKEN": "a random text of at least 16 characters, or unset: then this machine alone may read /metrics",
    "METRICS_PORT": "a port from 1 to 65535, or unset",
    "STOP_DRAIN_SECONDS": "seconds, from 0 to 300",
    "STOP_SPREAD_SECONDS": "seconds, from 0 to 300",
    "MODEL_CALLS_PER_DAY": "a whole number from 0 to 10000000",
    "MODEL_TOKENS_PER_DAY": "a whole number from 0 to 10000000000",
    "MODEL_CALLS_AT_ONCE": "a whole number from 1 to 100",
    "EMAIL_HOST": "the name of a mail server, or unset for no mail",
    "EMAIL_PORT": "a port from 1 to 65535",
    "EMAIL_SECURITY": "starttls, tls or none",
    "EMAIL_FROM": "an e-mail address, which EMAIL_HOST asks for",
    "REQUIRE_MFA_FOR_ADMIN": "true or false",
    "OIDC_PRIVATE_NETWORKS": "true or false",
    "NOTIFY_PRIVATE_NETWORKS": "true or false",
    **dict.fromkeys(model_provider.KEYS, "the provider's key, which ASSESSMENT_MODEL asks for"),
    **dict.fromkeys(model_provider.URLS, "an address such as http://127.0.0.1:8080/v1"),
}


def is_database_url(value: str) -> bool:
    if not value.startswith(("postgres://", "postgresql://")):
        return False
    return bool(dj_database_url.parse(value)["NAME"])


def is_role_name(value: str) -> bool:
    return value.isprintable() and len(value.encode()) <= 63


def is_redis_url(value: str) -> bool:
    return all(_is_one_redis_url(part.strip()) for part in value.split(","))


def _is_one_redis_url(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme == "unix" or (parts.scheme in {"redis", "rediss"} and parts.port != 0 and bool(parts.netloc))


def is_metrics_token(value: str) -> bool:
    return len(value) >= 16 and value.isascii() and value.isprintable() and " " not in value


def rate_limit(told: str) -> dict[str, int]:
    """`READS/WRITES` a minute; `off`, and 0 for either: no limit. Raises ValueError."""
    reads, _, writes = (told if told != "off" else "0/0").partition("/")
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in (reads, writes)):
        raise ValueError(told)
    return {"reads": int(reads), "writes": int(writes)}


def is_rate_limit(told: str) -> bool:
    return bool(rate_limit(told))


def is_trusted(told: str) -> bool:
    addresses.trusted_proxies(told)
    return True


def is_command(told: str) -> bool:
    return bool(shlex.split(told))


def known(is_known: Callable[[str], bool]) -> Callable[[str], None]:
    """A validator for environs. What is wrong is said by MAY_BE, never by the value: it may hold a password."""

    def check(value: str) -> None:
        with contextlib.suppress(ValueError):  # how parsers of addresses complain
            if not value or is_known(value):
                return
        raise ValidationError("")

    return check


class Environment(environs.Env):
    """The environment, then `.env`; an empty value counts as unset in either."""

    def _get_value(self, env_key: str, default: Any) -> Any:
        told = super()._get_value(env_key, default)
        return default if isinstance(told, str) and not told.strip() else told


env = Environment(eager=False)
env.read_env(str(BASE_DIR / ".env"), recurse=False)

DEBUG = env.bool("DEBUG", False)
DATA_DIR = Path(env.str("RESOLUTIONFLOW_DATA_DIR", str(BASE_DIR / ".data"))).absolute()
# Outside of what is served: only a view that has asked whose it is opens a file there.
ATTACHMENTS_DIR = Path(env.str("ATTACHMENTS_DIR", str(DATA_DIR / "attachments"))).absolute()
ATTACHMENT_MAX_MB = env.int("ATTACHMENT_MAX_MB", 10, validate=Range(min=1, max=100))
ATTACHMENT_SCAN_COMMAND = env.str("ATTACHMENT_SCAN_COMMAND", "", validate=known(is_command))
DATABASE_URL = env.str("DATABASE_URL", "", validate=known(is_database_url))
DATABASE_ROLE = env.str("DATABASE_ROLE", "", validate=known(is_role_name))
REDIS_URL = env.str("REDIS_URL", "", validate=known(is_redis_url))
SECRET_KEY = env.str("SECRET_KEY", "")
SITE_URL = env.str("SITE_URL", "", validate=known(origins.are_addresses))
ALLOWED_HOSTS = [host.strip() for host in env.str("ALLOWED_HOSTS", "").split(",") if host.strip()]
HOST = env.str("HOST", "127.0.0.1")
PORT = env.int("PORT", 8000, validate=Range(min=1, max=65535))
ASSESSMENT_MODEL = env.str("ASSESSMENT_MODEL", "playbook", validate=known(model_provider.is_known))
ASSESSMENT_BUDGET_SECONDS = env.float("ASSESSMENT_BUDGET_SECONDS", 5.0, validate=Range(min=0.1, max=60))
model_variables = {  # not settings: keys of providers that are not in use are nobody's business
    name: env.str(name, "") or "" for name in (*model_provider.KEYS, *model_provider.URLS)
}
# Of each account, unless it has figures of its own
MODEL_CALLS_PER_DAY = env.int("MODEL_CALLS_PER_DAY", 1000, validate=Range(min=0, max=10_000_000))
MODEL_TOKENS_PER_DAY = env.int("MODEL_TOKENS_PER_DAY", 5_000_000, validate=Range(min=0, max=10_000_000_000))
MODEL_CALLS_AT_ONCE = env.int("MODEL_CALLS_AT_ONCE", 4, validate=Range(min=1, max=100))
# 13 s, the page's second of patience and its fetch: nothing is stale for more than 15 s.
LIVE_HEARTBEAT_SECONDS = env.float("LIVE_HEARTBEAT_SECONDS", 13.0, validate=Range(min=0.2, max=15))
WEB_CONCURRENCY = env.int("WEB_CONCURRENCY", 1, validate=Range(min=1, max=1000))
STUCK_CLIENT_SECONDS = env.float("STUCK_CLIENT_SECONDS", 10.0, validate=Range(min=0.1, max=600))
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", 20, validate=Range(min=2, max=500))
EMAIL_HOST = env.str("EMAIL_HOST", "")
EMAIL_PORT = env.int("EMAIL_PORT", 587, validate=Range(min=1, max=65535))
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_SECURITY = env.str("EMAIL_SECURITY", "starttls", validate=known({"starttls", "tls", "none"}.__contains__))
EMAIL_FROM = env.str("EMAIL_FROM", "", validate=known(lambda value: "@" in value))
OIDC_PRIVATE_NETWORKS = env.bool("OIDC_PRIVATE_NETWORKS", DEBUG)
NOTIFY_PRIVATE_NETWORKS = env.bool("NOTIFY_PRIVATE_NETWORKS", DEBUG)
REQUIRE_MFA_FOR_ADMIN = env.bool("REQUIRE_MFA_FOR_ADMIN", not DEBUG)
# Operations. A terminal's Ctrl-C waits for nothing, and neither does a demonstration.
METRICS_TOKEN = env.str("METRICS_TOKEN", "", validate=known(is_metrics_token))
METRICS_PORT = env.int("METRICS_PORT", 0, validate=Range(min=0, max=65535))
STOP_DRAIN_SECONDS = env.float("STOP_DRAIN_SECONDS", 0.0 if DEBUG else 5.0, validate=Range(min=0, max=300))
STOP_SPREAD_SECONDS = env.float("STOP_SPREAD_SECONDS", 0.0 if DEBUG else 5.0, validate=Range(min=0, max=300))

trusted_proxies = env.str("TRUSTED_PROXIES", "0", validate=known(is_trusted))

SLOW_CLIENT_SECONDS = env.float("SLOW_CLIENT_SECONDS", 20.0, validate=Range(min=1, max=600))
MAX_CONNECTIONS = env.int("MAX_CONNECTIONS", 10_000, validate=Range(min=10, max=1_000_000))
LOG_FORMAT = env.str("LOG_FORMAT", "lines" if DEBUG else "json", validate=known({"lines", "json"}.__contains__))

DEMO_MARK = DATA_DIR / "demo"  # written by `manage.py demo`: this data directory belongs to a demonstration
DEMO = os.path.exists(DEMO_MARK)  # noqa: PTH110 False where the folder may not be entered; Path.exists() raises

rate_limits = {
    name: env.str(name, "off" if DEMO else most, validate=known(is_rate_limit)) for name, most in limits.items()
}
# Of one web process, at a time
SOCKETS_PER_USER = env.int("SOCKETS_PER_USER", 0 if DEMO else 100, validate=Range(min=0, max=100_000))
SOCKETS_PER_ACCOUNT = env.int("SOCKETS_PER_ACCOUNT", 0 if DEMO else 5000, validate=Range(min=0, max=100_000))


def broken_settings() -> list[str]:
    """A phrase for every variable that is not what it may be, and for what does not go together."""
    try:
        env.seal()
        broken: set[str] = set()
    except environs.EnvValidationError as error:
        broken = set(error.error_messages or {})
    if DATABASE_URL and not DEBUG and not SECRET_KEY:
        broken.add("SECRET_KEY")
    if EMAIL_HOST and not EMAIL_FROM:
        broken.add("EMAIL_FROM")
    if "http:" in (SITE_URL or "").lower() and not DEBUG:
        broken.add("SITE_URL")
    if "ASSESSMENT_MODEL" not in broken:
        broken.update(model_provider.broken_variables(ASSESSMENT_MODEL, model_variables.__getitem__))
    found = [f"{name} must be {MAY_BE[name]}" for name in MAY_BE if name in broken]
    if DEMO and DEBUG is False:
        found.append(f"DEBUG must be true, for {DATA_DIR} holds a demonstration, whose passwords everybody knows")
    if not found and model_provider.provider_of(ASSESSMENT_MODEL) and not model_provider.packages_are_there():
        found.append("ASSESSMENT_MODEL names a model, for which the packages of the extra “ai” must be installed")
    return found


if broken := broken_settings():
    raise SystemExit(f"Settings: {'; '.join(broken)}.")

TRUSTED_PROXIES = addresses.trusted_proxies(trusted_proxies)
RATE_LIMITS = {name.removeprefix("RATE_LIMIT_").lower(): rate_limit(told) for name, told in rate_limits.items()}


def kept_secret_key() -> str:
    """A secret key of this data directory's own, made at the first start; of two that start at once, one makes it."""
    kept = DATA_DIR / "secret_key"
    try:
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        if not kept.exists():
            with tempfile.NamedTemporaryFile("w", dir=DATA_DIR) as made:  # only its owner may read it
                made.write(secrets.token_urlsafe(50))
                made.flush()
                with contextlib.suppress(FileExistsError):
                    kept.hardlink_to(made.name)  # whole, or not at all
        return kept.read_text()
    except OSError as error:
        raise SystemExit(
            f"Settings: RESOLUTIONFLOW_DATA_DIR must be {MAY_BE['RESOLUTIONFLOW_DATA_DIR']}, which {DATA_DIR} is not"
            f" ({error.strerror})."
        ) from None


SECRET_KEY = SECRET_KEY or kept_secret_key()
MODEL_API_KEY = model_provider.key_of(ASSESSMENT_MODEL, model_variables.__getitem__)
MODEL_BASE_URL = model_provider.base_url_of(ASSESSMENT_MODEL, model_variables.__getitem__)

# Database

EMBEDDED_POSTGRES: Path | None = None if DATABASE_URL else DATA_DIR
DATABASES: dict[str, Any] = {"default": dj_database_url.parse(DATABASE_URL or postgres.url(DATA_DIR))}
DATABASES["default"] |= {
    "ENGINE": "resolutionflow.walls.postgresql",  # whose rows a connection shows: docs/architecture.md, “Two walls”
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

# The site's address

SITES = origins.origins_of(SITE_URL)
HTTPS = not any(site.startswith("http:") for site in SITES) if SITES else not DEBUG
# This machine always: whatever looks after the process asks there for its health.
ALLOWED_HOSTS = ALLOWED_HOSTS or [*map(origins.host_of, SITES), "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = SITES
if SITES and HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # TLS ends at a proxy, which sets this itself
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = ["^(healthz|readyz|metrics)$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True

# The application

ROOT_URLCONF = "resolutionflow.urls"
ASGI_APPLICATION = "resolutionflow.asgi.application"
INSTALLED_APPS = [
    "resolutionflow.accounts",
    "resolutionflow.trail",
    "resolutionflow",
    "resolutionflow.walls",
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
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "pgtrigger",
    "procrastinate.contrib.django",
]
MIDDLEWARE = [
    "resolutionflow.probes.Probes",
    "resolutionflow.middleware.Walled",
    "csp.middleware.CSPMiddleware",
    "resolutionflow.safety.Safety",
    "resolutionflow.static_files.StaticFiles",
    "resolutionflow.middleware.BodyLimit",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "resolutionflow.middleware.Known",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "resolutionflow.limits.door.Limits",
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
                "escalations.templatetags.attachable",
                "escalations.templatetags.clients",
                "escalations.templatetags.durations",
                "escalations.templatetags.hidden",
                "escalations.templatetags.tickets",
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
AXES_USERNAME_FORM_FIELD = "username"  # as the login form has it, not as the model does
AXES_USERNAME_CALLABLE = "resolutionflow.accounts.views.sign_in.who_tries"
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "429.html"
AXES_CLIENT_IP_CALLABLE = "resolutionflow.addresses.of_request"
AXES_VERBOSE = False
# django-allauth does the second step of a sign-in and the reset of a password. Nobody can sign up.
ACCOUNT_ADAPTER = "resolutionflow.accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # whoever is here was invited, or made by an admin
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = {  # counted in CACHES, which all processes share
    "login_failed": "5/5m/key",  # of the second step; the first is django-axes'
    "reauthenticate": "10/5m/user",
    "reset_password": "5/10m/key,100/10m/ip",
    "reset_password_from_key": "100/10m/ip",
}
MFA_ADAPTER = "resolutionflow.accounts.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "ResolutionFlow"
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG
MFA_FORMS = {
    name: f"resolutionflow.accounts.second_step.{form}"
    for name, form in {
        "authenticate": "SignInWithCode",
        "add_webauthn": "AddKey",
        "authenticate_webauthn": "SignInWithKey",
        "reauthenticate_webauthn": "ConfirmWithKey",
    }.items()
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "accounts_tries",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# Mail: the worker sends it; without a server nothing is sent, and pages say so

EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'dummy'}.EmailBackend"
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = EMAIL_SECURITY == "starttls", EMAIL_SECURITY == "tls", 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = EMAIL_FROM or "nobody@localhost"

SESSION_ENGINE = "resolutionflow.accounts.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600

# Cookies: no other host, path or plain connection may set or read one that is called __Host-

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # Strict would sign out whoever follows a link from a ticket
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # no cookie of its own

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
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SILENCED_SYSTEM_CHECKS = ["security.W001"]  # resolutionflow.safety.Safety is the middleware that it looks for
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
CSRF_FAILURE_VIEW = "resolutionflow.pages.csrf_failure"

# Static files: no build step; WhiteNoise serves them from where they lie, under their version

STATIC_URL = "/static/"
STORAGES = {"staticfiles": {"BACKEND": "resolutionflow.static_files.Versioned"}}
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 0  # without its version
WHITENOISE_MIMETYPES = {".svg": "image/svg+xml; charset=utf-8"}
WHITENOISE_ALLOW_ALL_ORIGINS = False

# Live

CHANNEL_LAYERS: dict[str, Any] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [url.strip() for url in REDIS_URL.split(",")], "prefix": "resolutionflow"},
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
    "formatters": {
        "lines": {
            "()": "resolutionflow.logs.Masked",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
        "json": {"()": "resolutionflow.logs.AsJson"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "resolutionflow": {"level": "INFO"},
        "resolutionflow.requests": {"level": "WARNING" if DEBUG else "INFO"},  # one line for each
        "escalations": {"level": "INFO"},
        "django": {"handlers": []},  # only the root's: Django adds one of its own with DEBUG
        "django.request": {"level": "ERROR"},
        "django.server": {"level": "WARNING"},
    },
}
