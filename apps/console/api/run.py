"""Runs: the list, one with what it said about each symbol, and asking the worker for one now."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from kombu.exceptions import OperationalError
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.console.api.error import ErrorAnswer, TooMany, Unavailable, error_body
from apps.console.api.page import Listing, Order, PageQuery, cursor_id, cursor_time, described
from apps.console.api.request import Name, Strict, StrictBoolean, Symbols, body_of, field_error, query_of
from apps.engine.values.timeframe import VALIDATION
from apps.insight.decision import run_results
from apps.live import run_state, tasks
from apps.live.enter.outcome import outcome_counts, result_with_entries
from apps.live.models import MtfRun, RunStatus, Trigger
from apps.live.run_request import InvalidRunRequest, RunRequest, open_requested_run, wait_for_run

WAIT_S = 55
"""How long a caller waits at most, and how long the request may lie in the queue."""
MAY_SEND = "orders.review_orderplan"
BODY_NAMES = {"profile": "mtf_profile"}
"""A run's word → the word of the request's body."""
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
        counts = self.context.get("entries") or outcome_counts([run])
        return dict(counts[run.run_id])


class RunDetail(RunRow):
    summary = serializers.DictField(help_text="of a dry run: its whole answer without the results")
    results = serializers.ListField(child=serializers.DictField(), help_text="per symbol")

    class Meta(RunRow.Meta):
        fields = (*RunRow.Meta.fields, "summary", "results")  # type: ignore[assignment]  # longer than the parent's


@described("Runs, newest first")
class Runs(Listing):
    query = RunQuery
    row = RunRow
    order = Order([("started_at", cursor_time), ("id", cursor_id)])
    time_column = "started_at"

    def rows(self, filters: dict[str, Any]) -> QuerySet[MtfRun]:
        return super().rows(filters).defer("result")

    def row_context(self, page: list[MtfRun]) -> dict[str, Any]:
        return {"entries": outcome_counts(page)}


class Run(APIView):
    @extend_schema(
        operation_id="api_mtf_one_run_retrieve",
        summary="One run and its results",
        responses={200: RunDetail, 404: ErrorAnswer},
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        query_of(request, Strict)
        run = MtfRun.objects.filter(run_id=run_id).first()
        if run is None:
            raise NotFound(f"no run has the id {run_id}")
        summary = {key: value for key, value in (run.result or {}).items() if key != "results"}
        return Response(RunRow(run).data | {"summary": summary, "results": run_results(run)})


class RunBody(Strict):
    symbols = Symbols(required=False, default=None, help_text="absent: the profile's universe")
    dry_run = StrictBoolean(default=True, help_text=f"false sends orders, and needs {MAY_SEND}")
    workers = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="accepted and ignored: parallelism is not the caller's business",
    )
    mtf_profile = Name(default="scalper_micro")
    validation_mode = Name(required=False, allow_null=True, default=None)
    force_run = StrictBoolean(default=False, help_text="ignore kill switches; dry runs only")
    process_tp_sl = StrictBoolean(
        default=True,
        help_text="false: stops of what this run opens stay where they are placed; true: as the profile says",
    )
    timeframe = serializers.ChoiceField(
        choices=[tf.value for tf in VALIDATION], required=False, allow_null=True, default=None
    )
    wait = StrictBoolean(
        default=True, help_text=f"answer with the result, at most {WAIT_S} s; else 202 at once"
    )


class RunAnswer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["success", "partial_success", "error"])
    run_id = serializers.UUIDField()
    summary = serializers.DictField()
    results = serializers.ListField(child=serializers.DictField())
    summary_by_tf = serializers.DictField()
    rejected_by = serializers.DictField()
    orders_placed = serializers.ListField(child=serializers.DictField(), help_text="entries that were sent")
    entries = serializers.ListField(child=serializers.DictField(), help_text="what became of what was ready")
    performance = serializers.DictField()
    errors = serializers.ListField()  # type: ignore[assignment]  # hides Serializer.errors: nobody validates an answer


class RunAccepted(serializers.Serializer[Any]):
    status = serializers.CharField(help_text="accepted")
    run_id = serializers.UUIDField()


class RunNow(APIView):
    acting = "mtf.add_mtfrun"

    @extend_schema(
        summary="Judge symbols now",
        request=RunBody,
        responses={
            200: RunAnswer,
            202: RunAccepted,
            **dict.fromkeys((400, 429, 500, 503), ErrorAnswer),
        },
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, RunBody)
        if not body["dry_run"] and not request.user.has_perm(MAY_SEND):
            raise PermissionDenied(f"a run that sends orders needs the permission {MAY_SEND}")
        names = ("symbols", "validation_mode", "timeframe", "force_run", "dry_run", "process_tp_sl")
        run_request = RunRequest(profile=body["mtf_profile"], **{name: body[name] for name in names})
        try:
            run = open_requested_run(run_request, Trigger.API, timezone.now())
        except InvalidRunRequest as bad:
            raise field_error(BODY_NAMES.get(bad.field, bad.field), str(bad)) from bad
        except run_state.TooManyWaiting as full:
            raise TooMany(str(full)) from full
        try:
            tasks.run_request.apply_async(kwargs={"run_id": str(run.run_id)}, expires=WAIT_S, retry=False)
        except OperationalError as fault:
            run_state.fail_run(run, fault, timezone.now())  # a run nobody can be told of
            message = "the broker does not answer: the run was not started; retry when it is back"
            raise Unavailable(message) from fault

        ended = wait_for_run(run.run_id, timeout_s=WAIT_S) if body["wait"] else None
        if ended is None:
            return Response({"status": "accepted", "run_id": run.run_id}, status=202)
        if ended.result is None:
            message = ended.error or f"the run ended {ended.status} without a result"
            details = {"run_id": str(ended.run_id)}
            return Response(error_body(f"run_{ended.status}", message, details), status=500)
        result = result_with_entries(ended)
        if result["status"] == "error":
            message = "no symbol could be judged; errors says why"
            return Response(result | error_body("nothing_judged", message, result["rejected_by"]), status=500)
        return Response(result)
