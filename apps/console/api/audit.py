"""The audit: verdicts that changed, newest first."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_view
from rest_framework import serializers

from apps.audit.models import MtfAudit
from apps.console.api.fields import TIMEFRAMES, Name
from apps.console.api.listing import Listing, listed
from apps.console.api.paging import Order, PageQuery, moment, whole


class AuditQuery(PageQuery):
    symbol = Name(required=False)
    profile = Name(required=False)
    run_id = serializers.UUIDField(required=False)
    step = Name(required=False)
    timeframe = serializers.ChoiceField(choices=TIMEFRAMES, required=False)
    cause = Name(required=False)
    since = serializers.DateTimeField(required=False, help_text="written at or after")
    until = serializers.DateTimeField(required=False, help_text="written before")


class AuditRow(serializers.ModelSerializer[MtfAudit]):
    class Meta:
        model = MtfAudit
        fields = (
            "id",
            "symbol",
            "run_id",
            "step",
            "timeframe",
            "cause",
            "details",
            "severity",
            "profile",
            "digest",
            "created_at",
        )


@extend_schema_view(get=listed(AuditQuery, AuditRow, "READY and changed verdicts, newest first"))
class Audit(Listing):
    query = AuditQuery
    row = AuditRow
    order = Order([("created_at", moment), ("id", whole)])

    def rows(self, wanted: dict[str, Any]) -> QuerySet[MtfAudit]:
        names = {"since": "created_at__gte", "until": "created_at__lt"}
        return MtfAudit.objects.filter(**{names.get(key, key): wanted[key] for key in wanted})
