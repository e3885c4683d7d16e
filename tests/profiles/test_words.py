"""A word in a profile file means what is written, or is refused by name: YAML 1.1 reads 020 as 16."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from apps.engine.profile import Profile, ProfileError
from apps.profiles.files import load_profiles, parse_yaml, profile_names

ROOT = Path(__file__).resolve().parents[2]
REGULAR = (ROOT / "profiles" / "regular.yaml").read_text("utf-8")
ODD = [
    *("1:20", "1:20:30.5", "020", "-020", "0500", "00", "0x10", "0b11", "1_000", "1_0.5",
      "._5", "5.", ".5", "01.5"),
    *(".inf", "-.INF", ".nan", "1.0e+999", "0.12345678901234567890", "9007199254740993.0", "9" * 5000),
    *("yes", "No", "on", "OFF", "2026-01-02", "2026-99-99", "2026-01-02T03:04:05Z",
      "<<", "=", "~", "null", "", "0b_"),
    *("!!int 0x10", "!!int 5.5", "!!float 1:20", "!!bool on",
      "!!timestamp 2026-01-02", "!!binary aGk=", "!!set {a}"),
]  # fmt: skip
TEXT = ["1e-6", "08", "1e3", "0o17", "٣", "５", "1,5", "1 000", "--1", "+", "20%"]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("profiles")
    catalogue = yaml.safe_load((ROOT / "profiles" / "conditions.yaml").read_text("utf-8"))
    named = {name: entry for name, entry in catalogue.items() if re.search(rf"\b{name}\b", REGULAR)}
    (folder / "conditions.yaml").write_text(yaml.safe_dump(named), "utf-8")  # all are read for each word
    return folder


def load(directory: Path, text: str) -> Profile:
    (directory / "regular.yaml").write_text(text, encoding="utf-8")
    [profile] = load_profiles(directory, ["regular"])
    return profile


def with_entry(key: str, word: str) -> str:
    """The shipped profile with `key` of its entry written so, added where it leaves it out."""
    line = f"  {key}: {word}\n"
    text, times = re.subn(rf"^  {key}: .*\n", lambda _: line, REGULAR, flags=re.MULTILINE)
    return text if times else f"{text}{line}"


@pytest.mark.parametrize(
    "key", ["max_margin_usdt", "daily_max_loss_pct", "daily_max_loss_usdt", "exchange_cap"]
)
@pytest.mark.parametrize("word", [*ODD, *TEXT])
def test_a_limit_that_is_no_plain_number_is_refused_by_name(directory: Path, key: str, word: str) -> None:
    with pytest.raises(ProfileError) as refused:
        load(directory, with_entry(key, word))
    [fault] = refused.value.faults
    file, path, problem = fault.split(": ", 2)
    assert (file, path) == (f"{directory.name}/regular.yaml", f"entry.{key}")
    bare = word.split(" ")[-1] if word.startswith("!!") else word
    assert "has no value" in problem or repr(bare[:80]) in problem or "!!set" in problem
    assert "write" in problem or "leave" in problem


words = st.one_of(
    st.from_regex(r"[-+]?[0-9_:.xboeE+-]{1,12}", fullmatch=True),
    st.decimals(allow_nan=False, allow_infinity=False, places=4).map(str),
    st.integers().map(str),
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12),
    st.sampled_from([*ODD, *TEXT]),
)


@given(words)
@example("0.30")
@example("1.0e-6")
@example("+5")
@example("-0")
@example("True")
@example("'020'")
def test_any_word_is_exactly_its_own_text_or_is_refused_with_it(word: str) -> None:
    content, faults = parse_yaml(f"entry:\n  limit: {word}\n", "p.yaml")
    if faults:
        assert all(fault.startswith("p.yaml: ") for fault in faults)
        return
    value = content["entry"]["limit"]
    if isinstance(value, bool):
        assert word.strip().lower() == str(value).lower()
    elif isinstance(value, int | float):
        plain = word.partition(" #")[0].strip()
        assert math.isfinite(value)
        assert re.fullmatch(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+][0-9]+)?", plain)
        assert Decimal(str(value)) == Decimal(plain)
    else:
        assert isinstance(value, str | list | dict)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("entry: {fees: {maker: 0_1.5}}", "p.yaml: entry.fees.maker: '0_1.5' is no plain number"),
        ("a: [5, 0x1]", "p.yaml: a[1]: '0x1' is no plain number"),
        ("a: {1:20: 5}", "p.yaml: a.1:20: the key '1:20' is no plain number"),
        ("on: 5", "p.yaml: on: the key 'on' is true to YAML"),
        ("entry: {review: yes}", "p.yaml: entry.review: 'yes' is true to YAML"),
        ("x: {params:, formula: a}", "p.yaml: x.params: has no value"),
        ("entry:\n# all of it commented out\nname: x", "p.yaml: entry: has no value"),
        ("020", "p.yaml: '020' is no plain number: write 20"),
        ("a: 0500", "p.yaml: a: '0500' is no plain number: write 500"),
        ("a: 1_000", "p.yaml: a: '1_000' is no plain number: write 1000"),
        ("a: {<<: {b: 1}}", "p.yaml: a.<<: the key '<<'"),
    ],
)
def test_the_fault_says_where_and_what_to_write(text: str, fault: str) -> None:
    _, faults = parse_yaml(text, "p.yaml")
    assert len(faults) == 1
    assert faults[0].startswith(fault)


def test_every_odd_word_of_a_file_is_said_at_once(directory: Path) -> None:
    text = with_entry("exchange_cap", "1:20").replace("order_ttl_s: 120", "order_ttl_s: 0120")
    with pytest.raises(ProfileError) as refused:
        load(directory, text)
    assert [fault.split(": ")[1] for fault in refused.value.faults] == [
        "entry.order_ttl_s",
        "entry.exchange_cap",
    ]


def test_a_catalogue_is_read_as_strictly(directory: Path) -> None:
    catalogue = directory / "conditions.yaml"
    text = catalogue.read_text("utf-8")
    try:
        catalogue.write_text(
            f"{text}odd: {{params: {{level: 010}}, formula: rsi > level}}\n", encoding="utf-8"
        )
        with pytest.raises(ProfileError, match=r"conditions.yaml: odd.params.level: '010' .* write 10"):
            load(directory, REGULAR)
    finally:
        catalogue.write_text(text, encoding="utf-8")


def test_a_side_may_be_empty(directory: Path) -> None:
    content, faults = parse_yaml("timeframes: {5m: {long:, short: ~}}", "p.yaml")
    assert (content, faults) == ({"timeframes": {"5m": {"long": None, "short": None}}}, [])


@pytest.mark.parametrize("name", ["conditions", *profile_names(ROOT / "profiles")])
def test_what_is_shipped_reads_as_any_yaml_reader_would_read_it(name: str) -> None:
    text = (ROOT / "profiles" / f"{name}.yaml").read_text("utf-8")
    expected: Any = yaml.safe_load(text)
    assert parse_yaml(text, name) == (expected, [])
