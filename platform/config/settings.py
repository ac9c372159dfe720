"""Django's settings, every one of them from the environment; docs/operating.md lists them.

Embedded (the default) needs nothing: SQLite, loopback, a secret made on first use. With
CONVOLAB_PRODUCTION=1 what is missing or unsafe is refused at the start, by name.
"""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from accounts.rules import *  # noqa: F403 (what of the settings is the same everywhere)
from accounts.rules import STAFF_NAMES
from config.addresses import *  # noqa: F403 (what guests at one address may use)
from config.environment import Environment, address, database, held_in

BASE_DIR = Path(__file__).resolve().parents[2]
env = Environment()

PRODUCTION: bool = env.bool("CONVOLAB_PRODUCTION", default=False)
DEBUG: bool = env.bool("DJANGO_DEBUG", default=False)
VAR = Path(env.str("CONVOLAB_VAR", default=str(BASE_DIR / "var"))).absolute()
FILES_ROOT = Path(env.str("CONVOLAB_FILES", default=str(VAR / "files")))
os.environ.setdefault("CONVOLAB_DATA", str(VAR / "data"))


def _secret_key() -> str:
    """From a file or the environment; embedded, from a file that is made on first use."""
    given = held_in("CONVOLAB_SECRET_KEY_FILE") or env.str("CONVOLAB_SECRET_KEY", default="")
    if PRODUCTION and (len(given) < 50 or "change" in given.lower() or len(set(given)) < 10):
        raise ImproperlyConfigured(
            "CONVOLAB_SECRET_KEY (or the file that CONVOLAB_SECRET_KEY_FILE names) must hold at "
            "least 50 random characters. `make secrets` makes one."
        )
    if given:
        return given
    VAR.mkdir(parents=True, exist_ok=True)
    path = VAR / "secret-key"
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text(encoding="utf-8")


SECRET_KEY = _secret_key()
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DJANGO_DEBUG and CONVOLAB_PRODUCTION exclude each other.")
ALLOWED_HOSTS: list[str] = env.list(
    "CONVOLAB_HOSTS",
    default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]", "testserver"],
)
if PRODUCTION and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("CONVOLAB_HOSTS must name the site's host names, with commas.")
if PRODUCTION and any("*" in host for host in ALLOWED_HOSTS):
    raise ImproperlyConfigured(
        "CONVOLAB_HOSTS must name the site's host names. With * in it anybody's name would do, and "
        "stand in the letters that the site sends. A point before a name takes all below it: "
        ".example.org."
    )
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CONVOLAB_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "simple_history",
    "template_partials",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth.account",
    "accounts",
    "courses",
    "labs",
    "workers",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.caching.keep_nothing",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "labs.views.errors.Refusals",
    "simple_history.middleware.HistoryRequestMiddleware",
]
if env.bool("CONVOLAB_SIGN_IN_REQUIRED", default=False):
    MIDDLEWARE.append("django.contrib.auth.middleware.LoginRequiredMiddleware")
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
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
        },
    },
]


def _database() -> dict[str, Any]:
    url = env.str("DATABASE_URL", default="")
    if url:
        password = held_in("DATABASE_PASSWORD_FILE")
        url = address("DATABASE_URL", url, password, "postgres", "postgresql", "sqlite")
    config = database(url, VAR / "db.sqlite3")
    # Health checks: after a restart of the database the next request must not answer 500.
    kept = {"CONN_MAX_AGE": env.int("CONVOLAB_DB_CONN_MAX_AGE", default=60)}
    return config | kept | {"CONN_HEALTH_CHECKS": True}


DATABASES = {"default": _database()}
# Seconds that a write waits for SQLite's lock; in the web process fewer (config.asgi).
LOCK_PATIENCE = 20.0
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_redis = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
REDIS_URL: str = address(
    "REDIS_URL", _redis, held_in("REDIS_PASSWORD_FILE"), "redis", "rediss", "unix"
)

SIGN_UP: bool = env.bool("CONVOLAB_SIGN_UP", default=True)
RESERVED_NAMES: list[str] = env.list("CONVOLAB_RESERVED_NAMES", default=STAFF_NAMES)
# How often who tries, above all. In this process, so that sign-in needs no Redis; roomy, for what
# a full one drops is forgiven.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}


def _email() -> dict[str, Any]:
    """Without an address, letters go to the log of the web process."""
    url = env.str("CONVOLAB_EMAIL_URL", default="consolemail://")
    url = address("CONVOLAB_EMAIL_URL", url, "", *environ.Env.EMAIL_SCHEMES)
    config: dict[str, Any] = environ.Env.email_url_config(url)
    if password := held_in("CONVOLAB_EMAIL_PASSWORD_FILE"):
        config["EMAIL_HOST_PASSWORD"] = password
    return config


