"""Kill switches: what stops, who said so, and the way to change it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.console.api.error import ErrorAnswer
from apps.console.api.page import Listing, Order, PageQuery, described
from apps.console.api.request import LONGEST_REASON, Name, Strict, StrictBoolean, body_of, field_error
from apps.insight.switch_target import unknown_target
from apps.switches import store
from apps.switches.models import MtfSwitch

MAY_CHANGE = "switches.change_mtfswitch"


class SwitchRow(serializers.ModelSerializer[MtfSwitch]):
    key = serializers.CharField(source="switch_key")
    is_in_force = serializers.BooleanField(help_text="whether it stops anything now")

    class Meta:
        model = MtfSwitch
        fields = (
            "id",
            "key",
            "is_on",
            "is_in_force",
            "reason",
            "changed_by",
            "expires_at",
            "created_at",
            "updated_at",
        )


class ToggleBody(Strict):
    reason = serializers.CharField(max_length=LONGEST_REASON)
    expires_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="an OFF ends by itself at this time"
    )


class SwitchBody(ToggleBody):
    key = Name(max_length=200, help_text="GLOBAL, PROFILE:p, SYMBOL:X or SYMBOL_TF:X:tf")
    is_on = StrictBoolean(default=False, help_text="false stops, true releases")


@described("Kill switches, by key")
class Switches(Listing):
    acting = MAY_CHANGE
    query = PageQuery
    row = SwitchRow
    order = Order([("switch_key", str)], newest_first=False)

    @extend_schema(summary="Set a switch", request=SwitchBody, responses={200: SwitchRow, 400: ErrorAnswer})
    def post(self, request: Request) -> Response:
        change = body_of(request, SwitchBody)
        key = change.pop("key")
        try:
            unknown = None if change["is_on"] else unknown_target(key)
            if unknown is not None:
                raise field_error("key", unknown)
            switch = store.set_switch(key, **change, actor=request.user.get_username())
        except store.InvalidSwitchKey as fault:
            raise field_error("key", str(fault)) from fault
        except store.ReasonMissing as fault:
            raise field_error("reason", str(fault)) from fault
        except ValueError as fault:
            raise field_error("expires_at", str(fault)) from fault
        return Response(SwitchRow(switch).data)


class Toggle(APIView):
    acting = MAY_CHANGE

    @extend_schema(
        summary="Turn a switch the other way",
        request=ToggleBody,
        responses={200: SwitchRow, 404: ErrorAnswer},
    )
    def post(self, request: Request, switch_id: int) -> Response:
        change = body_of(request, ToggleBody)
        try:
            switch = store.toggle_switch(switch_id, **change, actor=request.user.get_username())
        except MtfSwitch.DoesNotExist:
            raise NotFound(f"no switch has the id {switch_id}") from None
        except store.ReasonMissing as fault:
            raise field_error("reason", str(fault)) from fault
        except ValueError as fault:
            raise field_error("expires_at", str(fault)) from fault
        return Response(SwitchRow(switch).data)
