"""Runs: the list, and one with what it said about each symbol."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.console.api.errors import ErrorAnswer
from apps.console.api.fields import Name, Strict, asked
from apps.console.api.listing import Listing, listed
from apps.console.api.paging import Order, PageQuery, moment, whole
from apps.insight.decision import run_results
from apps.live.enter.outcomes import counted
from apps.live.models import MtfRun, RunStatus, Trigger

STATUSES = [status.value for status in RunStatus]
FIELDS = (
    "run_id",
    "profile",
    "digest",
    "minute",
    "trigger",
    "status",
    "dry_run",
    "options",
    "counts",
    "timings",
    "started_at",
    "finished_at",
    "error",
)


class RunQuery(PageQuery):
    profile = Name(required=False)
    status = serializers.ChoiceField(choices=STATUSES, required=False)
    trigger = serializers.ChoiceField(choices=[trigger.value for trigger in Trigger], required=False)
    since = serializers.DateTimeField(required=False, help_text="started at or after")
    until = serializers.DateTimeField(required=False, help_text="started before")


class RunRow(serializers.ModelSerializer[MtfRun]):
    """`entries` counts what became of what was ready, refusals by their reason."""

    entries = serializers.SerializerMethodField()

    class Meta:
        model = MtfRun
        fields = (*FIELDS, "entries")

    def get_entries(self, run: MtfRun) -> dict[str, int]:
        told = self.context.get("entries") or counted([run])
        return dict(told[run.run_id])


class RunDetail(RunRow):
    summary = serializers.DictField(help_text="of a dry run: its whole answer without the results")
    results = serializers.ListField(child=serializers.DictField(), help_text="per symbol")

    class Meta(RunRow.Meta):
        fields = (*RunRow.Meta.fields, "summary", "results")  # type: ignore[assignment]  # longer than the parent's


@extend_schema_view(get=listed(RunQuery, RunRow, "Runs, newest first"))
class Runs(Listing):
    query = RunQuery
    row = RunRow
    order = Order([("started_at", moment), ("id", whole)])

    def rows(self, wanted: dict[str, Any]) -> QuerySet[MtfRun]:
        names = {"since": "started_at__gte", "until": "started_at__lt"}
        return MtfRun.objects.defer("result").filter(**{names.get(key, key): wanted[key] for key in wanted})

    def beside(self, found: list[MtfRun]) -> dict[str, Any]:
        return {"entries": counted(found)}


class Run(APIView):
    @extend_schema(
        operation_id="api_mtf_one_run_retrieve",
        summary="One run and its results",
        responses={200: RunDetail, 404: ErrorAnswer},
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        asked(request, Strict)
        run = MtfRun.objects.filter(run_id=run_id).first()
        if run is None:
            raise NotFound(f"no run has the id {run_id}")
        summary = {key: value for key, value in (run.result or {}).items() if key != "results"}
        return Response(RunRow(run).data | {"summary": summary, "results": run_results(run)})
