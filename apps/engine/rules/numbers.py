"""The white list for numbers: constants, parameters, columns, arithmetic, on(…)."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from apps.engine.indicators.compute import COLUMNS
from apps.engine.indicators.declared import Extra
from apps.engine.indicators.pivots import PIVOTS
from apps.engine.rules.errors import ExpressionError
from apps.engine.rules.names import FUNCTIONS, HISTORY, METRICS
from apps.engine.rules.term import Apply, Column, Number, Term
from apps.engine.values.errors import suggestion
from apps.engine.values.timeframe import Timeframe

MAX_NESTING = 50
MAX_LAG = 59
"""How far one timeframe may be looked back, in its own candles."""

ARITHMETIC: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _smallest(*values: Any) -> Any:
    return reduce(np.minimum, values)


def _largest(*values: Any) -> Any:
    return reduce(np.maximum, values)


CALLS: dict[str, Callable[..., Any]] = {"abs": np.abs, "min": _smallest, "max": _largest}


class Numbers:
    """Reads the numbers of one formula. `used` collects the parameters met."""

    def __init__(
        self,
        text: str,
        parameters: Mapping[str, float],
        metrics: Mapping[str, Term],
        extras: Mapping[str, Extra],
    ) -> None:
        self.used: set[str] = set()
        self._text = text
        self._parameters = parameters
        self._metrics = metrics
        self._extras = extras

    def term(self, node: ast.expr, depth: int, timeframe: Timeframe | None = None) -> Term:
        self.check_depth(node, depth)
        match node:
            case ast.Constant(value=int() | float()):
                return Number(self._number(node))
            case ast.Name(id=name):
                return (
                    Number(self._parameter(name))
                    if name in self._parameters
                    else self._column(node, node, 0, timeframe)
                )
            case ast.Subscript(value=ast.Name() as name, slice=lag):
                return self._column(node, name, self.whole(lag, 0), timeframe)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                return self._extra(node, owner, name, 0, timeframe)
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id=owner), attr=name), slice=lag):
                return self._extra(node, owner, name, self.whole(lag, 0), timeframe)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Apply(operator.neg, (self.term(operand, depth + 1, timeframe),))
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in ARITHMETIC:
                sides = (self.term(left, depth + 1, timeframe), self.term(right, depth + 1, timeframe))
                return Apply(ARITHMETIC[type(sign)], sides)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(node, name, depth, timeframe)
        raise self.fault(node, "a number, column, abs, min, max, on or + - * / is expected here")

    def _call(self, node: ast.Call, name: str, depth: int, timeframe: Timeframe | None) -> Term:
        if name in HISTORY:
            raise self.fault(node, f"{name} is true or false, not a number")
        if name not in FUNCTIONS:
            raise self.fault(node, f"unknown function {name[:80]!r}{suggestion(name, FUNCTIONS)}")
        if node.keywords:
            raise self.fault(node, f"{name} takes no keywords")
        if name == "on":
            return self._on(node, depth, timeframe)
        if (len(node.args) != 1) if name == "abs" else (len(node.args) < 2):
            raise self.fault(node, f"{name} takes {'one value' if name == 'abs' else 'two values or more'}")
        terms = tuple(self.term(value, depth + 1, timeframe) for value in node.args)
        return Apply(CALLS[name], terms)

    def _on(self, node: ast.Call, depth: int, outer: Timeframe | None) -> Term:
        if outer is not None:
            raise self.fault(node, "on does not nest")
        match node.args:
            case [ast.Constant(value=str(name)), inner] if name in list(Timeframe):
                return self.term(inner, depth + 1, Timeframe(name))
            case [ast.Constant(value=str(name)), _]:
                raise self.fault(node, f"unknown timeframe {name[:80]!r}{suggestion(name, Timeframe)}")
        raise self.fault(node, 'on is written on("1h", adx)')

    def _column(self, node: ast.expr, name: ast.Name, lag: int, timeframe: Timeframe | None) -> Term:
        if name.id in METRICS:
            return self._metric(node, name.id, timeframe)
        if lag > MAX_LAG:
            raise self.fault(node, f"lag {lag} is outside 0…{MAX_LAG}")
        if name.id in PIVOTS:
            if timeframe not in (None, Timeframe.D1):
                raise self.fault(node, f'{name.id} is a pivot of the day: write it alone or in on("1d", …)')
            return Column(name.id, lag, Timeframe.D1)
        if name.id not in COLUMNS:
            valid = (*COLUMNS, *PIVOTS, *self._parameters, *FUNCTIONS)
            raise self.fault(node, f"unknown column {name.id[:80]!r}{suggestion(name.id, valid)}")
        return Column(name.id, lag, timeframe)

    def _extra(self, node: ast.expr, owner: str, name: str, lag: int, timeframe: Timeframe | None) -> Term:
        """`owner.name`, a column of an indicator that the profile declares."""
        extra = self._extras.get(owner)
        if extra is None:
            declared = ", ".join(self._extras) or "none"
            known = f"{suggestion(owner, self._extras)}; declared under indicators: {declared}"
            raise self.fault(node, f"unknown indicator {owner[:80]!r}{known}")
        column = extra.column(name)
        if column is None:
            valid = extra.written()
            listed = ", ".join(f"{owner}.{one}" for one in valid)
            raise self.fault(
                node, f"{extra.kind} has no column {name[:80]!r}{suggestion(name, valid)}; it has {listed}"
            )
        return Column(column, lag, timeframe)

    def _metric(self, node: ast.expr, name: str, timeframe: Timeframe | None) -> Term:
        if name not in self._metrics:
            raise self.fault(
                node, f"{name} is known only to the selection of a profile with an entry section"
            )
        if timeframe is not None or not isinstance(node, ast.Name):
            raise self.fault(
                node, f"{name} is of the present candle under test: write it without on and [lag]"
            )
        return self._metrics[name]

    def whole(self, node: ast.expr, least: int) -> int:
        match node:
            case ast.Constant(value=int(value)) if type(value) is int:
                pass
            case ast.Name(id=name) if name in self._parameters:
                number = self._parameter(name)
                value = int(number) if float(number).is_integer() else -1
            case _:
                value = -1
        if not least <= value <= MAX_LAG:
            raise self.fault(node, f"a whole number {least}…{MAX_LAG} is expected here")
        return value

    def _number(self, node: ast.Constant) -> float:
        try:
            value = math.nan if isinstance(node.value, bool) else float(node.value)  # type: ignore[arg-type]  # int or float by the match
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self.fault(node, "not a finite number")
        return value

    def _parameter(self, name: str) -> float:
        self.used.add(name)
        return self._parameters[name]

    def check_depth(self, node: ast.expr, depth: int) -> None:
        if depth > MAX_NESTING:
            raise self.fault(node, f"nested more than {MAX_NESTING} deep")

    def fault(self, node: ast.expr, problem: str) -> ExpressionError:
        return ExpressionError(problem, self._text, node.col_offset + 1)
