"""Names that are used where vulture cannot see it, and by whom. A name whose reader is gone goes too."""
# fmt: off

# Django, Celery, unfold and DRF read the settings by name.
DEBUG, ALLOWED_HOSTS, CSRF_TRUSTED_ORIGINS, INSTALLED_APPS, MIDDLEWARE, ROOT_URLCONF
ASGI_APPLICATION, TEMPLATES
DEFAULT_AUTO_FIELD, AUTH_PASSWORD_VALIDATORS, LANGUAGE_CODE, TIME_ZONE, USE_TZ, USE_I18N, FORMAT_MODULE_PATH
WHITENOISE_USE_FINDERS, LOGIN_URL, LOGIN_REDIRECT_URL, CSRF_COOKIE_SECURE, SESSION_COOKIE_SECURE
SECURE_CONTENT_TYPE_NOSNIFF, X_FRAME_OPTIONS, LOGGING_CONFIG, REST_FRAMEWORK, UNFOLD
DJANGO_CELERY_BEAT_TZ_AWARE
CELERY_BROKER_URL, CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP, CELERY_BROKER_TRANSPORT_OPTIONS
CELERY_TASK_ROUTES, CELERY_TASK_IGNORE_RESULT, CELERY_TASK_SERIALIZER, CELERY_ACCEPT_CONTENT, CELERY_TIMEZONE
CELERY_WORKER_PREFETCH_MULTIPLIER, CELERY_WORKER_HIJACK_ROOT_LOGGER, CELERY_BEAT_SCHEDULER
CELERY_DB_REUSE_MAX
DATE_FORMAT, TIME_FORMAT, DATETIME_FORMAT, SHORT_DATETIME_FORMAT

# Named by dotted path: the settings, the URLs, venue.py; called by Django.
MayAct, StrictJSON, build_simulator, ReleaseConnection, process_response, handler500, fault_outside

# Connected to a signal of Celery.
give_up_broken_connection

# Columns: stored from a value's fields by name, read by the admin, the export or SQL.
quote_symbols, settles_at, index_price, volume_24h, high_24h, low_24h, open_interest_value
expected_funding_rate_ratio, funding_at
blacklist_reason, zone_low, zone_high, zone_expires_at, risk_budget, liquidation_distance, margin_usdt, wins
reviewed_by, reviewed_at, placed_at, first_seen_at, payload, starts_at, asked_by, taken_at, last_message_at
reconnects, blacklisted_by

# A member of an enum of the tables.
OPENING

# Fields of serializers: DRF reads and fills them.
mtf_profile, summary_by_tf, rejected_by, orders_placed, performance, missed_minutes, scheduler
switches_in_force, username

# The simulator's faults, switched by name in /admin/faults.
answer_429, answer_418, answer_503, drop_answers, empty_lists, fill_after_cancel
user_drop, user_silence, user_duplicate, user_reorder
ws_drop, ws_silence, ws_duplicate, ws_reorder

# Read by a template (the plan's chart), by comparing whole values (pages), by getattr (benchmarks).
bottom, height, timeframe_s, NEEDS_DJANGO

# Set or overridden for a library: requests, uvicorn, logging; the signature of a protocol.
trust_env, should_exit, capture_signals, handlers, __call__

# Read by the interpreter.
dont_write_bytecode

# Read by tests alone: the array form of rolling up, for which the exchange's own candles are proof; what
# every broker's contract promises of a position; when a rate limiter's slot is; of an order of the simulator,
# which the judge of a campaign reads in /admin/books.
roll_up_columns, isolated, at_us, cancelled_by_dead_man

# What the decider is asked for by name, over its pipe.
decide, send_entries, close_all
