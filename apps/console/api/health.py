"""For supervisors and load balancers: alive, and ready. No login, and nothing said that would need one."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.console.api.errors import ErrorAnswer, body
from apps.insight.system_status import waiting_for


class HealthAnswer(serializers.Serializer[Any]):
    status = serializers.CharField()


class Open(APIView):
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
            return Response(body("not_ready", "; ".join(missing), {"missing": missing}), status=503)
        return Response({"status": "ready"})
