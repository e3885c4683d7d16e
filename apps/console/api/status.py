"""What is going on now; and for supervisors and load balancers whether it is alive and ready."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.console.api.error import ErrorAnswer, error_body
from apps.console.api.request import Strict, query_of
from apps.console.api.run import RunRow
from apps.exchange import venue
from apps.feed.models import StreamHealth
from apps.insight.system_status import Pulse, pulse, waiting_for
from apps.live.models import MtfRun
from apps.switches import store as switches


class LastRun(RunRow):
    age_s = serializers.SerializerMethodField(help_text="since the boundary it judges")

    class Meta(RunRow.Meta):
        fields = (*RunRow.Meta.fields, "age_s")  # type: ignore[assignment]  # longer than the parent's

    def get_age_s(self, run: MtfRun) -> float:
        return _age_s(run.minute, self.context["now"])


class ProfileStatus(serializers.Serializer[Pulse]):
    profile = serializers.CharField()
    last_run = LastRun(source="last", allow_null=True)
    missed_minutes = serializers.ListField(
        source="missed", child=serializers.DateTimeField(), help_text="of the last hour, newest first"
    )


class StreamStatus(serializers.ModelSerializer[StreamHealth]):
    age_s = serializers.SerializerMethodField(help_text="since its last sign of life")

    class Meta:
        model = StreamHealth
        fields = (
            "name",
            "connected",
            "symbols",
            "last_message_at",
            "last_candle_at",
            "quote_symbols",
            "last_quote_at",
            "reconnects",
            "fetched",
            "history",
            "started_at",
            "updated_at",
            "age_s",
        )

    def get_age_s(self, stream: StreamHealth) -> float:
        return _age_s(stream.updated_at, self.context["now"])


class StatusAnswer(serializers.Serializer[Any]):
    now = serializers.DateTimeField()
    version = serializers.CharField()
    venue = serializers.CharField()
    mode = serializers.CharField()
    ready = serializers.BooleanField()
    waiting_for = serializers.ListField(child=serializers.CharField(), help_text="why it is not ready")
    scheduler = ProfileStatus(many=True)
    streams = StreamStatus(many=True)
    switches_in_force = serializers.DictField(child=serializers.CharField(), help_text="key → reason")


class Status(APIView):
    @extend_schema(summary="Scheduler, streams, switches, venue and mode", responses=StatusAnswer)
    def get(self, request: Request) -> Response:
        query_of(request, Strict)
        now = timezone.now()
        missing = waiting_for(now)
        status = {
            "now": now,
            "version": settings.SPECTACULAR_SETTINGS["VERSION"],
            "venue": venue.name(),
            "mode": settings.TRADING,
            "ready": not missing,
            "waiting_for": missing,
            "scheduler": [pulse(profile, now) for profile in settings.MTF_PROFILES],
            "streams": StreamHealth.objects.order_by("name"),
            "switches_in_force": switches.off_switches(),
        }
        return Response(StatusAnswer(status, context={"now": now}).data)


class HealthAnswer(serializers.Serializer[Any]):
    status = serializers.CharField()


class Open(APIView):
    """No login, and nothing said that would need one."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class Alive(Open):
    @extend_schema(summary="The web process answers", responses=HealthAnswer, auth=[])
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class Ready(Open):
    @extend_schema(
        summary="Services are up and every profile was decided within 120 s",
        responses={200: HealthAnswer, 503: ErrorAnswer},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        missing = waiting_for(timezone.now())
        if missing:
            return Response(error_body("not_ready", "; ".join(missing), {"missing": missing}), status=503)
        return Response({"status": "ready"})


def _age_s(moment: datetime, now: datetime) -> float:
    return round((now - moment).total_seconds(), 3)
