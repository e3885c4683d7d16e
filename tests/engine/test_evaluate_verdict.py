"""A verdict goes to JSON and back without loss."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from apps.engine.evaluate.outcome import Outcome
from apps.engine.evaluate.verdict import LeafVerdict, TimeframeVerdict, Verdict
from apps.engine.profile import Phase
from apps.engine.values.position import Side
from apps.engine.values.reason import Reason
from apps.engine.values.timeframe import Timeframe

TEXT = st.text(max_size=8)
MOMENT = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (bounds are naive here)
NUMBER = st.none() | st.floats(allow_nan=False, allow_infinity=False)
REASON = st.none() | st.sampled_from(Reason)
SCORE = st.none() | st.floats(0, 1)
LEAF = st.builds(
    LeafVerdict,
    st.sampled_from(Side),
    st.sampled_from(["rule", "filter"]),
    TEXT,
    TEXT,
    NUMBER,
    NUMBER,
    st.none() | st.booleans(),
)
TIMEFRAME = st.builds(
    TimeframeVerdict,
    st.sampled_from(Timeframe),
    st.sampled_from(Phase),
    st.sampled_from(Outcome),
    REASON,
    st.booleans(),
    MOMENT,
    SCORE,
    st.lists(TEXT, max_size=2).map(tuple),
    st.lists(LEAF, max_size=3).map(tuple),
)
VERDICT = st.builds(
    Verdict,
    TEXT,
    TEXT,
    TEXT,
    MOMENT,
    st.booleans(),
    st.none() | st.sampled_from(Side),
    st.none() | st.sampled_from(Timeframe),
    st.none() | MOMENT,
    REASON,
    SCORE,
    st.lists(TIMEFRAME, max_size=3).map(tuple),
)


@given(VERDICT)
def test_a_verdict_survives_json(verdict: Verdict) -> None:
    text = json.dumps(verdict.to_json(), allow_nan=False)
    again = Verdict.from_json(json.loads(text))
    assert again == verdict
    assert [type(outcome.outcome) for outcome in again.timeframes] == [Outcome] * len(verdict.timeframes)
    assert json.dumps(again.to_json()) == text
