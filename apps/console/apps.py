from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "apps.console"

    def ready(self) -> None:
        """Give the pages of three rooms what other rooms know; a room never imports another."""
        from apps.console.flatten_page import flatten
        from apps.console.judge_once import judge_once
        from apps.feed.universe import memberships
        from apps.insight.switch_target import unknown_target
        from apps.market import store as market
        from apps.market.admin import ContractAdmin
        from apps.orders.admin import OrderPlanAdmin, PositionAdmin
        from apps.switches.forms import SwitchForm

        OrderPlanAdmin.candles = staticmethod(market.candles)
        SwitchForm.unknown_target = staticmethod(unknown_target)
        ContractAdmin.memberships = staticmethod(memberships)
        PositionAdmin.flatten, PositionAdmin.actions_list = flatten, ("flatten",)
        ContractAdmin.actions = ("lift_blacklist", judge_once)
