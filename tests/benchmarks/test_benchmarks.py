"""`bench NAME`: finds the benchmark, prints one JSON object or a table, and says so when there is none."""

from __future__ import annotations

import json

import pytest

from benchmarks import indicators
from benchmarks.__main__ import main

SMALL = ["indicators", "--series", "5", "--candles", "250", "--repeats", "1"]


def test_json_is_one_object_with_metrics_stages_machine_and_commit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*SMALL, "--json"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    result = json.loads(line)
    assert set(result) == {"name", "params", "metrics", "stages", "machine", "commit"}
    assert result["name"] == "indicators"
    assert result["params"] == {"series": 5, "candles": 250, "depth": 60, "repeats": 5}
    assert result["metrics"]["n"] == 5
    assert all(result["metrics"][name] > 0 for name in ("median_ms", "p99_ms", "talib_alone_ms", "ratio"))
    assert set(result["machine"]) == {"cpu", "cores", "python", "numpy"}


def test_without_json_a_person_reads_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(SMALL) == 0
    shown = capsys.readouterr().out
    assert "median_ms" in shown
    assert not shown.startswith("{")


def test_an_unknown_name_lists_the_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["indicator"]) == 2
    said = capsys.readouterr().err
    assert "there is no benchmark 'indicator'" in said
    assert "indicators" in said.partition("there are:")[2]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_teaches_with_every_name(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    assert "indicators" in capsys.readouterr().out


def test_a_benchmark_teaches_its_own_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["indicators", "--help"])
    assert ended.value.code == 0
    assert "--candles" in capsys.readouterr().out


@pytest.mark.parametrize(("violations", "code"), [(["BTCUSDT stood naked"], 1), ([], 0)])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_broken_rule_is_said_and_is_the_exit_code(
    violations: list[str],
    code: int,
    form: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    judged = {
        "name": "judged",
        "metrics": {"violations": len(violations)},
        "violations_found": violations,
    }
    monkeypatch.setattr(indicators, "run", lambda args: judged)
    assert main(["indicators", *form]) == code
    assert ("BTCUSDT stood naked" in capsys.readouterr().out) == bool(violations)
