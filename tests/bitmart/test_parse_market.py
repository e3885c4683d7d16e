from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.values.candle import ImpossibleCandle, Source
from apps.engine.values.timeframe import Timeframe
from apps.exchange.bitmart import parse_market
from apps.exchange.bitmart.json_field import ParseError, Rows
from tests.bitmart import fixtures

NEVER = datetime(2100, 1, 1, tzinfo=UTC)
LIVE_BAR = {
    "low_price": "20090.3",
    "high_price": "20095.5",
    "open_price": "20092.6",
    "close_price": "20091.4",
    "volume": "8748",
    "timestamp": 1665002281,
}
CONTRACT = {
    "symbol": "BTCUSDT",
    "product_type": 1,
    "open_timestamp": 1645977600000,
    "expire_timestamp": 0,
    "settle_timestamp": 0,
    "base_currency": "BTC",
    "quote_currency": "USDT",
    "last_price": "63547.4",
    "volume_24h": "110938430",
    "turnover_24h": "7004836342.6944",
    "index_price": "63587.85404255",
    "contract_size": "0.001",
    "min_leverage": "1",
    "max_leverage": "100",
    "price_precision": "0.1",
    "vol_precision": "1",
    "max_volume": "1000000",
    "market_max_volume": "500000",
    "min_volume": "1",
    "funding_rate": "0.0000801",
    "expected_funding_rate": "-0.0000035",
    "open_interest": "278214",
    "open_interest_value": "17555316.9355496",
    "high_24h": "64109.4",
    "low_24h": "61857.6",
    "change_24h": "0.0239264900886327",
    "funding_interval_hours": 8,
    "funding_time": 1726819200000,
    "status": "Trading",
    "delist_time": 0,
}
MAY_BE_ABSENT = {
    *("open_timestamp", "expire_timestamp", "settle_timestamp", "delist_time", "funding_time"),
    *("market_max_volume", "funding_interval_hours", "status"),
}


def klines(data: Any, timeframe: Timeframe = Timeframe.M1, closed_by: datetime = NEVER) -> Rows[Any]:
    return parse_market.klines(
        data,
        symbol="BTCUSDT",
        timeframe=timeframe,
        contract_size=Decimal("0.001"),
        closed_by=closed_by,
    )


@fixtures.needed
@pytest.mark.parametrize("name", fixtures.names("rest/public_details.*.json"))
def test_every_recorded_contract_is_read(name: str) -> None:
    read = parse_market.contracts(fixtures.load(name)["data"])
    assert not read.faults
    (contract,) = read.values
    assert (contract.symbol, contract.base, contract.quote) == ("BTCUSDT", "BTC", "USDT")
    assert (contract.contract_size, contract.tick_size) == (Decimal("0.001"), Decimal("0.1"))
    assert contract.listed_at is not None
    assert 2020 <= contract.listed_at.year <= 2022


def test_a_contract_is_given_in_our_units() -> None:
    (contract,) = parse_market.contracts({"symbols": [CONTRACT]}).values
    assert contract.is_trading
    assert contract.listed_at == datetime(2022, 2, 27, 16, tzinfo=UTC)
    assert contract.funding_at == datetime(2024, 9, 20, 8, tzinfo=UTC)
    assert (contract.delist_at, contract.expires_at, contract.settles_at) == (None, None, None)
    assert (contract.max_volume, contract.market_max_volume) == (Decimal(1000000), Decimal(500000))
    assert contract.change_24h_ratio == Decimal("0.0239264900886327")
    assert contract.expected_funding_rate_ratio == Decimal("-0.0000035")


def test_a_contract_without_status_is_not_trading() -> None:
    (contract,) = parse_market.contracts({"symbols": [_without(CONTRACT, "status")]}).values
    assert not contract.is_trading


def test_dated_contracts_are_left_out() -> None:
    read = parse_market.contracts({"symbols": [CONTRACT | {"product_type": 2}]})
    assert (read.values, read.faults) == ([], [])


def test_a_contract_whose_sizes_cannot_be_is_dropped_and_the_others_stay() -> None:
    read = parse_market.contracts(
        {"symbols": [CONTRACT | {"symbol": "BADUSDT", "contract_size": "0"}, CONTRACT]}
    )
    assert [contract.symbol for contract in read.values] == ["BTCUSDT"]
    assert "BADUSDT" in str(read.faults[0])


@fixtures.needed
@pytest.mark.parametrize("name", fixtures.names("rest/public_kline.*.json"))
def test_every_recorded_kline_answer_is_read(name: str) -> None:
    data = fixtures.load(name)["data"]
    timeframe = Timeframe.M5 if "2025-05" in name else Timeframe.M1
    read = klines(data, timeframe)
    assert not read.faults
    opens = [candle.open_time for candle in read.values]
    assert opens == sorted({timeframe.floor(moment) for moment in _stamps(data)})
    assert read.values[-1].close == Decimal(data[-1]["close_price"])


