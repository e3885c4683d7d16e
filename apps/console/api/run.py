"""Ask for a run now: it is decided by the worker that decides every minute."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from kombu.exceptions import OperationalError
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.console.api.errors import ErrorAnswer, Unavailable, body, refused
from apps.console.api.fields import Name, Strict, StrictBoolean, Symbols, told
from apps.engine.values.timeframe import VALIDATION
from apps.live import runs, tasks
from apps.live.enter.outcomes import with_entries
from apps.live.models import MtfRun, Trigger
from apps.live.run_requests import Asked, BadAsk, answer, open_asked

WAIT_S = 55
"""How long a caller waits at most, and how long the request may lie in the queue."""
MAY_SEND = "orders.review_orderplan"
ASKED_AS = {"profile": "mtf_profile"}
"""Our word → the word of the request."""


class RunBody(Strict):
    symbols = Symbols(required=False, default=None, help_text="absent: every watched symbol")
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
        default=True, help_text="accepted and ignored: what is held is watched all the time"
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
        responses={200: RunAnswer, 202: RunAccepted, 400: ErrorAnswer, 500: ErrorAnswer, 503: ErrorAnswer},
    )
    def post(self, request: Request) -> Response:
        wanted = told(request, RunBody)
        if not wanted["dry_run"] and not request.user.has_perm(MAY_SEND):
            raise PermissionDenied(f"a run that sends orders needs the permission {MAY_SEND}")
        run = _opened(wanted)
        _enqueue(run)
        ended = answer(run.run_id, timeout_s=WAIT_S) if wanted["wait"] else None
        return (
            Response({"status": "accepted", "run_id": run.run_id}, status=202)
            if ended is None
            else _told(ended)
        )


def _opened(wanted: dict[str, Any]) -> MtfRun:
    asked = Asked(
        profile=wanted["mtf_profile"],
        symbols=wanted["symbols"],
        validation_mode=wanted["validation_mode"],
        timeframe=wanted["timeframe"],
        force_run=wanted["force_run"],
        dry_run=wanted["dry_run"],
    )
    try:
        return open_asked(asked, Trigger.API, timezone.now())
    except BadAsk as bad:
        raise refused(ASKED_AS.get(bad.field, bad.field), str(bad)) from bad


def _enqueue(run: MtfRun) -> None:
    """Hand the run to the worker; a run nobody can be told of has failed."""
    try:
        tasks.asked.apply_async(kwargs={"run_id": str(run.run_id)}, expires=WAIT_S, retry=False)
    except OperationalError as fault:
        runs.failed(run, fault, timezone.now())
        raise Unavailable(
            "the broker does not answer: the run was not started; retry when it is back"
        ) from fault


def _told(run: MtfRun) -> Response:
    if run.result is None:
        message = run.error or f"the run ended {run.status} without a result"
        return Response(body(f"run_{run.status}", message, {"run_id": str(run.run_id)}), status=500)
    result = with_entries(run)
    if result["status"] == "error":
        message = "no symbol could be judged; errors says why"
        return Response(result | body("nothing_judged", message, result["rejected_by"]), status=500)
    return Response(result)
