from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "apps.console"

    def ready(self) -> None:
        """Give the pages of two rooms what other rooms know; a room never imports another."""
        from apps.insight.switch_target import unknown_target
        from apps.market import store as market
        from apps.orders.admin import OrderPlanAdmin
        from apps.switches.forms import SwitchForm

        OrderPlanAdmin.candles = staticmethod(market.candles)
        SwitchForm.unknown_target = staticmethod(unknown_target)