def test_a_candle_is_given_in_coins_at_its_own_open_time() -> None:
    (candle,) = klines([LIVE_BAR]).values
    assert candle.open_time == datetime(2022, 10, 5, 20, 38, tzinfo=UTC)
    assert candle.volume == Decimal("8.748")
    assert candle.source is Source.REST


def test_an_open_time_sent_one_second_late_is_the_same_candle() -> None:
    late, aligned = klines([LIVE_BAR]).values, klines([LIVE_BAR | {"timestamp": 1665002280}]).values
    assert late == aligned


@pytest.mark.parametrize(("second", "closed"), [(59, 0), (60, 1)])
def test_the_bar_that_still_forms_is_left_out(second: int, closed: int) -> None:
    closed_by = datetime.fromtimestamp(1665002280 + second, UTC)
    assert len(klines([LIVE_BAR], closed_by=closed_by).values) == closed


def test_candles_rise_and_the_last_row_of_an_open_time_wins() -> None:
    later = LIVE_BAR | {"timestamp": 1665002340}
    corrected = LIVE_BAR | {"close_price": "20093"}
    candles = klines([later, LIVE_BAR, corrected]).values
    assert [candle.open_time.minute for candle in candles] == [38, 39]
    assert candles[0].close == Decimal(20093)


@pytest.mark.parametrize(
    ("wrong", "law"),
    [
        ({"high_price": "20090"}, "high"),
        ({"low_price": "20095"}, "low"),
        ({"open_price": "0"}, "price"),
        ({"volume": "-1"}, "volume"),
        ({"timestamp": 1665002290}, "boundary"),
    ],
)
def test_an_impossible_candle_is_dropped_with_its_law_and_the_others_stay(
    wrong: dict[str, Any], law: str
) -> None:
    read = klines([LIVE_BAR | wrong, LIVE_BAR])
    assert len(read.values) == 1
    (fault,) = read.faults
    assert isinstance(fault, ImpossibleCandle)
    assert fault.law == law


@fixtures.needed
def test_the_servers_time_is_read_in_milliseconds() -> None:
    assert parse_market.server_time_ms(fixtures.load("rest/system_time.json")["data"]) == 1527777538000


WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.text(alphabet="abcxyz _-", max_size=5),
    st.sampled_from(["NaN", "Infinity", "1e99", "-1e-99", "9" * 5000]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
MISSING = object()


@given(st.sampled_from(sorted(set(CONTRACT) - MAY_BE_ABSENT)), st.one_of(st.just(MISSING), WRONG))
def test_a_contract_with_a_wrong_field_is_dropped_with_the_fields_name(field: str, wrong: Any) -> None:
    if field in {"symbol", "base_currency", "quote_currency"} and isinstance(wrong, str) and wrong:
        wrong = 7
    read = parse_market.contracts(
        {"symbols": [CONTRACT | {"symbol": "GOODUSDT"}, _broken(CONTRACT, field, wrong)]}
    )
    assert [contract.symbol for contract in read.values] == ["GOODUSDT"]
    _names(read.faults, field)


@given(st.sampled_from(sorted(MAY_BE_ABSENT - {"status"})))
def test_a_contract_without_an_optional_field_is_read(field: str) -> None:
    assert len(parse_market.contracts({"symbols": [_without(CONTRACT, field)]}).values) == 1


@given(st.sampled_from(sorted(LIVE_BAR)), st.one_of(st.just(MISSING), WRONG))
def test_a_kline_with_a_wrong_field_is_dropped_with_the_fields_name(field: str, wrong: Any) -> None:
    good = LIVE_BAR | {"timestamp": 1665002340}
    read = klines([_broken(LIVE_BAR, field, wrong), good])
    assert len(read.values) == 1
    _names(read.faults, field)


@given(st.one_of(WRONG, st.lists(WRONG, max_size=3)))
def test_data_of_any_shape_never_raises_anything_but_a_parse_error(data: Any) -> None:
    for read in (parse_market.contracts, klines, parse_market.server_time_ms):
        try:
            parsed = read(deepcopy(data))
        except ParseError:
            continue
        assert isinstance(parsed, Rows)
        assert parsed.values == []


def _names(faults: list[Any], field: str) -> None:
    (fault,) = faults
    assert isinstance(fault, ParseError)
    assert fault.field == field
    assert field in str(fault)


def _broken(row: dict[str, Any], field: str, wrong: Any) -> dict[str, Any]:
    return _without(row, field) if wrong is MISSING else row | {field: wrong}


def _without(row: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != field}


def _stamps(data: list[dict[str, Any]]) -> list[datetime]:
    return [datetime.fromtimestamp(row["timestamp"], UTC) for row in data]
