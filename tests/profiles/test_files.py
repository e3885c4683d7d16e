"""Profile files on disk: read together, refused together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from apps.engine.profile import Phase, ProfileError
from apps.profiles.files import load_profiles, profile_names

ROOT = Path(__file__).resolve().parents[2]
CONDITIONS = "warm: {params: {level: 50}, formula: rsi > level}\n"
GOOD = """
name: {name}
validation_mode: strict
context_timeframes: [5m]
execution_timeframes: []
timeframes:
  5m: {{long: [warm]}}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    put(tmp_path, "conditions", CONDITIONS)
    put(tmp_path, "first", GOOD.format(name="first"))
    put(tmp_path, "second", GOOD.format(name="second"))
    return tmp_path


def put(directory: Path, name: str, text: str) -> None:
    (directory / f"{name}.yaml").write_text(text, encoding="utf-8")


def faults(directory: Path, *names: str) -> str:
    with pytest.raises(ProfileError) as caught:
        load_profiles(directory, names)
    return str(caught.value)


def test_profiles_come_in_the_order_asked_for(directory: Path) -> None:
    assert [profile.name for profile in load_profiles(directory, ["second", "first"])] == ["second", "first"]
    assert profile_names(directory) == ["first", "second"]


def test_every_shipped_profile_loads() -> None:
    names = profile_names(ROOT / "profiles")
    assert {"scalper_micro", "scalper", "regular", "classic", "crash"} <= set(names)
    assert [profile.name for profile in load_profiles(ROOT / "profiles", names)] == names


def test_the_documented_example_is_true(tmp_path: Path) -> None:
    [example] = re.findall(
        r"```yaml\n(.*?)```", (ROOT / "docs" / "profiles.md").read_text("utf-8"), re.DOTALL
    )
    put(tmp_path, "example", example)
    put(tmp_path, "conditions", (ROOT / "profiles" / "conditions.yaml").read_text("utf-8"))
    [profile] = load_profiles(tmp_path, ["example"])
    assert (profile.name, profile.grace_s, len(profile.timeframe_rules)) == ("example", 60, 4)
    slow, fast = (rules for rules in profile.timeframe_rules if rules.phase == Phase.EXECUTION)
    assert fast.selection is None
    assert slow.selection is not None
    assert [(role, [leaf.text for leaf in rule.leaves()]) for role, rule in slow.selection.rules()] == [
        ("stay", ["volume_ratio >= 1.4", "adx > 40"]),
        ("drop", ['10000 * on("15m", atr) / close > 130', "entry_zone_width_pct > 1.2"]),
        ("forbid", ["expected_r_multiple >= 2.5", "spread_bps > 8"]),
    ]
    long = profile.timeframe_rules[0].long
    assert long is not None
    assert {"ema_50_gt_200", "adx_min_for_trend", "atr_pct_15m_lte_bps"} <= set(long.conditions)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: x\nname: y\n", "the key 'name' is written twice"),
        ("timeframes:\n  5m:\n    long: [warm]\n    long: [warm]\n", "the key 'long' is written twice"),
        ("a: &x [1]\nb: *x\n", "an alias"),
        ("a: [1, 2\n", "not YAML"),
        ("a: !!python/object/apply:os.system ['true']\n", "not YAML"),
        ("? [a]\n: 1\n", "not YAML"),
        ("", "a profile is a mapping"),
        ("- name\n", "a profile is a mapping"),
        ("[" * 5000, "cannot be read|not YAML"),
        (GOOD.format(name="other"), "name: 'other' is not the file's name 'first'"),
        (GOOD.format(name="first") + "grace: 3\n", "first.yaml: grace: unknown key; nearest: 'grace_s'"),
    ],
)
def test_a_bad_file_is_refused_by_name(directory: Path, text: str, says: str) -> None:
    put(directory, "first", text)
    assert re.search(f"/first.yaml: .*({says})|{says}", faults(directory, "first"))


def test_a_file_too_large_for_a_strategy_is_refused_without_being_read(directory: Path) -> None:
    put(directory, "first", "# " + "x" * 10_000_000)
    assert "first.yaml: 10000002 bytes; a profile has at most 200000" in faults(directory, "first")


def test_bytes_that_are_no_text_are_refused(directory: Path) -> None:
    (directory / "first.yaml").write_bytes(b"name: \xff\xfe")
    assert "first.yaml: cannot be read" in faults(directory, "first")


@pytest.mark.parametrize("name", ["frist", "../first"])
def test_a_missing_file_names_the_nearest(directory: Path, name: str) -> None:
    assert re.search(r"no such file in .*; nearest: 'first'", faults(directory, name))


def test_faults_of_all_files_are_said_at_once_and_once(directory: Path) -> None:
    put(directory, "conditions", CONDITIONS + "bad: {formula: rsi >}\n")
    put(directory, "first", GOOD.format(name="first").replace("warm", "wram"))
    put(directory, "second", GOOD.format(name="second").replace("strict", "loose"))
    lines = faults(directory, "first", "second", "third").splitlines()
    for part in (
        "bad.formula",
        "first.yaml: timeframes.5m.long[0]",
        "second.yaml: validation_mode",
        "third.yaml",
    ):
        assert len([line for line in lines if part in line]) == 1, part


@pytest.mark.parametrize(
    ("names", "says"), [((), "no profile is named"), (("first", "first"), "named twice")]
)
def test_names_must_be_some_and_different(directory: Path, names: tuple[str, ...], says: str) -> None:
    assert says in faults(directory, *names)


def test_without_conditions_nothing_loads(directory: Path) -> None:
    (directory / "conditions.yaml").unlink()
    assert "conditions.yaml: no such file" in faults(directory, "first")
