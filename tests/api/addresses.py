"""Every address of the API, by what it takes to use it."""

RUN_ID = "0b6f1c9e-5f0c-4b62-9c0a-3a1b7f3f5a11"

FOR_ANYBODY = ["/healthz", "/readyz"]
FOR_READERS = [
    "/api/mtf/runs",
    f"/api/mtf/runs/{RUN_ID}",
    "/api/mtf/status",
    "/api/mtf/switches",
    "/api/mtf/states",
    "/api/mtf/audit",
    "/api/mtf/explain/BTCUSDT",
    "/api/contracts",
    "/api/klines?symbol=BTCUSDT&timeframe=1m",
    "/api/indicators?symbol=BTCUSDT&timeframe=1m",
    "/api/signals",
    "/api/mtf/order-plans",
    "/api/positions",
    "/api/orders",
    "/api/fills",
    "/api/events",
    "/api/equity",
    "/api/schema/",
]
ACTING = [
    "/api/mtf/run",
    "/api/mtf/switches",
    "/api/mtf/switches/1/toggle",
    "/api/mtf/order-plans/1/approve",
    "/api/mtf/order-plans/1/reject",
]
