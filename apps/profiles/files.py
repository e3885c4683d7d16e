"""Profile files: YAML in, profiles out, or every fault of every file at once.

A word of a file is text, a plain number, true or false. YAML 1.1 knows more: 020 is 16 there, 1:20 is 80, no
is false, and nothing at all is null.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from apps.engine.profile import Profile, ProfileError
from apps.engine.rules.condition import Fault
from apps.engine.values.errors import suggestion

CONDITIONS = "conditions"
MAX_BYTES = 200_000
"""Fifty times a long strategy; reading so much YAML takes a second."""

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


def load_profiles(directory: Path, names: Sequence[str]) -> list[Profile]:
    """Return the profiles `names` of `directory`, in that order, with its conditions.yaml.

    Raises ProfileError with every fault of all of them, each once.
    """
    faults: list[str] = []
    conditions = _content(directory, CONDITIONS, faults)
    profiles = [_load(directory, name, conditions, faults) for name in names]
    if not names:
        faults.append(f"{directory}: no profile is named")
    if len(set(names)) != len(names):
        faults.append(f"{directory}: a profile is named twice in {', '.join(names)}")
    if faults:
        raise ProfileError(list(dict.fromkeys(faults)))
    return [profile for profile in profiles if profile is not None]


def profile_names(directory: Path) -> list[str]:
    """Return the names of the profile files in `directory`."""
    return sorted(path.stem for path in directory.glob("*.yaml") if path.stem != CONDITIONS)


def parse_yaml(text: str, where: str) -> tuple[Any, list[str]]:
    """Return the content of a file's text, and every fault of its YAML; no content when there are faults."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None, []
        faults = [": ".join(part for part in (where, *fault) if part) for fault in word_faults(node)]
        return (None, faults) if faults else (loader.construct_document(node), [])
    except yaml.YAMLError as error:
        return None, [f"{where}: not YAML: {' '.join(str(error).split())}"]
    except RecursionError as error:
        return None, [f"{where}: cannot be read: {error}"]


def file_label(directory: Path, name: str) -> str:
    """Return what the file is called in faults and findings."""
    return f"{directory.name}/{name}.yaml"


def word_faults(node: yaml.Node, path: str = "") -> Iterator[Fault]:
    """Yield by path every word of a composed file that YAML 1.1 takes for something else than its text."""
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


def _load(directory: Path, name: str, conditions: Any, faults: list[str]) -> Profile | None:
    before = len(faults)
    content = _content(directory, name, faults)
    if len(faults) > before or conditions is None:
        return None
    where = file_label(directory, name)
    try:
        profile = Profile.load(content, conditions, where)
    except ProfileError as error:
        faults.extend(error.faults)
        return None
    if profile.name != name:
        faults.append(f"{where}: name: {profile.name!r} is not the file's name {name!r}")
    return profile


def _content(directory: Path, name: str, faults: list[str]) -> Any:
    """Return the file's content; None and a fault when it cannot be read."""
    path, where = directory / f"{name}.yaml", file_label(directory, name)
    if path.parent != directory or not path.is_file():
        faults.append(f"{where}: no such file in {directory}{suggestion(name, profile_names(directory))}")
        return None
    if (size := path.stat().st_size) > MAX_BYTES:
        faults.append(f"{where}: {size} bytes; a profile has at most {MAX_BYTES}")
        return None
    try:
        content, problems = parse_yaml(path.read_text(encoding="utf-8"), where)
    except (OSError, UnicodeDecodeError) as error:
        content, problems = None, [f"{where}: cannot be read: {error}"]
    faults += problems
    return content


class _Loader(yaml.SafeLoader):
    """YAML's safe subset without what hides a mistake: a key written twice, and aliases."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            place = parent.start_mark if parent is not None else None
            raise yaml.composer.ComposerError(None, None, "an alias (*name): write it out", place)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is written twice", key_node.start_mark
                )
            seen.add(key if isinstance(key, Hashable) else str(key))
        return super().construct_mapping(node, deep)
