"""The profiles room: versions under their digests, a check that stops a bad start, a command that shows."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError

from apps.engine.profile import Mode
from apps.profiles import store
from apps.profiles.models import ProfileVersion


def test_the_configured_profiles_come_in_order_of_precedence(settings: Any) -> None:
    settings.MTF_PROFILES = ["regular", "scalper_micro"]
    assert [profile.name for profile in store.configured()] == ["regular", "scalper_micro"]


@pytest.mark.django_db
def test_a_version_is_remembered_once_and_rebuilt_by_its_digest() -> None:
    profile = store.configured()[0]
    store.remember(profile)
    first_seen = ProfileVersion.objects.get().first_seen_at
    store.remember(profile)
    assert ProfileVersion.objects.get().first_seen_at == first_seen
    again = store.version(profile.digest)
    assert again is not None
    assert (again.digest, again.content) == (profile.digest, profile.content)


@pytest.mark.django_db
def test_another_mode_is_another_version() -> None:
    profile = store.configured()[0]
    strict = profile.with_mode(Mode.STRICT)
    store.remember(profile)
    store.remember(strict)
    assert set(ProfileVersion.objects.values_list("digest", "name")) == {
        (profile.digest, profile.name),
        (strict.digest, profile.name),
    }


@pytest.mark.django_db
def test_an_unknown_digest_is_no_profile() -> None:
    assert store.version("0" * 64) is None


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
    [profile] = [one for one in store.configured() if one.name == "scalper_micro"]
    for part in ("scalper_micro", "pragmatic", "5m → 1m", profile.digest[:12], "near_vwap"):
        assert part in out.getvalue()
    assert "regular" not in out.getvalue()


def test_check_profiles_speaks_json() -> None:
    out = io.StringIO()
    call_command("check_profiles", "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert said["faults"] == []
    assert {one["name"]: one["digest"] for one in said["profiles"]}.items() >= {
        (one.name, one.digest) for one in store.configured()
    }


@pytest.mark.usefixtures("bad_directory")
def test_check_profiles_fails_with_every_fault() -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="near_vwpa") as caught:
        call_command("check_profiles", "--json", stdout=out)
    assert caught.value.returncode == 1
    assert json.loads(out.getvalue())["faults"] == str(caught.value).splitlines()
