"""The profiles room: versions under their digests, a check that stops a bad start, a command that shows."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from pytest_django import DjangoAssertNumQueries

from apps.engine.profile import Mode
from apps.profiles import store
from apps.profiles.models import ProfileVersion


def test_the_configured_profiles_come_in_order_of_precedence(settings: Any) -> None:
    settings.MTF_PROFILES = ["regular", "scalper_micro"]
    assert [profile.name for profile in store.configured_profiles()] == ["regular", "scalper_micro"]


@pytest.mark.django_db
def test_a_version_is_remembered_once_and_rebuilt_by_its_digest_once_a_process(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(store, "_versions", {})
    profile = store.configured_profiles()[0]
    store.save_version(profile)
    first_seen = ProfileVersion.objects.get().first_seen_at
    store.save_version(profile)
    assert ProfileVersion.objects.get().first_seen_at == first_seen
    with django_assert_num_queries(1):
        again = store.find_version(profile.digest)
        assert store.find_version(profile.digest) is again
    assert again is not None
    assert (again.digest, again.content) == (profile.digest, profile.content)


@pytest.mark.django_db
def test_another_mode_is_another_version() -> None:
    profile = store.configured_profiles()[0]
    strict = profile.with_mode(Mode.STRICT)
    store.save_version(profile)
    store.save_version(strict)
    assert set(ProfileVersion.objects.values_list("digest", "name")) == {
        (profile.digest, profile.name),
        (strict.digest, profile.name),
    }


@pytest.mark.django_db
def test_an_unknown_digest_is_no_profile() -> None:
    assert store.find_version("0" * 64) is None


@pytest.fixture
def bad_directory(settings: Any, tmp_path: Path) -> Path:
    """The shipped profiles with two mistakes in two files."""
    for path in Path(settings.MTF_PROFILES_DIR).glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text("utf-8"), encoding="utf-8")
    for name, good, bad in (("scalper_micro", "near_vwap", "near_vwpa"), ("regular", "pragmatic", "loose")):
        path = tmp_path / f"{name}.yaml"
        path.write_text(path.read_text("utf-8").replace(good, bad), encoding="utf-8")
    settings.MTF_PROFILES_DIR = tmp_path
    return tmp_path


@pytest.mark.usefixtures("bad_directory")
def test_manage_check_fails_and_prints_every_fault() -> None:
    with pytest.raises(SystemCheckError) as caught:
        call_command("check")
    for part in (
        "timeframes.1m.long[1]",
        "timeframes.1m.short[1]",
        "nearest: 'near_vwap'",
        "validation_mode: 'loose'",
    ):
        assert part in str(caught.value)


def test_manage_check_names_a_configured_profile_that_does_not_exist(settings: Any) -> None:
    settings.MTF_PROFILES = ["regulra"]
    with pytest.raises(SystemCheckError, match=r"regulra.yaml: no such file.*nearest: 'regular'"):
        call_command("check")


def test_check_profiles_shows_a_table() -> None:
    out = io.StringIO()
    call_command("check_profiles", "scalper_micro", stdout=out)
    [profile] = [each for each in store.configured_profiles() if each.name == "scalper_micro"]
    for part in (
        "scalper_micro",
        "pragmatic",
        "5m → 1m",
        profile.digest[:12],
        f" {len(profile.content['conditions'])} ",
    ):
        assert part in out.getvalue()
    assert "regular" not in out.getvalue()


def test_check_profiles_speaks_json() -> None:
    out = io.StringIO()
    call_command("check_profiles", "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert said["faults"] == []
    assert {each["name"]: each["digest"] for each in said["profiles"]}.items() >= {
        (each.name, each.digest) for each in store.configured_profiles()
    }


@pytest.mark.usefixtures("bad_directory")
def test_check_profiles_fails_with_every_fault_and_still_shows_the_others() -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="errors: 3, warnings: 0, profiles: 5") as caught:
        call_command("check_profiles", "--json", stdout=out)
    assert caught.value.returncode == 1
    said = json.loads(out.getvalue())
    assert len([fault for fault in said["faults"] if "near_vwpa" in fault]) == 2
    assert len([fault for fault in said["faults"] if "validation_mode: 'loose'" in fault]) == 1
    assert [each["name"] for each in said["profiles"]] == ["classic", "crash", "scalper"]


def test_the_shipped_profiles_are_clean() -> None:
    out = io.StringIO()
    call_command("check_profiles", "--json", "--fail-on-warnings", stdout=out)
    assert json.loads(out.getvalue())["findings"] == []


@pytest.fixture
def odd_directory(settings: Any, tmp_path: Path) -> Path:
    """One profile that loads: a side that never holds on 1m, and a threshold that says nothing."""
    tmp_path = tmp_path / "p"
    tmp_path.mkdir()
    for name, text in (("conditions", "{}"), ("odd", ODD)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    settings.MTF_PROFILES_DIR, settings.MTF_PROFILES = tmp_path, ["odd"]
    return tmp_path


ODD = """
name: odd
validation_mode: pragmatic
context_timeframes: [5m]
execution_timeframes: [1m]
timeframes:
  5m: {long: [rsi > 50, rsi < 150]}
  1m: {long: [rsi > 60, rsi < 40]}
"""
SIDE = "timeframes.1m.long"


@pytest.mark.usefixtures("odd_directory")
def test_findings_stand_in_a_table_with_file_path_severity_and_text() -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="errors: 1, warnings: 2, profiles: 1"):
        call_command("check_profiles", stdout=out)
    for part in (
        "odd.yaml",
        SIDE,
        "error",
        "warning",
        "the long side can never hold",
        "rsi < 150 always holds",
    ):
        assert part in out.getvalue()


def test_findings_are_plain_in_json(odd_directory: Path) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("check_profiles", "--json", stdout=out)
    first = json.loads(out.getvalue())["findings"][0]
    assert (first["file"], first["path"], first["severity"]) == (
        f"{odd_directory.name}/odd.yaml",
        SIDE,
        "error",
    )
    assert first["text"].startswith("the long side can never hold: rsi > 60 (timeframes.1m.long[0])")


def test_warnings_alone_fail_only_when_asked(odd_directory: Path) -> None:
    good = ODD.replace("rsi < 40", "adx > 20")
    (odd_directory / "odd.yaml").write_text(good, encoding="utf-8")
    call_command("check_profiles", "--json", stdout=io.StringIO())
    with pytest.raises(CommandError, match="errors: 0, warnings: 1, profiles: 1"):
        call_command("check_profiles", "--json", "--fail-on-warnings", stdout=io.StringIO())


def test_manage_check_shows_findings_as_errors_and_warnings(odd_directory: Path) -> None:
    with pytest.raises(
        SystemCheckError, match=r"profiles.E002.*timeframes.1m.long: the long side can never hold"
    ):
        call_command("check")
    (odd_directory / "odd.yaml").write_text(ODD.replace("rsi < 40", "adx > 20"), encoding="utf-8")
    err = io.StringIO()
    call_command("check", stderr=err)
    assert "(profiles.W001)" in err.getvalue()
    assert "odd.yaml: timeframes.5m.long[1]: rsi < 150 always holds" in err.getvalue()
