"""What a word in a profile file may be: text, a plain number, true or false. YAML 1.1 knows more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import yaml

from apps.engine.rules.condition import Fault

STANDARD = "tag:yaml.org,2002:"
NUMBER = {
    "int": re.compile(r"[-+]?(0|[1-9][0-9]*)"),
    "float": re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+][0-9]+)?"),
}
MAX_CHARACTERS = 40
"""Of a number: Python itself refuses whole ones of more than 4300."""

MAY_BE_EMPTY = ("long", "short")
"""A side without rules never holds; an empty limit would be none."""

NEITHER = {"timestamp": "a date", "binary": "bytes", "merge": "a merge", "value": "a default"}
COLLECTIONS = ("set", "omap", "pairs")


def word_faults(node: yaml.Node, path: str = "") -> Iterator[Fault]:
    """Every word of a composed file that YAML 1.1 would take for something else than its own text, by path.

    020 is 16 there, 1:20 is 80, no is false, and nothing at all is null.
    """
    kind = node.tag.removeprefix(STANDARD)
    if isinstance(node, yaml.ScalarNode):
        if problem := _problem(node.value, kind):
            yield path, problem
    elif kind in COLLECTIONS:
        yield path, f"has the tag !!{kind}: write a list or a mapping without one"
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from word_faults(item, f"{path}[{index}]")
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # no key the constructor takes
            inner = f"{path}.{key.value[:80]}" if path else key.value[:80]
            if problem := _problem(key.value, key.tag.removeprefix(STANDARD)):
                yield inner, f"the key {problem}"
            if not (key.value in MAY_BE_EMPTY and value.tag == f"{STANDARD}null"):
                yield from word_faults(value, inner)


def _problem(text: str, kind: str) -> str | None:
    shown = repr(text[:80])
    if kind == "null":
        return "has no value: write one, or leave the key out"
    if kind == "bool" and text.lower() not in ("true", "false"):
        meaning = "true" if text.lower() in ("yes", "on") else "false"
        return f"{shown} is {meaning} to YAML: write {meaning}, or {shown} in quotes where it is text"
    if kind in NEITHER:
        return f"{shown} is {NEITHER[kind]} to YAML: write text in quotes"
    if kind not in NUMBER:
        return None
    if not NUMBER[kind].fullmatch(text) or abs(float(text)) == float("inf"):
        meant = re.sub(r"^([-+]?)0+(?=[0-9])", r"\1", text.replace("_", ""))
        instead = meant if NUMBER["float"].fullmatch(meant) else "plain digits, such as 20 or 0.5"
        return f"{shown} is no plain number: write {instead}, or {shown} in quotes where it is text"
    if len(text) > MAX_CHARACTERS:
        return f"{shown} has {len(text)} characters: write a number of at most {MAX_CHARACTERS}"
    if kind == "float" and Decimal(repr(float(text))) != Decimal(text):
        return f"{shown} has more digits than are kept: write {float(text)!r}"
    return None
