"""The page about backtesting names every figure, column and option there is."""

from __future__ import annotations

from pathlib import Path

from apps.backtest.export import COLUMNS
from apps.backtest.headline import MEANINGS
from apps.console.management.commands.backtest import Command

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "backtesting.md").read_text("utf-8")
ROWS = [line.split("|")[1].strip() for line in PAGE.splitlines() if line.startswith("| ")]
DJANGOS = {"--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback"}
COLOURS = {"--no-color", "--force-color", "--skip-checks"}


def test_each_figure_has_its_row() -> None:
    named = {name for row in ROWS for name in row.split(", ")}
    assert set(MEANINGS) <= named


def test_each_column_of_the_trades_is_explained_as_in_the_code() -> None:
    for column, meaning in COLUMNS.items():
        assert f"| `{column}` | {meaning} |" in PAGE


def test_each_option_is_named() -> None:
    parser = Command().create_parser("manage.py", "backtest")
    options = {option for action in parser._actions for option in action.option_strings if "--" in option}
    for option in options - DJANGOS - COLOURS:
        assert option in PAGE
