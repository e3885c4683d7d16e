"""A plan over the candles it was made on, as one SVG that needs no script."""

from apps.orders.chart.plan import plan_chart, span

__all__ = ["plan_chart", "span"]
