"""What is wrong with a formula, and where."""

from __future__ import annotations

from apps.engine.values.errors import TradingError

SHOWN = 120


class ExpressionError(TradingError):
    """A formula the language does not know. `column` is the 1-based place in `text` (spaces collapsed)."""

    def __init__(self, problem: str, text: str, column: int) -> None:
        shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
        super().__init__(f"column {column}: {problem} in {shown!r}")
        self.problem = problem
        self.column = column
