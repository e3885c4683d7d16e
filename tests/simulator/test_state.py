"""A second start meets the same market, and nothing bends it silently."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from apps.exchange.simulator.market.state import LIVELY, State, StateError, open_state

FRIDAY = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
NEXT_WEEK = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)


def test_a_second_start_meets_the_same_market(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.json"
    first = open_state(path, now=FRIDAY, day=3, seed=9)
    assert first == State(date(2026, 11, 20), day=3, seed=9)
    assert open_state(path, now=NEXT_WEEK) == first
    assert open_state(path, now=NEXT_WEEK, day=3, seed=9) == first
    assert [each.name for each in path.parent.iterdir()] == ["state.json"]


def test_without_a_file_each_start_begins_today() -> None:
    assert open_state(None, now=FRIDAY).first_day == date(2026, 11, 20)
    assert open_state(None, now=NEXT_WEEK).first_day == date(2026, 11, 27)


@pytest.mark.parametrize(("wish", "message"), [({"day": 4}, "--day 4"), ({"seed": 8}, "--seed 8")])
def test_a_wish_that_contradicts_the_kept_market_is_refused(
    tmp_path: Path, wish: dict[str, int], message: str
) -> None:
    path = tmp_path / "state.json"
    open_state(path, now=FRIDAY, day=3, seed=9)
    before = path.read_text()
    with pytest.raises(StateError, match=message):
        open_state(path, now=NEXT_WEEK, **wish)
    assert path.read_text() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"first_day":"soon","day":1,"seed":1}',
        '{"first_day":"2026-11-20","day":99,"seed":1}',
    ],
)
def test_a_damaged_state_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(StateError):
        open_state(path, now=FRIDAY)
    assert path.read_text() == text


@pytest.mark.parametrize("day", [-1, 24])
def test_a_day_that_is_not_on_the_tape_is_refused(day: int) -> None:
    with pytest.raises(StateError, match="0 to 23"):
        open_state(None, now=FRIDAY, day=day)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=r"file/state\.json"):
        open_state(tmp_path / "file" / "state.json", now=FRIDAY)


def test_a_new_market_plays_the_day_that_is_lively_at_this_time_of_the_day() -> None:
    hours = LIVELY.read_text().split()
    assert [len(hour) for hour in hours] == [60] * 24
    assert open_state(None, now=FRIDAY).day == ord(hours[23][59]) - ord("a")
    assert {letter for hour in hours for letter in hour} <= set("abcdefghijklmnopqrstuvw")
