"""The order plans, as the desk knows more than their room: the candles they were made on."""

from __future__ import annotations

from datetime import datetime

from django.contrib import admin

from apps.engine.values.candle import Candle
from apps.engine.values.timeframe import Timeframe
from apps.market import store as market
from apps.orders.admin import OrderPlanAdmin
from apps.orders.models import OrderPlan

admin.site.unregister(OrderPlan)


@admin.register(OrderPlan)
class DeskPlanAdmin(OrderPlanAdmin):
    def candles(self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime) -> list[Candle]:
        return market.candles(symbol, timeframe, start, end)
