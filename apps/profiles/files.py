"""Profile files: YAML in, profiles out, or every fault of every file at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import yaml

from apps.engine.profile import Profile, ProfileError
from apps.engine.values.errors import suggestion
from apps.profiles.words import word_faults

CONDITIONS = "conditions"
MAX_BYTES = 200_000
"""Fifty times a long strategy; reading so much YAML takes a second."""


def load_profiles(directory: Path, names: Sequence[str]) -> list[Profile]:
    """The profiles `names` of `directory`, in that order, with its conditions.yaml.

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
    """Names of the profile files in `directory`."""
    return sorted(path.stem for path in directory.glob("*.yaml") if path.stem != CONDITIONS)


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
    """The file's content; None and a fault when it cannot be read."""
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


def parse_yaml(text: str, where: str) -> tuple[Any, list[str]]:
    """The content of a file's text, and every fault of its YAML; no content when there are faults."""
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
    """What the file is called in faults and findings."""
    return f"{directory.name}/{name}.yaml"


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
