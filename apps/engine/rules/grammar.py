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

HISTORY = {"rising": ">", "falling": "<", "crossed_above": ">", "crossed_below": "<"}
"""What looks back over several candles, and the way the newest must compare with the one before."""

METRICS = ("entry_zone_width_pct", "expected_r_multiple", "spread_bps")
"""What an entry here would be like: known to a profile's `selection` only, and computed by its `entry`."""

FUNCTIONS = ("abs", "min", "max", "on", *HISTORY)

MAX_NESTING = 50
MAX_LAG = 59
"""How far one timeframe may be looked back, in its own candles."""

SHOWN = 120
"""Characters of a formula that an error quotes."""


class ExpressionError(TradingError):
    """A formula the language does not know. `column` is the 1-based place in `text` (spaces collapsed)."""

    def __init__(self, problem: str, text: str, column: int) -> None:
        shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
        super().__init__(f"column {column}: {problem} in {shown!r}")
        self.problem = problem
        self.column = column


def smallest(*values: Any) -> Any:
    return reduce(np.minimum, values)


def largest(*values: Any) -> Any:
    return reduce(np.maximum, values)


CALLS: dict[str, Callable[..., Any]] = {"abs": np.abs, "min": smallest, "max": largest}
ARITHMETIC: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
SIGNS: dict[type, str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


class Grammar:
    """One formula's walk: every fault is an ExpressionError with its place. `used` are the parameters met."""

    def __init__(
        self,
        text: str,
        condition: str,
        parameters: Mapping[str, float],
        metrics: Mapping[str, Term],
        extras: Mapping[str, Extra],
    ) -> None:
        self.used: set[str] = set()
        self._text = text
        self._condition = condition
        self._parameters = parameters
        self._metrics = metrics
        self._extras = extras

    def logic(self, node: ast.expr, depth: int = 0) -> Logic:
        """Return the logic that `node` writes: comparisons, what looks back, and how they are joined."""
        self._check_depth(node, depth)
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return AllOf(tuple(self.logic(value, depth + 1) for value in values))
            case ast.BoolOp(values=values):
                return AnyOf(tuple(self.logic(value, depth + 1) for value in values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.logic(operand, depth + 1))
            case ast.Compare(left=first, ops=signs, comparators=others):
                links: list[Logic] = []
                for left, sign, right in zip([first, *others], signs, others, strict=False):
                    if type(sign) not in SIGNS:
                        raise self._fault(right, "only < <= > >= compare")
                    before, after = self.term(left, depth + 1), self.term(right, depth + 1)
                    text = self._shown(ast.Compare(left, [sign], [right]))
                    leaf = Comparison(self._condition, text, before, SIGNS[type(sign)], after)
                    links.append(self._bounded(right, leaf))
                return links[0] if len(links) == 1 else AllOf(tuple(links))
            case ast.Call(func=ast.Name(id=name)) if name in HISTORY:
                return self._bounded(node, self._history(node, name, depth))
        raise self._fault(node, "a comparison, rising, falling or crossed_… is expected here")

    def term(self, node: ast.expr, depth: int, timeframe: Timeframe | None = None) -> Term:
        """Return the number that `node` writes; `timeframe` is that of the on(…) around it."""
        self._check_depth(node, depth)
        match node:
            case ast.Constant(value=int() | float() as value):
                try:
                    number = math.nan if isinstance(value, bool) else float(value)
                except OverflowError:
                    number = math.inf
                if not math.isfinite(number):
                    raise self._fault(node, "not a finite number")
                return Number(number)
            case ast.Name(id=name) if name in self._parameters:
                return Number(self._parameter(name))
            case ast.Name():
                return self._column(node, node, 0, timeframe)
            case ast.Subscript(value=ast.Name() as column, slice=lag):
                return self._column(node, column, self._whole(lag, 0), timeframe)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                return self._extra(node, owner, name, 0, timeframe)
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id=owner), attr=name), slice=lag):
                return self._extra(node, owner, name, self._whole(lag, 0), timeframe)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Apply(operator.neg, (self.term(operand, depth + 1, timeframe),))
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in ARITHMETIC:
                sides = (self.term(left, depth + 1, timeframe), self.term(right, depth + 1, timeframe))
                return Apply(ARITHMETIC[type(sign)], sides)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(node, name, depth, timeframe)
        raise self._fault(node, "a number, column, abs, min, max, on or + - * / is expected here")

    def _history(self, node: ast.Call, name: str, depth: int) -> Leaf:
        """Return the trend or crossing that the call writes."""
        crossing = name.startswith("crossed")
        option = "within" if crossing else "by"
        if len(node.args) != 2 or any(word.arg != option for word in node.keywords) or len(node.keywords) > 1:
            shape = "(a, b, within=n)" if crossing else "(x, n, by=y)"
            raise self._fault(node, f"{name} is written {name}{shape}, {option}=… being optional")
        extra = node.keywords[0].value if node.keywords else None
        if crossing:
            left, right = (self.term(side, depth + 1) for side in node.args)
            within = self._whole(extra, 1) if extra is not None else 1
            return Crossing(self._condition, self._shown(node), left, HISTORY[name], right, within)
        term, steps = self.term(node.args[0], depth + 1), self._whole(node.args[1], 1)
        if any(read.timeframe for read in term.reads(0)):
            raise self._fault(
                node.args[0], 'steps are candles of the judged timeframe: compare on("1h", x) with x[1]'
            )
        by = self.term(extra, depth + 1) if extra is not None else None
        return Trend(self._condition, self._shown(node), term, steps, HISTORY[name], by)

    def _call(self, node: ast.Call, name: str, depth: int, timeframe: Timeframe | None) -> Term:
        """Return the number that abs, min, max or on(…) writes."""
        if name in HISTORY:
            raise self._fault(node, f"{name} is true or false, not a number")
        if name not in FUNCTIONS:
            raise self._fault(node, f"unknown function {name[:80]!r}{suggestion(name, FUNCTIONS)}")
        if node.keywords:
            raise self._fault(node, f"{name} takes no keywords")
        if name != "on":
            if (len(node.args) != 1) if name == "abs" else (len(node.args) < 2):
                needs = "one value" if name == "abs" else "two values or more"
                raise self._fault(node, f"{name} takes {needs}")
            return Apply(CALLS[name], tuple(self.term(value, depth + 1, timeframe) for value in node.args))
        if timeframe is not None:
            raise self._fault(node, "on does not nest")
        match node.args:
            case [ast.Constant(value=str(other)), inner] if other in list(Timeframe):
                return self.term(inner, depth + 1, Timeframe(other))
            case [ast.Constant(value=str(other)), _]:
                raise self._fault(node, f"unknown timeframe {other[:80]!r}{suggestion(other, Timeframe)}")
        raise self._fault(node, 'on is written on("1h", adx)')

    def _column(self, node: ast.expr, name: ast.Name, lag: int, timeframe: Timeframe | None) -> Term:
        """Return the column, pivot or metric `name`, `lag` candles ago; `node` is the whole of it."""
        if name.id in METRICS:
            if name.id not in self._metrics:
                raise self._fault(
                    node, f"{name.id} is known only to the selection of a profile with an entry section"
                )
            if timeframe is not None or not isinstance(node, ast.Name):
                raise self._fault(
                    node, f"{name.id} is of the present candle under test: write it without on and [lag]"
                )
            return self._metrics[name.id]
        if lag > MAX_LAG:
            raise self._fault(node, f"lag {lag} is outside 0…{MAX_LAG}")
        if name.id in PIVOTS:
            if timeframe not in (None, Timeframe.D1):
                raise self._fault(node, f'{name.id} is a pivot of the day: write it alone or in on("1d", …)')
            return Column(name.id, lag, Timeframe.D1)
        if name.id not in COLUMNS:
            valid = (*COLUMNS, *PIVOTS, *self._parameters, *FUNCTIONS)
            raise self._fault(node, f"unknown column {name.id[:80]!r}{suggestion(name.id, valid)}")
        return Column(name.id, lag, timeframe)

    def _extra(self, node: ast.expr, owner: str, name: str, lag: int, timeframe: Timeframe | None) -> Term:
        """Return `owner.name`, a column of an indicator that the profile declares."""
        extra = self._extras.get(owner)
        if extra is None:
            declared = ", ".join(self._extras) or "none"
            known = f"{suggestion(owner, self._extras)}; declared under indicators: {declared}"
            raise self._fault(node, f"unknown indicator {owner[:80]!r}{known}")
        column = extra.column(name)
        if column is None:
            valid = extra.formula_names()
            listed = ", ".join(f"{owner}.{each}" for each in valid)
            raise self._fault(
                node, f"{extra.kind} has no column {name[:80]!r}{suggestion(name, valid)}; it has {listed}"
            )
        return Column(column, lag, timeframe)

    def _whole(self, node: ast.expr, least: int) -> int:
        """Return the whole number that `node` writes, itself or by a parameter: `least` to MAX_LAG."""
        match node:
            case ast.Constant(value=int(value)) if type(value) is int:
                pass
            case ast.Name(id=name) if name in self._parameters:
                number = self._parameter(name)
                value = int(number) if float(number).is_integer() else -1
            case _:
                value = -1
        if not least <= value <= MAX_LAG:
            raise self._fault(node, f"a whole number {least}…{MAX_LAG} is expected here")
        return value

    def _parameter(self, name: str) -> float:
        self.used.add(name)
        return self._parameters[name]

    def _shown(self, node: ast.expr) -> str:
        """Return the text of `node` with parameters by value, so that a person reads what was compared."""
        names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        if not names.isdisjoint(self._parameters):
            node = _ParameterValues(self._parameters).visit(deepcopy(node))
        return ast.unparse(node).replace("'", '"')

    def _bounded(self, node: ast.expr, leaf: Leaf) -> Leaf:
        """Return `leaf`, refused when it looks back farther than MAX_LAG candles."""
        for read in leaf.reads():
            if read.back + read.lag * (read.timeframe is None) > MAX_LAG:
                raise self._fault(
                    node, f"{read.name} is looked back {read.back + read.lag} candles; at most {MAX_LAG}"
                )
        return leaf

    def _check_depth(self, node: ast.expr, depth: int) -> None:
        if depth > MAX_NESTING:
            raise self._fault(node, f"nested more than {MAX_NESTING} deep")

    def _fault(self, node: ast.expr, problem: str) -> ExpressionError:
        return ExpressionError(problem, self._text, node.col_offset + 1)


class _ParameterValues(ast.NodeTransformer):
    """Puts the values of parameters in the place of their names."""

    def __init__(self, parameters: Mapping[str, float]) -> None:
        self._parameters = parameters

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self._parameters.get(node.id)
        return node if value is None else ast.copy_location(ast.Constant(value), node)
