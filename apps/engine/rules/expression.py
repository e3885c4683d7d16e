"""A one-line formula becomes logic over columns: by Python's parser, a white list and hard limits."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping

from apps.engine.indicators.extra_kinds import Extra
from apps.engine.rules.grammar import ExpressionError, Grammar
from apps.engine.rules.logic import Logic
from apps.engine.rules.term import Term

MAX_TEXT = 2_000
_FOREIGN = re.compile(r"[^A-Za-z0-9_ .,()\[\]<>=+\-*/\"']")


def parse(
    text: str,
    *,
    condition: str = "",
    parameters: Mapping[str, float] | None = None,
    metrics: Mapping[str, Term] | None = None,
    extras: Mapping[str, Extra] | None = None,
) -> Logic:
    """Return the logic of `text`; its leaves carry `condition` and show `parameters` by value.

    `metrics` are the terms that METRICS stand for, `extras` the indicators that may be named before a dot;
    without them they are refused. Any text gives logic or ExpressionError: more than 2,000 characters,
    nesting beyond 50 or anything outside the grammar is refused, and nothing is ever executed.
    """
    return parse_with_used(text, condition=condition, parameters=parameters, metrics=metrics, extras=extras)[
        0
    ]


def parse_with_used(
    text: str,
    *,
    condition: str = "",
    parameters: Mapping[str, float] | None = None,
    metrics: Mapping[str, Term] | None = None,
    extras: Mapping[str, Extra] | None = None,
) -> tuple[Logic, frozenset[str]]:
    """Return what `parse` does, with the names of the parameters the formula uses."""
    formula = one_line(text)
    grammar = Grammar(formula, condition, parameters or {}, metrics or {}, extras or {})
    logic = grammar.logic(_tree(formula))
    return logic, frozenset(grammar.used)


def canonical_formula(text: str) -> str:
    """Return the formula, parsed before, in one spelling: spaces do not change a digest."""
    return ast.unparse(_tree(one_line(text))).replace("'", '"')


def one_line(text: object) -> str:
    """Return the formula with single blanks. ExpressionError for what is no text, or not of the language."""
    if not isinstance(text, str):
        raise ExpressionError(f"a formula is text, not {type(text).__name__}", "", 1)
    if len(text) > MAX_TEXT:
        raise ExpressionError(f"{len(text)} characters; at most {MAX_TEXT}", text, MAX_TEXT + 1)
    formula = " ".join(text.split())
    if not formula:
        raise ExpressionError("empty formula", formula, 1)
    if foreign := _FOREIGN.search(formula):
        raise ExpressionError(
            f"character {foreign[0]!r} is not in the language", formula, foreign.start() + 1
        )
    return formula


def _tree(formula: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            # Python's advice on odd spellings ("1and 2"); they are judged by the grammar.
            warnings.simplefilter("ignore")
            return ast.parse(formula, mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(f"not a formula ({error.msg})", formula, error.offset or 1) from None
    except (ValueError, MemoryError, RecursionError):
        raise ExpressionError("nested too deeply or not a formula", formula, 1) from None
