"""The page of the worked example: each of its numbers is computed here again, and none is missing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from apps.engine.evaluate.verdict import Verdict
from apps.engine.values.plan import OrderPlan
from apps.engine.values.position import Bracket, FeeRates, Quote, Side
from apps.engine.values.timeframe import Timeframe
from tests.engine.trade_builder import (
    D,
    account,
    contract,
    entry_of,
    observation,
    plan_or_refusal,
    profile,
    state,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "worked-example.md"
NUMBER = re.compile(r"\d+(?:\.\d+)?")
Numbers = dict[str, str | Decimal]
MAKER, TAKER = D("0.0002"), D("0.0006")


def page(heading: str) -> dict[str, str]:
    """First cell → last cell of every row under `heading`."""
    section = PAGE.read_text("utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("|")
    ]
    cells = [(row[0], row[-1]) for row in rows if row[0] not in ("what", "") and not row[0].startswith("-")]
    assert len(dict(cells)) == len(cells), "a row is named twice"
    return dict(cells)


def told(heading: str) -> list[str]:
    """Every number that the middle cells and the paragraphs under `heading` name."""
    section = PAGE.read_text("utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("|")]
    said = [cell for row in rows for cell in row[2:-2]]
    return [number for cell in said for number in NUMBER.findall(cell.replace("−", "-"))]


def between(trade: Numbers, by: str) -> list[Decimal]:
    """What stands between the rows: the profile's numbers, distances, a contract's loss, fees and ratios."""
    number = {name: value for name, value in trade.items() if isinstance(value, Decimal)}
    entry, stop, target, leave = (number[name] for name in ("entry", "stop", "target", "exit"))
    distance, coins = abs(entry - stop), number["size"] * number["contract size"]
    loss = (distance + entry * (2 * TAKER + D("0.0005"))) * number["contract size"]
    fees = 2 * TAKER * entry
    rules = [value for value in numbers_in(entry_of(by).content()) if value]
    anchor_pivot = number.get("pivot s1 (1d)", D(0)) * D("1.001")
    return [
        *number.values(),
        *rules,
        *(100 * value for value in rules),
        *(distance, loss, fees, coins, leave * coins, MAKER, TAKER, D("0.0005")),
        *(number["risk budget"] / loss, number["notional"] / 100, D("0.5"), entry * D("0.005")),
        *(abs(target - entry), entry - 2 * distance, entry + D("1.8") * distance),
        *(anchor_pivot, D("1.001"), abs(anchor_pivot - entry) / distance, D("2.5"), D(28), D(256), D(100)),
    ]


def numbers_in(content: object) -> list[Decimal]:
    if isinstance(content, dict):
        return [number for value in content.values() for number in numbers_in(value)]
    if isinstance(content, bool) or not isinstance(content, int | float):
        return []
    return [D(repr(content))]


def ready(symbol: str, by: str, side: Side, timeframe: Timeframe, opened_at: datetime) -> Verdict:
    return Verdict(
        symbol=symbol,
        profile=by,
        digest="d" * 64,
        evaluated_at=opened_at + timeframe.duration,
        is_ready=True,
        side=side,
        execution_timeframe=timeframe,
        candle_open_at=opened_at,
        reason=None,
        score=1.0,
        timeframes=(),
    )


def of_plan(plan: OrderPlan) -> Numbers:
    sizing, first = plan.sizing, plan.exits.first_target
    halves = {} if first is None else {"first target": first, "closed there": plan.size // 2}
    return {
        "client order id": plan.client_order_id,
        "zone half width": half_width(plan),
        "zone low": plan.zone.low,
        "zone high": plan.zone.high,
        "entry": plan.entry,
        "stop": plan.stop,
        "stop source": plan.stop_source,
        "risk budget": sizing.risk_budget,
        "size": plan.size,
        "bound by": str(sizing.bound),
        "risk": sizing.risk,
        "notional": sizing.notional,
        "leverage": D(plan.leverage),
        "margin": sizing.margin,
        "liquidation distance": sizing.liquidation_distance,
        "target": plan.target,
        "target source": plan.target_source,
        **halves,
        "expected R net": plan.expected_r_net,
        "cancelled at": f"{plan.expires_at:%H:%M:%S}",
    }


def half_width(plan: OrderPlan) -> Decimal:
    rule = entry_of(plan.profile).zone
    return min(max(rule.k_atr * plan.zone.atr, plan.zone.anchor * rule.w_min), plan.zone.anchor * rule.w_max)


def result(plan: OrderPlan, coins: Decimal, exit_price: Decimal, funding: Decimal) -> Numbers:
    """A maker's entry at the plan's price, a taker's exit; net = gross - fees + funding."""
    sign = 1 if plan.side == Side.LONG else -1
    gross = sign * (exit_price - plan.entry) * coins
    fees = (plan.entry * MAKER, exit_price * TAKER)
    net = gross - sum(fees) * coins + funding
    return {
        "exit": exit_price,
        "gross": gross,
        "entry fee": fees[0] * coins,
        "exit fee": fees[1] * coins,
        "funding": funding,
        "realised": net,
        "R multiple": net / plan.sizing.risk,
    }


