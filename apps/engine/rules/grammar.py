"""The white list of formulas: which pieces of Python's syntax are numbers, comparisons and logic."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import reduce
from typing import Any

import numpy as np

from apps.engine.indicators.columns import COLUMNS
from apps.engine.indicators.extra_kinds import Extra
from apps.engine.indicators.numpy_columns import PIVOTS
from apps.engine.rules.logic import AllOf, AnyOf, Comparison, Crossing, Leaf, Logic, Not, Trend
from apps.engine.rules.term import Apply, Column, Number, Term
from apps.engine.values.errors import TradingError, suggestion
from apps.engine.values.timeframe import Timeframe

SHOWN = 120


class ExpressionError(TradingError):
    """A formula the language does not know. `column` is the 1-based place in `text` (spaces collapsed)."""

    def __init__(self, problem: str, text: str, column: int) -> None:
        shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
        super().__init__(f"column {column}: {problem} in {shown!r}")
        self.problem = problem
        self.column = column


HISTORY = {"rising": ">", "falling": "<", "crossed_above": ">", "crossed_below": "<"}
"""What looks back over several candles, and the way the newest must compare with the one before."""

METRICS = ("entry_zone_width_pct", "expected_r_multiple", "spread_bps")
"""What an entry here would be like: known to a profile's `selection` only, and computed by its `entry`."""

FUNCTIONS = ("abs", "min", "max", "on", *HISTORY)


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
            valid = extra.formula_names()
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


SIGNS: dict[type, str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


class Grammar:
    """One formula's walk: every fault is an ExpressionError with its place."""

    def __init__(
        self,
        text: str,
        condition: str,
        parameters: Mapping[str, float],
        metrics: Mapping[str, Term],
        extras: Mapping[str, Extra],
    ) -> None:
        self._numbers = Numbers(text, parameters, metrics, extras)
        self._condition = condition
        self._parameters = parameters

    @property
    def used(self) -> set[str]:
        """The parameters met so far."""
        return self._numbers.used

    def logic(self, node: ast.expr, depth: int = 0) -> Logic:
        self._numbers.check_depth(node, depth)
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return AllOf(tuple(self.logic(value, depth + 1) for value in values))
            case ast.BoolOp(values=values):
                return AnyOf(tuple(self.logic(value, depth + 1) for value in values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.logic(operand, depth + 1))
            case ast.Compare():
                return self._chain(node, depth)
            case ast.Call(func=ast.Name(id=name)) if name in HISTORY:
                return self._history(node, name, depth)
        raise self._numbers.fault(node, "a comparison, rising, falling or crossed_… is expected here")

    def _chain(self, node: ast.Compare, depth: int) -> Logic:
        terms = [node.left, *node.comparators]
        links = [
            self._comparison(left, sign, right, depth)
            for left, sign, right in zip(terms, node.ops, terms[1:], strict=False)
        ]
        return links[0] if len(links) == 1 else AllOf(tuple(links))

    def _comparison(self, left: ast.expr, sign: ast.cmpop, right: ast.expr, depth: int) -> Leaf:
        if type(sign) not in SIGNS:
            raise self._numbers.fault(right, "only < <= > >= compare")
        before, after = self._numbers.term(left, depth + 1), self._numbers.term(right, depth + 1)
        text = self._shown(ast.Compare(left, [sign], [right]))
        return self._bounded(right, Comparison(self._condition, text, before, SIGNS[type(sign)], after))

    def _history(self, node: ast.Call, name: str, depth: int) -> Leaf:
        crossing = name.startswith("crossed")
        option = "within" if crossing else "by"
        if len(node.args) != 2 or any(word.arg != option for word in node.keywords) or len(node.keywords) > 1:
            shape = "(a, b, within=n)" if crossing else "(x, n, by=y)"
            raise self._numbers.fault(node, f"{name} is written {name}{shape}, {option}=… being optional")
        extra = node.keywords[0].value if node.keywords else None
        make = self._crossing if crossing else self._trend
        return self._bounded(node, make(node, HISTORY[name], extra, depth))

    def _trend(self, node: ast.Call, sign: str, extra: ast.expr | None, depth: int) -> Leaf:
        term, steps = self._numbers.term(node.args[0], depth + 1), self._numbers.whole(node.args[1], 1)
        if any(read.timeframe for read in term.reads(0)):
            raise self._numbers.fault(
                node.args[0], 'steps are candles of the judged timeframe: compare on("1h", x) with x[1]'
            )
        by = self._numbers.term(extra, depth + 1) if extra is not None else None
        return Trend(self._condition, self._shown(node), term, steps, sign, by)

    def _crossing(self, node: ast.Call, sign: str, extra: ast.expr | None, depth: int) -> Leaf:
        left, right = (self._numbers.term(side, depth + 1) for side in node.args)
        within = self._numbers.whole(extra, 1) if extra is not None else 1
        return Crossing(self._condition, self._shown(node), left, sign, right, within)

    def _shown(self, node: ast.expr) -> str:
        return ast.unparse(_Substitute(self._parameters).visit(deepcopy(node))).replace("'", '"')

    def _bounded(self, node: ast.expr, leaf: Leaf) -> Leaf:
        for read in leaf.reads():
            if read.back + read.lag * (read.timeframe is None) > MAX_LAG:
                raise self._numbers.fault(
                    node, f"{read.name} is looked back {read.back + read.lag} candles; at most {MAX_LAG}"
                )
        return leaf


class _Substitute(ast.NodeTransformer):
    """Parameters become their values, so that a person reads the numbers that were compared."""

    def __init__(self, parameters: Mapping[str, float]) -> None:
        self._parameters = parameters

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self._parameters.get(node.id)
        return node if value is None else ast.copy_location(ast.Constant(value), node)
