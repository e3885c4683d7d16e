"""All settings, from the environment (see .env.example). A bad or unknown variable stops the start."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import environ

from tradingv3 import env as read
from tradingv3 import logs

BASE_DIR = Path(__file__).resolve().parent.parent
_env = read.load(BASE_DIR)

# --- the servers ---
DATABASE_URL = _env.read("DATABASE_URL", read.url("postgres", "postgresql"), "")
REDIS_URL = _env.read("REDIS_URL", read.url("redis", "rediss", "unix"), "")
if not DATABASE_URL or not REDIS_URL:
    _env.fault(
        "DATABASE_URL, REDIS_URL: neither set nor provided by running embedded servers; "
        "set both, or start them with ./run demo"
    )

# --- Django ---
DEBUG = _env.read("DEBUG", read.boolean, False)
SECRET_KEY = _env.read("SECRET_KEY", read.text, "")
if not SECRET_KEY:
    _env.fault("SECRET_KEY: missing; any long random text will do (./run demo makes its own)")
ALLOWED_HOSTS = _env.read("ALLOWED_HOSTS", read.names, ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = _env.read("CSRF_TRUSTED_ORIGINS", read.names, [])
SECURE_COOKIES = _env.read("SECURE_COOKIES", read.boolean, False)
WEB_DATABASE_CONNECTIONS = _env.read("WEB_DATABASE_CONNECTIONS", read.whole(1, 60), 10, unit="connections")

# --- where it trades ---
VENUE = _env.read("VENUE", read.choice(["simulator", "bitmart"]), "simulator")
TRADING = _env.read(
    "TRADING", read.choice(["dry", "paper", "live"]), "live" if VENUE == "simulator" else "dry"
)
LIVE_TRADING_ENABLED = _env.read("LIVE_TRADING_ENABLED", read.boolean, False)
POSITION_MODE = _env.read("POSITION_MODE", read.choice(["hedge", "one_way"]), "hedge")
DRY_EQUITY_USDT = _env.read("DRY_EQUITY_USDT", read.amount(1, 1_000_000_000), Decimal(1000), unit="USDT")
BITMART_BASE_URL = _env.read("BITMART_BASE_URL", read.url("http", "https"), "")
BITMART_WS_URL = _env.read("BITMART_WS_URL", read.url("ws", "wss"), "")
_play = ("simulator", "simulator-secret", "simulator") if VENUE == "simulator" else ("", "", "")
BITMART_API_KEY = _env.read("BITMART_API_KEY", read.text, _play[0])
BITMART_SECRET_KEY = _env.read("BITMART_SECRET_KEY", read.text, _play[1])
BITMART_API_MEMO = _env.read("BITMART_API_MEMO", read.text, _play[2])
if TRADING == "paper":
    _env.fault("TRADING: paper does not exist yet; dry sends nothing, VENUE=simulator trades play money")
if VENUE == "simulator" and "bitmart.com" in BITMART_BASE_URL + BITMART_WS_URL:
    _env.fault("BITMART_BASE_URL, BITMART_WS_URL: BitMart is no simulator; set VENUE=bitmart to meet it")
if VENUE != "simulator" and TRADING == "live":
    if not LIVE_TRADING_ENABLED:
        _env.fault(f"TRADING: live on {VENUE} risks real money: consent by LIVE_TRADING_ENABLED=true")
    if not (BITMART_API_KEY and BITMART_SECRET_KEY and BITMART_API_MEMO):
        _env.fault("TRADING: live needs BITMART_API_KEY, BITMART_SECRET_KEY and BITMART_API_MEMO")

# --- what the account may risk, over all profiles ---
REVIEW = _env.read("REVIEW", read.choice(["auto", "manual"]), "auto")
MTF_ACCOUNT_DAILY_LOSS_PCT = _env.read(
    "MTF_ACCOUNT_DAILY_LOSS_PCT", read.amount(0, 100), Decimal(6), unit="percent of equity"
)
MTF_ACCOUNT_DRAWDOWN_PCT = _env.read(
    "MTF_ACCOUNT_DRAWDOWN_PCT", read.amount(0, 100), Decimal(15), unit="percent of the peak"
)
MTF_ACCOUNT_SYMBOL_STOP_STREAK = _env.read(
    "MTF_ACCOUNT_SYMBOL_STOP_STREAK", read.whole(1, 1000), 3, unit="stop losses in a row"
)
MTF_ACCOUNT_STOP_STREAK = _env.read(
    "MTF_ACCOUNT_STOP_STREAK", read.whole(1, 1000), 6, unit="stop losses in a row"
)
MTF_ACCOUNT_TOTAL_NOTIONAL_RATIO = _env.read(
    "MTF_ACCOUNT_TOTAL_NOTIONAL_RATIO", read.amount(0, 100), Decimal(6), unit="times equity"
)
MTF_ACCOUNT_DIRECTION_NOTIONAL_RATIO = _env.read(
    "MTF_ACCOUNT_DIRECTION_NOTIONAL_RATIO", read.amount(0, 100), Decimal(4), unit="times equity"
)
MTF_ACCOUNT_ADOPT_FOREIGN = _env.read("MTF_ACCOUNT_ADOPT_FOREIGN", read.boolean, False)
MTF_ACCOUNT_MAX_POSITIONS = _env.read("MTF_ACCOUNT_MAX_POSITIONS", read.whole(0, 1000), 10, unit="positions")

# --- the minute ---
MTF_PROFILES = _env.read("MTF_PROFILES", read.names, ["scalper_micro", "scalper", "regular"])
MTF_PROFILES_DIR = Path(_env.read("MTF_PROFILES_DIR", read.text, str(BASE_DIR / "profiles")))
MTF_SYMBOLS_TO_WATCH: list[str] = _env.read("MTF_SYMBOLS_TO_WATCH", read.names, [])
MTF_MAX_CANDLES_PER_REQUEST = _env.read(
    "MTF_MAX_CANDLES_PER_REQUEST", read.whole(10, 10_000), 1000, unit="candles"
)
MTF_RATE_LIMIT_CAPACITY = _env.read("MTF_RATE_LIMIT_CAPACITY", read.whole(1, 1000), 5, unit="requests")
MTF_RATE_LIMIT_REFILL_RATE = _env.read(
    "MTF_RATE_LIMIT_REFILL_RATE", read.number(0.1, 1000), 1.0, unit="requests"
)
MTF_RATE_LIMIT_REFILL_INTERVAL = _env.read(
    "MTF_RATE_LIMIT_REFILL_INTERVAL", read.number(0.001, 60), 0.1, unit="s per refill"
)

# --- logs ---
LOG_LEVEL = _env.read("LOG_LEVEL", read.choice(["DEBUG", "INFO", "WARNING", "ERROR"]), "INFO")
LOG_FORMAT = _env.read("LOG_FORMAT", read.choice(["console", "json"]), "console")

_env.check()

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "apps.db",
    "apps.admin_base",
    "apps.market",
    "apps.profiles",
    "apps.signals",
    "apps.orders",
    "apps.switches",
    "apps.audit",
    "apps.feed",
    "apps.exchange",
    "apps.live",
    "apps.backtest",
    "apps.insight",
    "apps.console",
]
MIDDLEWARE = [
    "apps.db.release.ReleaseConnection",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "tradingv3.urls"
ASGI_APPLICATION = "tradingv3.asgi.application"
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
            ]
        },
    }
]
DATABASES = {
    "default": environ.Env.db_url_config(DATABASE_URL)
    | {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True, "ENGINE": "django.db.backends.postgresql"}
}
# Nobody waits for a server that does not answer at all: seconds to connect, and for a line that is dead.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    **DATABASES["default"].get("OPTIONS", {}),
}
WEB_POOL = {  # of the web process (tradingv3/asgi.py), in the words of psycopg_pool; times in seconds
    "min_size": 0,
    "max_size": WEB_DATABASE_CONNECTIONS,
    "timeout": 5,  # a reader who got no connection by then is answered 503
    "reconnect_timeout": 0,  # each reader tries anew: a database that is back is used at once
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = ["tradingv3.formats"]
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.console.api.request.MayAct"],
    "DEFAULT_PARSER_CLASSES": ["apps.console.api.request.StrictJSON"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.console.api.error.handle",
    "URL_FORMAT_OVERRIDE": None,
    "NUM_PROXIES": 0,  # throttling believes the connection's address, never a header anyone can send
}
SPECTACULAR_SETTINGS = {
    "TITLE": "TradingV3",
    "DESCRIPTION": "Multi-timeframe futures trading: runs, switches, states and explanations.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "RunStatusEnum": "apps.console.api.run.STATUSES",
        "OrderStatusEnum": "apps.console.api.order.ORDER_STATUSES",
        "PositionStatusEnum": "apps.console.api.order.POSITION_STATUSES",
        "PositionSideEnum": "apps.console.api.order.SIDES",
        "TimeframeEnum": "apps.console.api.request.TIMEFRAMES",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {  # a dead broker is known within a second, not after six
    "max_retries": 2,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.5,
}
CELERY_TASK_ROUTES = ("apps.live.tasks.route",)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_DB_REUSE_MAX = 2**62  # no task connects anew; apps/live/tasks.py gives up what broke
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
DJANGO_CELERY_BEAT_TZ_AWARE = True

UNFOLD = {
    "SITE_TITLE": "TradingV3",
    "SITE_HEADER": "TradingV3",
    "SITE_SUBHEADER": f"{VENUE} · {TRADING} · times in UTC",
    "SITE_URL": None,  # the admin is the site
    "SITE_ICON": f"{STATIC_URL}mtf/icon.svg",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": f"{STATIC_URL}mtf/icon.svg"}],
    "STYLES": [f"{STATIC_URL}mtf/admin.css"],
    "SHOW_HISTORY": False,  # the operator actions are the history
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "apps.console.dashboard.context",
    "SIDEBAR": {"show_search": False, "navigation": "apps.console.navigation.groups"},
}

LOGGING_CONFIG = None
logs.configure(level=LOG_LEVEL, as_json=LOG_FORMAT == "json")
