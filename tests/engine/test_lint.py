"""Small profiles, and exactly what the linter says of them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from apps.engine.profile import Profile
from apps.engine.profile.lint import Severity, lint

CONDITIONS: dict[str, Any] = {
    "warm": {"params": {"level": 50}, "formula": "rsi > level"},
    "cold": {"params": {"level": 50}, "formula": "rsi < level"},
    "never": {"formula": "1 < 0"},
    "always": {"formula": "1 > 0"},
}
ENTRY: dict[str, Any] = {
    "risk_pct": 1,
    "margin_pct": 10,
    "r_multiple": 2,
    "stop_from": "atr",
    "stop_fallback": "atr",
    "atr_k": 1.5,
    "pivot_sl_policy": "nearest",
    "pivot_sl_buffer_pct": 0.3,
    "tp_buffer_pct": 0.1,
    "tp_min_keep_ratio": 0.95,
    "tp_max_extra_r": 0.5,
    "max_deviation_pct": 0.5,
    "implausible_pct": 2,
    "zone_max_deviation_pct": 1.5,
    "zone": {
        "anchor": "vwap",
        "timeframe": "5m",
        "atr_timeframe": "5m",
        "k_atr": 0.3,
        "w_min": 0.0005,
        "w_max": 0.01,
        "ttl_s": 240,
    },
    "order_ttl_s": 120,
    "exchange_cap": 20,
    "spread_guard_bps": 6,
    "stop_slippage_bps": 5,
    "daily_max_loss_pct": 6,
    "max_concurrent_positions": 4,
    "fees": {"maker": 0.0002, "taker": 0.0006},
}

LONG, BOTH = {"long": ["warm"]}, {"long": ["warm"], "short": ["cold"]}

Found = tuple[str, str, str]


def profile(**changes: Any) -> Profile:
    base: dict[str, Any] = {
        "name": "tiny",
        "validation_mode": "pragmatic",
        "context_timeframes": ["15m"],
        "execution_timeframes": ["5m"],
        "timeframes": {"15m": BOTH, "5m": BOTH},
    }
    return Profile.load(deepcopy(base) | changes, CONDITIONS, "tiny")


def found(of: Profile) -> list[Found]:
    return [(str(finding.severity), finding.path, finding.text) for finding in lint(of)]


def of_long(*items: Any, **changes: Any) -> list[Found]:
    """The findings about one list of 5m, judged alone."""
    alone: dict[str, Any] = {"context_timeframes": ["5m"], "execution_timeframes": []}
    return found(profile(**(alone | {"timeframes": {"5m": {"long": list(items)}}} | changes)))


def of_entry(**changes: Any) -> list[Found]:
    return found(profile(entry=ENTRY | changes))


L0, L1 = "timeframes.5m.long[0]", "timeframes.5m.long[1]"
NEVER = "the long side can never hold: "


def test_a_good_profile_has_no_findings() -> None:
    assert found(profile(entry=ENTRY)) == []


@pytest.mark.parametrize(
    ("items", "findings"),
    [
        (
            ["warm", {"cold": 40}],
            [
                (
                    "error",
                    L0[:-3],
                    f"{NEVER}warm (level: 50) ({L0}) and cold (level: 40) ({L1}) contradict each other",
                )
            ],
        ),
        (
            ["adx > 20", "rsi > 60", {"any_of": ["rsi < 40", "rsi < 30 and adx > 5"]}],
            [
                (
                    "error",
                    L0[:-3],
                    f"{NEVER}rsi > 60 ({L1}) and any_of [rsi < 40, rsi < 30 and adx > 5] "
                    "(timeframes.5m.long[2]) contradict each other",
                ),
            ],
        ),
        (
            ["30 < rsi < 20"],
            [
                ("error", L0[:-3], f"{NEVER}30 < rsi < 20 ({L0}) never does"),
                ("warning", L0, "30 < rsi < 20 can never hold: its parts contradict each other"),
            ],
        ),
        (
            ["rsi > 120"],
            [
                ("error", L0[:-3], f"{NEVER}rsi > 120 ({L0}) never does"),
                ("warning", L0, "rsi > 120 can never hold (rsi is 0…100): mend the threshold"),
            ],
        ),
        (
            [{"any_of": ["adx > 20", "rsi > 120"]}],
            [
                (
                    "warning",
                    f"{L0}.any_of[1]",
                    "rsi > 120 can never hold (rsi is 0…100): mend the threshold",
                )
            ],
        ),
        (
            [{"any_of": ["adx > 20", "rsi < 150"]}],
            [
                (
                    "warning",
                    f"{L0}.any_of[1]",
                    "rsi < 150 always holds (rsi is 0…100): with it the whole list of any does, and decides "
                    "nothing",
                )
            ],
        ),
        (
            ["atr >= 0"],
            [("warning", L0, "atr >= 0 always holds (atr is at least 0): it decides nothing; leave it out")],
        ),
        (
            [{"warm": 130}],
            [
                ("error", L0[:-3], f"{NEVER}warm (level: 130) ({L0}) never does"),
                ("warning", L0, "rsi > 130 can never hold (rsi is 0…100): mend the threshold"),
            ],
        ),
        (
            ["close > 0 and rsi > 50"],
            [("warning", L0, "close > 0 always holds (close is above 0): it decides nothing; leave it out")],
        ),
        (
            ["rsi > 50 or rsi <= 50"],
            [("warning", L0, "rsi > 50 or rsi <= 50 always holds: it decides nothing; leave it out")],
        ),
        (["rsi < 70", "rsi < 80"], [("warning", L1, f"rsi < 80 decides nothing beside rsi < 70 at {L0}")]),
        (["rsi < 80", "rsi < 70"], [("warning", L0, f"rsi < 80 decides nothing beside rsi < 70 at {L1}")]),
        (["rsi < 70", "70 > rsi"], [("warning", L0, f"rsi < 70 decides nothing beside 70 > rsi at {L1}")]),
        (["warm", "warm"], [("warning", L1, f"warm (level: 50) stands in the same list already, at {L0}")]),
        (
            [{"any_of": ["rsi < 70", "rsi < 80"]}],
            [("warning", f"{L0}.any_of[0]", f"rsi < 70 decides nothing beside rsi < 80 at {L0}.any_of[1]")],
        ),
        (["rsi < 70", "adx < 80"], []),
        (["close > ema9", "ema9 > ema21", "close > ema21 and adx > 3"], []),
        ([{"not": "rsi < 30"}, "rsi < 70"], []),
        (["never"], []),
        (["always"], []),
    ],
)
def test_items(items: list[Any], findings: list[Found]) -> None:
    assert of_long(*items) == findings


def test_what_a_definition_says_has_its_path_and_may_be_said_again() -> None:
    rules = {"definitions": {"calm": ["rsi > 60", "adx < 30"]}}
    assert of_long("calm", "rsi > 60", **rules) == []
    [(severity, path, text)] = of_long("calm", "rsi < 40", **rules)
    assert (severity, path) == ("error", "timeframes.5m.long")
    assert text == f"{NEVER}rsi > 60 ({L0}.calm[0]) and rsi < 40 ({L1}) contradict each other"


def test_filters_that_refuse_what_the_rules_want() -> None:
    linted = profile(filters_mandatory={"5m": {"execution": {"long": ["adx > 3", "rsi < 40"]}}})
    path = "filters_mandatory.5m.execution.long"
    both = f"warm (level: 50) ({L0}) and rsi < 40 ({path}[1])"
    refused = f"the filters refuse every long: {both} contradict each other"
    unused = "long can be agreed but never entered: it never holds on 5m"
    assert found(linted) == [("error", path, refused), ("warning", "timeframes.5m.long", unused)]


def test_a_filter_may_repeat_a_rule_but_not_be_empty() -> None:
    assert found(profile(filters_mandatory={"5m": {"long": ["warm"]}})) == []
    severity, path, text = found(profile(filters_mandatory={"5m": {"long": []}}))[0]
    assert (severity, path) == ("error", "filters_mandatory.5m.long")
    assert text == "a filter without items never holds: leave the list out to filter no longs"


@pytest.mark.parametrize(
    ("long", "short", "sides"),
    [
        (["rsi > 50"], ["rsi > 40"], ["long"]),
        (["rsi > 40"], ["rsi > 50"], ["short"]),
        (["rsi > 50"], ["rsi > 50"], ["long", "short"]),
        (["rsi > 50"], ["rsi < 50"], []),
        (["rsi > 50"], ["rsi > 40", "adx > 20"], []),
        (["rsi > 50"], ["close > 0"], []),
    ],
)
def test_sides_that_hold_together(long: list[str], short: list[str], sides: list[str]) -> None:
    linted = profile(
        context_timeframes=["5m"],
        execution_timeframes=[],
        timeframes={"5m": {"long": long, "short": short}},
    )
    certain = [text for severity, _, text in found(linted) if severity == "error"]
    assert certain == [
        f"whenever {side} holds {other} holds too: LONG_AND_SHORT, and no {side} is ever taken"
        for side, other in (("long", "short"), ("short", "long"))
        if side in sides
    ]


def test_a_phases_own_rules_have_their_own_path() -> None:
    rules = {"long": ["warm"], "short": ["cold"], "execution": {"long": ["warm", "cold"]}}
    linted = profile(context_timeframes=["5m"], timeframes={"5m": rules})
    assert [path for _, path, _ in found(linted)] == ["timeframes.5m.execution.long", "timeframes.5m.long"]


@pytest.mark.parametrize(
    ("changes", "findings"),
    [
        (
            {"execution_timeframes": ["1h"], "timeframes": {"15m": BOTH, "1h": BOTH}},
            [
                (
                    "warning",
                    "execution_timeframes",
                    "1h is slower than every context timeframe (the slowest is 15m): the side changes faster "
                    "than what enters on it; add a slower context or enter on 15m",
                )
            ],
        ),
        (
            {"context_timeframes": [], "timeframes": {"5m": BOTH}},
            [("error", "context_timeframes", "there is none: every verdict is no_timeframes_in_config")],
        ),
        (
            {"timeframes": {"15m": BOTH, "5m": {}}},
            [
                (
                    "error",
                    "timeframes.5m",
                    "as execution timeframe it has rules of neither side: it is neutral for ever",
                ),
                (
                    "warning",
                    "timeframes.5m.long",
                    "long can be agreed but never entered: it never holds on 5m",
                ),
                (
                    "warning",
                    "timeframes.5m.short",
                    "short can be agreed but never entered: it never holds on 5m",
                ),
            ],
        ),
        (
            {
                "validation_mode": "strict",
                "context_timeframes": ["1h", "15m"],
                "timeframes": {"1h": LONG, "15m": BOTH, "5m": BOTH},
            },
            [
                (
                    "error",
                    "timeframes.1h.short",
                    "short can never be agreed: strict needs it of every context timeframe, and it never "
                    "holds on 1h; the short rules of 5m are idle",
                )
            ],
        ),
        (
            {"context_timeframes": ["1h", "15m"], "timeframes": {"1h": LONG, "15m": BOTH, "5m": BOTH}},
            [],
        ),
        (
            {"timeframes": {"15m": LONG, "5m": BOTH}},
            [
                (
                    "error",
                    "timeframes.15m.short",
                    "short can never be agreed: pragmatic needs it of a context timeframe, and it never "
                    "holds on 15m; the short rules of 5m are idle",
                )
            ],
        ),
        (
            {"timeframes": {"15m": BOTH, "5m": LONG}},
            [
                (
                    "warning",
                    "timeframes.5m.short",
                    "short can be agreed but never entered: it never holds on 5m",
                )
            ],
        ),
        ({"timeframes": {"15m": LONG, "5m": LONG}}, []),
        (
            {"context_timeframes": ["5m"], "timeframes": {"5m": BOTH}, "grace_s": 30},
            [
                (
                    "warning",
                    "grace_s",
                    "30 has no effect: no context timeframe is 15m or slower; leave it out",
                )
            ],
        ),
        ({"grace_s": 30}, []),
        ({"execution_timeframes": [], "timeframes": {"15m": LONG}}, []),
    ],
)
def test_timeframes_and_sides(changes: dict[str, Any], findings: list[Found]) -> None:
    assert found(profile(**changes)) == findings


R_WRONG = (
    "r1 lies above the day's pivot, on the wrong side of most longs: their stop falls back to atr; take "
)
S_WRONG = (
    "s2 lies below the day's pivot, on the wrong side of most shorts: their stop falls back to atr; take "
)
CHOOSE = "nearest or strongest, which choose by side"


@pytest.mark.parametrize(
    ("changes", "findings"),
    [
        (
            {"stop_from": "pivot", "pivot_sl_policy": "r1"},
            [("warning", "entry.pivot_sl_policy", R_WRONG + CHOOSE)],
        ),
        (
            {"stop_from": "pivot", "pivot_sl_policy": "s2"},
            [("warning", "entry.pivot_sl_policy", S_WRONG + CHOOSE)],
        ),
        ({"stop_from": "pivot", "pivot_sl_policy": "strongest"}, []),
        ({"pivot_sl_policy": "r1"}, []),
        (
            {"r_multiple": 0.5, "fees": {"maker": 0, "taker": 0.002}},
            [
                (
                    "warning",
                    "entry.r_multiple",
                    "at the smallest stop (0.5% of the price) 0.5 R is 0.25%, and in and out costs 0.40%: "
                    "nothing is won; it takes r_multiple above 0.80",
                )
            ],
        ),
        (
            {"tp1_r": 0.5, "fees": {"maker": 0.0002, "taker": 0.002}},
            [
                (
                    "warning",
                    "entry.tp1_r",
                    "at the smallest stop (0.5% of the price) 0.5 R is 0.25%, and in and out costs 0.40%: "
                    "nothing is won; it takes tp1_r above 0.80",
                )
            ],
        ),
        (
            {"trailing": {"atr_k": 2}, "process_tp_sl": False},
            [
                (
                    "warning",
                    "entry.trailing",
                    "no effect: process_tp_sl is false, and a stop stays where it is placed",
                )
            ],
        ),
        (
            {"trailing": {"atr_k": 2}, "max_holding_s": 180},
            [
                (
                    "warning",
                    "entry.trailing",
                    "no effect: a stop moves each 180 s, and max_holding_s 180 ends the position before",
                )
            ],
        ),
        (
            {"risk_pct": 3},
            [
                (
                    "warning",
                    "entry.risk_pct",
                    "3 % cannot be risked on 5m at a stop of 0.5%: that takes 4.48 × equity, and margin_pct "
                    "10 at leverage 20 carries 2.00 × (1.34% at risk); raise margin_pct or lower risk_pct",
                )
            ],
        ),
        (
            {"skip_at_or_below": 20},
            [
                (
                    "error",
                    "entry.skip_at_or_below",
                    "20 refuses every leverage that 5m may have (at most 20): "
                    "leverage_below_threshold for ever",
                )
            ],
        ),
        (
            {"timeframe_caps": {"1h": 10}},
            [("warning", "entry.timeframe_caps.1h", "never used: it is no execution timeframe")],
        ),
        (
            {"max_signal_age_s": 400},
            [
                (
                    "warning",
                    "entry.max_signal_age_s",
                    "400 is longer than a candle of 5m (300 s): by then its next candle has decided anew",
                )
            ],
        ),
        (
            {"order_ttl_s": 1600, "zone": ENTRY["zone"] | {"ttl_s": 1600}},
            [
                (
                    "warning",
                    "entry.order_ttl_s",
                    "1600 lets an order rest for more than 5 candles of the slowest execution timeframe "
                    "(300 s each)",
                )
            ],
        ),
        (
            {"per_symbol_caps": {"^btcusdt$": 5, "BTC/USDT": 5, "^(ETH|BNB)USDT$": 5, "^[a-z]+$": 5}},
            [
                (
                    "warning",
                    f"entry.per_symbol_caps.{pattern}",
                    "no symbol can match: symbols are capital letters and digits, as BTCUSDT",
                )
                for pattern in ("^btcusdt$", "BTC/USDT")
            ],
        ),
    ],
)
def test_entries(changes: dict[str, Any], findings: list[Found]) -> None:
    assert of_entry(**changes) == findings


def test_a_named_pivot_is_right_for_the_one_side_that_is_entered() -> None:
    linted = profile(
        timeframes={"15m": LONG, "5m": LONG}, entry=ENTRY | {"stop_from": "pivot", "pivot_sl_policy": "s1"}
    )
    assert found(linted) == []


def test_indicators_that_nothing_reads_or_that_give_nothing() -> None:
    narrow = {"kind": "squeeze_pro", "kc_scalar_wide": 1.0}
    linted = profile(
        indicators={"idle": {"kind": "cci"}, "odd": narrow, "st": {"kind": "supertrend"}},
        timeframes={"15m": {"long": ["odd.sqzpro > 0"]}, "5m": {"long": ["st.supertd > 0"]}},
    )
    [odd, idle] = lint(linted)
    assert (odd.severity, odd.path) == (Severity.ERROR, "indicators.odd")
    assert odd.text.endswith("gives no value from 600 candles: its parameters do not go together")
    assert (idle.severity, idle.path) == (Severity.WARNING, "indicators.idle")
    assert idle.text == "no rule reads a column of cci(length=14, c=0.015): leave it out"


def test_selections_are_linted_too() -> None:
    linted = profile(
        execution_timeframes=["5m", "1m"],
        timeframes={"15m": BOTH, "5m": BOTH, "1m": BOTH},
        selection={"5m": {"drop_to_lower_if_any": ["adx > 20", "rsi > 120"]}},
    )
    assert found(linted) == [
        (
            "warning",
            "selection.5m.drop_to_lower_if_any[1]",
            "rsi > 120 can never hold (rsi is 0…100): mend the threshold",
        )
    ]
