"""The addresses of the API, of its description, and of the two health checks."""

from django.contrib.auth.decorators import login_required
from django.urls import path, re_path
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import IsAuthenticated

from apps.console.api import (
    audit,
    errors,
    explain,
    health,
    market,
    plans,
    run,
    runs,
    signals,
    states,
    status,
    switches,
    token,
    trading,
)

urlpatterns = [
    path("healthz", health.Alive.as_view()),
    path("readyz", health.Ready.as_view()),
    path("api/token", token.Login.as_view()),
    path("api/mtf/run", run.RunNow.as_view()),
    path("api/mtf/runs", runs.Runs.as_view()),
    path("api/mtf/runs/<uuid:run_id>", runs.Run.as_view()),
    path("api/mtf/status", status.Status.as_view()),
    path("api/mtf/switches", switches.Switches.as_view()),
    path("api/mtf/switches/<int:switch_id>/toggle", switches.Toggle.as_view()),
    path("api/mtf/states", states.States.as_view()),
    path("api/mtf/audit", audit.Audit.as_view()),
    path("api/mtf/explain/<str:symbol>", explain.Explain.as_view()),
    path("api/mtf/order-plans", plans.Plans.as_view()),
    path("api/mtf/order-plans/<int:plan_id>/approve", plans.Approve.as_view()),
    path("api/mtf/order-plans/<int:plan_id>/reject", plans.Reject.as_view()),
    path("api/positions", trading.Positions.as_view()),
    path("api/orders", trading.Orders.as_view()),
    path("api/fills", trading.Fills.as_view()),
    path("api/events", trading.Events.as_view()),
    path("api/equity", trading.Equity.as_view()),
    path("api/contracts", market.Contracts.as_view()),
    path("api/klines", market.Klines.as_view()),
    path("api/indicators", signals.Indicators.as_view()),
    path("api/signals", signals.Signals.as_view()),
    path(
        "api/schema/",
        SpectacularAPIView.as_view(
            permission_classes=[IsAuthenticated], renderer_classes=[OpenApiJsonRenderer2]
        ),
        name="api-schema",
    ),
    path(
        "api/docs/",
        login_required(SpectacularSwaggerView.as_view(url_name="api-schema")),
        name="api-docs",
    ),
    re_path(r"^api(?:/.*)?$", errors.unknown_address),
]
