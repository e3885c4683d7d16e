"""The contract universe: whom each profile judges, and why not the others."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.console.api.error import ErrorAnswer, Unavailable
from apps.console.api.request import Name, Strict, field_error, query_of
from apps.engine.values.errors import TradingError
from apps.insight.universe import UnknownProfile, named_universes, to_json


class UniverseQuery(Strict):
    profile = Name(required=False, help_text="absent: each of MTF_PROFILES")


class ExclusionRow(serializers.Serializer[Any]):
    symbol = serializers.CharField()
    reason = serializers.CharField(help_text="the first filter that leaves it out")
    text = serializers.CharField(help_text="turnover 900,000 < 1,500,000")
    numbers = serializers.DictField()


class UniverseRow(serializers.Serializer[Any]):
    profile = serializers.CharField()
    settings = serializers.DictField(help_text="the universe section of the profile, defaults included")
    contracts = serializers.IntegerField(help_text="how many are stored")
    members = serializers.ListField(child=serializers.CharField())
    excluded = ExclusionRow(many=True)


class UniverseAnswer(serializers.Serializer[Any]):
    results = UniverseRow(many=True)


class Universes(APIView):
    @extend_schema(
        summary="The contracts each profile judges, and why not the others",
        parameters=[UniverseQuery],
        responses={200: UniverseAnswer, 400: ErrorAnswer, 503: ErrorAnswer},
    )
    def get(self, request: Request) -> Response:
        query = query_of(request, UniverseQuery)
        try:
            universes = named_universes(query.get("profile"), timezone.now())
        except UnknownProfile as fault:
            raise field_error("profile", str(fault)) from fault
        except TradingError as fault:  # a profile's file, or MTF_SYMBOLS_TO_WATCH
            raise Unavailable(str(fault)) from fault
        return Response({"results": to_json(universes)})
