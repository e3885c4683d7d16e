"""`bench backtest`: how many 1m candles a second are judged, by which parts."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator

import pytest

from benchmarks.__main__ import main

DAYS = 4
WHAT = ["backtest", "--profile", "scalper_micro", "--symbols", "1", "--days", str(DAYS)]


@pytest.fixture
def own_garbage_only() -> Iterator[None]:
    """It collects garbage before each of some 60 works: pytest's whole heap need not be searched."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("own_garbage_only")
def test_it_tells_candles_a_second_over_several_repeats_and_where_the_time_goes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*WHAT, "--repeats", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    metrics = result["metrics"]
    assert metrics["signals_n"] == 5
    assert metrics["candles_1m"] == DAYS * 1440
    assert metrics["signals_candles_per_s"] >= metrics["signals_slowest_candles_per_s"] > 0
    assert metrics["ready"] > 0
    assert metrics["rows_judged"] > metrics["candles_1m"], "every close is a row, and 5m has its own"
    assert {"indicators_ms", "rules_ms", "mapping_ms"} <= set(result["stages"])


@pytest.mark.parametrize(
    "wrong", [["--symbols", "17"], ["--symbols", "0"], ["--profile", "clasic"], ["--days", "99"]]
)
def test_a_wrong_argument_names_the_right_ones(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["backtest", *wrong])
    assert ended.value.code == 2
    assert "choose from" in capsys.readouterr().err
