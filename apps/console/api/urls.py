"""The addresses of the API, of its description, and of the two health checks."""

from django.contrib.auth.decorators import login_required
from django.urls import path, re_path
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import IsAuthenticated

from apps.console.api import close, decision, error, market, order, run, status, switch, token, universe

app_name = "api"

urlpatterns = [
    path("healthz", status.Alive.as_view(), name="alive"),
    path("readyz", status.Ready.as_view(), name="ready"),
    path("api/token", token.Login.as_view(), name="token"),
    path("api/mtf/run", run.RunNow.as_view(), name="run-now"),
    path("api/mtf/runs", run.Runs.as_view(), name="runs"),
    path("api/mtf/runs/<uuid:run_id>", run.Run.as_view(), name="run"),
    path("api/mtf/status", status.Status.as_view(), name="status"),
    path("api/mtf/switches", switch.Switches.as_view(), name="switches"),
    path("api/mtf/switches/<int:switch_id>/toggle", switch.Toggle.as_view(), name="switch-toggle"),
    path("api/mtf/universe", universe.Universes.as_view(), name="universe"),
    path("api/mtf/states", decision.States.as_view(), name="states"),
    path("api/mtf/audit", decision.Audit.as_view(), name="audit"),
    path("api/mtf/explain/<str:symbol>", decision.Explain.as_view(), name="explain"),
    path("api/mtf/order-plans", order.Plans.as_view(), name="order-plans"),
    path("api/mtf/order-plans/<int:plan_id>/approve", order.Approve.as_view(), name="order-plan-approve"),
    path("api/mtf/order-plans/<int:plan_id>/reject", order.Reject.as_view(), name="order-plan-reject"),
    path("api/positions", order.Positions.as_view(), name="positions"),
    path("api/positions/<str:symbol>/close", close.ClosePosition.as_view(), name="position-close"),
    path("api/flatten", close.Flatten.as_view(), name="flatten"),
    path("api/orders", order.Orders.as_view(), name="orders"),
    path("api/fills", order.Fills.as_view(), name="fills"),
    path("api/events", order.Events.as_view(), name="events"),
    path("api/equity", order.Equity.as_view(), name="equity"),
    path("api/contracts", market.Contracts.as_view(), name="contracts"),
    path("api/klines", market.Klines.as_view(), name="klines"),
    path("api/indicators", market.Indicators.as_view(), name="indicators"),
    path("api/signals", decision.Signals.as_view(), name="signals"),
    path(
        "api/schema/",
        SpectacularAPIView.as_view(
            permission_classes=[IsAuthenticated], renderer_classes=[OpenApiJsonRenderer2]
        ),
        name="schema",
    ),
    path(
        "api/docs/",
        login_required(SpectacularSwaggerView.as_view(url_name="api:schema")),
        name="docs",
    ),
    re_path(r"^api(?:/.*)?$", error.unknown_address, name="unknown"),
]
