"""Every address of the API, by what it takes to use it; its paths are written out here once."""

from django.urls import reverse

RUN_ID = "0b6f1c9e-5f0c-4b62-9c0a-3a1b7f3f5a11"
PATHS = {
    "alive": "/healthz",
    "ready": "/readyz",
    "token": "/api/token",
    "run-now": "/api/mtf/run",
    "runs": "/api/mtf/runs",
    "run": "/api/mtf/runs/{run_id}",
    "status": "/api/mtf/status",
    "switches": "/api/mtf/switches",
    "switch-toggle": "/api/mtf/switches/{switch_id}/toggle",
    "universe": "/api/mtf/universe",
    "states": "/api/mtf/states",
    "audit": "/api/mtf/audit",
    "explain": "/api/mtf/explain/{symbol}",
    "order-plans": "/api/mtf/order-plans",
    "order-plan-approve": "/api/mtf/order-plans/{plan_id}/approve",
    "order-plan-reject": "/api/mtf/order-plans/{plan_id}/reject",
    "positions": "/api/positions",
    "position-close": "/api/positions/{symbol}/close",
    "flatten": "/api/flatten",
    "orders": "/api/orders",
    "fills": "/api/fills",
    "events": "/api/events",
    "equity": "/api/equity",
    "contracts": "/api/contracts",
    "klines": "/api/klines",
    "indicators": "/api/indicators",
    "signals": "/api/signals",
    "schema": "/api/schema/",
    "docs": "/api/docs/",
}
"""The name of a path in the URLs → the path as it is documented."""
ARGUMENTS = {"run_id": RUN_ID, "switch_id": 1, "plan_id": 1, "symbol": "BTCUSDT"}

FOR_ANYBODY = [reverse("api:alive"), reverse("api:ready")]
FOR_READERS = [
    reverse("api:runs"),
    reverse("api:run", args=[RUN_ID]),
    reverse("api:status"),
    reverse("api:switches"),
    reverse("api:universe"),
    reverse("api:states"),
    reverse("api:audit"),
    reverse("api:explain", args=["BTCUSDT"]),
    reverse("api:contracts"),
    reverse("api:klines") + "?symbol=BTCUSDT&timeframe=1m",
    reverse("api:indicators") + "?symbol=BTCUSDT&timeframe=1m",
    reverse("api:signals"),
    reverse("api:order-plans"),
    reverse("api:positions"),
    reverse("api:orders"),
    reverse("api:fills"),
    reverse("api:events"),
    reverse("api:equity"),
    reverse("api:schema"),
]
ACTING = [
    reverse("api:run-now"),
    reverse("api:switches"),
    reverse("api:switch-toggle", args=[1]),
    reverse("api:order-plan-approve", args=[1]),
    reverse("api:order-plan-reject", args=[1]),
    reverse("api:position-close", args=["BTCUSDT"]),
    reverse("api:flatten"),
]
