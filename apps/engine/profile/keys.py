"""The valid keys of every section of a profile's file, to say the nearest of them."""

from __future__ import annotations

from apps.engine.profile.entry import Entry, Fees, ZoneRule
from apps.engine.profile.faults import EACH, Keys
from apps.engine.profile.schema import Part
from apps.engine.profile.selection import Selection

SECTIONS: dict[tuple[str, ...], type[Part]] = {
    ("entry",): Entry,
    ("entry", "zone"): ZoneRule,
    ("entry", "fees"): Fees,
    ("selection", EACH): Selection,
}


def keys_of(profile: type[Part]) -> Keys:
    """By path; `definitions` besides the fields of `profile`, which knows them only while it is read."""
    sections = {path: _names(model) for path, model in SECTIONS.items()}
    return {(): (*_names(profile), "definitions"), **sections}


def _names(model: type[Part]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())