globals().update(_email())
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL: str = env.str("CONVOLAB_EMAIL_FROM", default="convolab@localhost")

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True


def _no_sniffing(headers: Any, *_: Any) -> None:
    headers["X-Content-Type-Options"] = "nosniff"


STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("CONVOLAB_STATIC", default=str(VAR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
SERVESTATIC_USE_FINDERS = not PRODUCTION
SERVESTATIC_AUTOREFRESH = DEBUG
SERVESTATIC_ADD_HEADERS_FUNCTION = _no_sniffing
if PRODUCTION:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
    }

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "labs.views.errors.csrf_failure"
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.int("CONVOLAB_HSTS_SECONDS", default=31_536_000)
    _https = env.bool("CONVOLAB_HTTPS", default=True)
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
    if _https:
        SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
# Whether other names of the domain speak HTTPS is not ours to say (W005, W021); the proxy sends
# from HTTP to HTTPS (W008).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
TRUSTED_PROXIES: int = env.int("CONVOLAB_TRUSTED_PROXIES", default=0)

# A picture of 6 MB travels in a form; the proxy refuses more than 7 MB before Django sees it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DISK_FREE: int = env.int("CONVOLAB_DISK_FREE", default=200_000_000)
UPLOAD_MAX_BYTES: int = env.int("CONVOLAB_UPLOAD_MAX_BYTES", default=6_000_000)

# --- What a learner may use ---
RUNNING_A_LANE: int = env.int("CONVOLAB_RUNNING_A_LANE", default=1)
WAITING_A_LEARNER: int = env.int("CONVOLAB_WAITING_A_LEARNER", default=5)
SECONDS_A_DAY: int = env.int("CONVOLAB_SECONDS_A_DAY", default=3_600)
STREAMS_A_SESSION: int = env.int("CONVOLAB_STREAMS_A_SESSION", default=20)
STARTS_A_MINUTE: int = env.int("CONVOLAB_STARTS_A_MINUTE", default=120)
PICTURES_A_LEARNER: int = env.int("CONVOLAB_PICTURES_A_LEARNER", default=200)
STORAGE_A_LEARNER: int = env.int("CONVOLAB_STORAGE_A_LEARNER", default=100_000_000)
FILES_A_LEARNER: int = env.int("CONVOLAB_FILES_A_LEARNER", default=500_000_000)

# --- The run engine (seconds) ---
LEASE: float = env.float("CONVOLAB_LEASE", default=30)
HEARTBEAT: float = env.float("CONVOLAB_HEARTBEAT", default=5)
HEARTBEAT_LOST: float = env.float("CONVOLAB_HEARTBEAT_LOST", default=25)
CANCEL_GRACE: float = env.float("CONVOLAB_CANCEL_GRACE", default=5)
if not HEARTBEAT < HEARTBEAT_LOST < LEASE:
    raise ImproperlyConfigured(
        "CONVOLAB_HEARTBEAT must be less than CONVOLAB_HEARTBEAT_LOST, and that less than "
        "CONVOLAB_LEASE: a worker must know that its lease is lost before another takes the job."
    )
REAP_EVERY: float = env.float("CONVOLAB_REAP_EVERY", default=10)
TRIES: int = env.int("CONVOLAB_TRIES", default=3)
LOOK_EVERY: float = env.float("CONVOLAB_LOOK_EVERY", default=5)
STREAM_SILENT: float = env.float("CONVOLAB_STREAM_SILENT", default=40)
KEEP_DRAFTS: float = env.float("CONVOLAB_KEEP_DRAFTS", default=3_600)
KEEP_GUESTS: float = env.float("CONVOLAB_KEEP_GUESTS", default=30 * 86_400)
KEEP_ARCHIVES: float = env.float("CONVOLAB_KEEP_ARCHIVES", default=90 * 86_400)
KEEP_UNUSED: float = env.float("CONVOLAB_KEEP_UNUSED", default=86_400)
SESSION_COOKIE_AGE = int(KEEP_GUESTS)  # renewed with each start: accounts.models.learner_of
INTERACTIVE_CHILDREN: int = env.int("CONVOLAB_INTERACTIVE_CHILDREN", default=2)
DEVICE: str = env.str("CONVOLAB_DEVICE", default="auto")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "labs.api.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Convolab",
    "DESCRIPTION": "Start, follow and cancel the runs of labs.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

_level = env.str("CONVOLAB_LOG_LEVEL", default="INFO")
if _level.upper() not in logging.getLevelNamesMapping():
    raise ImproperlyConfigured(
        "CONVOLAB_LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL."
    )

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": _level.upper()},
    "loggers": {"django.server": {"level": "WARNING"}, "httpx": {"level": "WARNING"}},
}
