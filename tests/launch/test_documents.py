"""The documents name files that are there: a newcomer who follows a path arrives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
DOCUMENTS = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")])
FOLDERS = ("apps/", "benchmarks/", "docs/", "launch/", "profiles/", "templates/", "tests/", "tradingv3/")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    """A path from the root, or a file's own name, of which one is somewhere among the sources."""
    lost = []
    for name in re.findall(r"`([\w./*-]+)`", document.read_text("utf-8")):
        if name.startswith(FOLDERS):
            if not list(REPOSITORY.glob(name.rstrip("/"))):
                lost.append(name)
        elif re.fullmatch(r"[\w*-]+\.py", name) and not any(
            list((REPOSITORY / folder).rglob(name)) for folder in ("apps", "launch", "tests")
        ):
            lost.append(name)
    assert not lost, f"{document.name} names what is not there: {', '.join(lost)}"


def test_the_architecture_says_where_a_newcomer_finds_each_thing() -> None:
    """The questions one comes with, each with at least one path."""
    text = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8")
    where = text.partition("## Where things are")[2]
    for question in ("refused", "size and leverage", "where a fill goes", "indicator", "condition", "API"):
        [row] = [
            line for line in where.splitlines() if line.startswith("|") and question in line.split("|")[1]
        ][:1]
        assert re.search(r"`(apps|profiles)/", row), row
    assert "## How do I add an exchange" in text
