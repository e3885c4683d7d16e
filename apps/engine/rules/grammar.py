"""The white list for logic: which pieces of Python's syntax are comparisons, and how they combine."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from copy import deepcopy

from apps.engine.indicators.declared import Extra
from apps.engine.rules.leaf import Comparison, Crossing, Leaf, Trend
from apps.engine.rules.logic import All, Any, Logic, Not
from apps.engine.rules.names import HISTORY
from apps.engine.rules.numbers import MAX_LAG, Numbers
from apps.engine.rules.term import Term

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
                return All(tuple(self.logic(value, depth + 1) for value in values))
            case ast.BoolOp(values=values):
                return Any(tuple(self.logic(value, depth + 1) for value in values))
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
        return links[0] if len(links) == 1 else All(tuple(links))

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