def long_trade() -> Numbers:
    opened_at = datetime(2026, 3, 2, 9, 59, tzinfo=UTC)
    now = opened_at + timedelta(seconds=62)
    seen = {Timeframe.M1: {"sma21": 67401.52, "atr": 95.3}, Timeframe.M5: {"atr": 210.6}}
    plan = plan_or_refusal(
        ready("BTCUSDT", "scalper_micro", Side.LONG, Timeframe.M1, opened_at),
        profile("scalper_micro"),
        observation(
            contract=contract(),
            brackets=(Bracket(D(200_000), 100, D("0.005"), D(0)),),
            quote=Quote("BTCUSDT", D("67412.3"), D("67412.4"), D("67410.2"), D("67412.4"), now),
            account=account("1000"),
            features=seen,
            fees=FeeRates(MAKER, TAKER),
        ),
        state(),
        now,
    )
    assert isinstance(plan, OrderPlan)
    coins = plan.size * D("0.001")
    given: Numbers = {
        "sma21 (1m)": D("67401.52"),
        "ATR (5m)": D("210.6"),
        "ATR (1m)": D("95.3"),
        "bid": D("67412.3"),
        "ask": D("67412.4"),
        "mark": D("67410.2"),
        "tick size": D("0.1"),
        "contract size": D("0.001"),
        "maintenance ratio": D("0.005"),
        "equity": D(1000),
    }
    return given | of_plan(plan) | result(plan, coins, plan.target, D(0))


def short_trade() -> Numbers:
    opened_at = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    now = opened_at + timedelta(minutes=15, seconds=2)
    seen = {Timeframe.M15: {"vwap": 3480.55, "atr": 21.4}, Timeframe.D1: {"s1": 3398.1, "s2": 3351.7}}
    plan = plan_or_refusal(
        ready("ETHUSDT", "regular", Side.SHORT, Timeframe.M15, opened_at),
        profile("regular"),
        observation(
            contract=contract(symbol="ETHUSDT", tick_size=D("0.01"), contract_size=D("0.01")),
            brackets=(Bracket(D(100_000), 75, D("0.006"), D(0)),),
            quote=Quote("ETHUSDT", D("3478.20"), D("3478.21"), D("3478.50"), D("3478.21"), now),
            account=account("1000"),
            features=seen,
            fees=FeeRates(MAKER, TAKER),
        ),
        state(),
        now,
    )
    assert isinstance(plan, OrderPlan)
    coins = plan.size * D("0.01")
    given: Numbers = {
        "vwap (15m)": D("3480.55"),
        "ATR (15m)": D("21.4"),
        "pivot s1 (1d)": D("3398.1"),
        "bid": D("3478.20"),
        "ask": D("3478.21"),
        "mark": D("3478.50"),
        "tick size": D("0.01"),
        "contract size": D("0.01"),
        "maintenance ratio": D("0.006"),
        "equity": D(1000),
    }
    return given | of_plan(plan) | result(plan, coins, D("3510.62"), D("0.11"))


@pytest.mark.parametrize(
    ("heading", "trade"),
    [("A long that wins", long_trade()), ("A short that is stopped out", short_trade())],
    ids=["long", "short"],
)
def test_every_number_of_the_page_is_what_the_engine_computes(heading: str, trade: Numbers) -> None:
    written = page(heading)
    assert list(written) == list(trade)
    for name, value in trade.items():
        if isinstance(value, str):
            assert written[name].strip("`") == value, name
            continue
        shown = D(written[name])
        places = D(1).scaleb(int(shown.as_tuple().exponent))
        assert shown == value.quantize(places), (name, value)
        assert len(shown.as_tuple().digits) >= 3 or shown == value, f"{name} is rounded too far: {value}"


@pytest.mark.parametrize(
    ("heading", "by", "trade"),
    [
        ("A long that wins", "scalper_micro", long_trade()),
        ("A short that is stopped out", "regular", short_trade()),
    ],
    ids=["long", "short"],
)
def test_every_number_of_its_explanations_is_one_of_them(heading: str, by: str, trade: Numbers) -> None:
    known = between(trade, by)
    written = [D(number) for number in told(heading)]
    assert len(written) > 60
    strange = [
        number
        for number in written
        if number not in (0, 1, 2, 3)
        and all(
            abs(number_told).quantize(D(1).scaleb(int(number.as_tuple().exponent))) != number
            for number_told in known
        )
    ]
    assert strange == []


def test_the_short_lost_less_than_its_budget_though_its_stop_slipped() -> None:
    trade = short_trade()
    assert isinstance(trade["realised"], Decimal)
    assert isinstance(trade["risk budget"], Decimal)
    assert -trade["realised"] <= trade["risk budget"]
