"""A strategy profile: one file's content, checked whole, compiled, frozen, and known by its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from math import ceil
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError

from apps.engine.indicators.extra_kinds import Extra, is_extra_column
from apps.engine.profile.entry_settings import EntrySettings, FallbackSettings, Fees, ZoneSettings
from apps.engine.profile.faults import EACH, ProfileError, schema_faults, unused_faults
from apps.engine.profile.schema import (
    Indicators,
    JudgedTimeframe,
    Mode,
    Part,
    Phase,
    PhasedSides,
    Selection,
    TimeframeRules,
    Timeframes,
    Vocabulary,
)
from apps.engine.profile.universe_settings import UniverseSettings
from apps.engine.profile.vocabulary import entry_metrics, read_vocabulary
from apps.engine.rules.condition import Condition, read_conditions
from apps.engine.rules.term import Read
from apps.engine.values.position import Side
from apps.engine.values.timeframe import WINDOW, Timeframe

MIN_CANDLES = 250
"""Contiguous closed candles a judged timeframe needs."""

SLOW_MIN_CANDLES = 600
"""The same where EMA200 or an extra indicator is read, which may settle slowly."""

SECTIONS: dict[tuple[str, ...], type[Part]] = {
    ("entry",): EntrySettings,
    ("entry", "zone"): ZoneSettings,
    ("entry", "fees"): Fees,
    ("entry", "fallback_end_of_zone"): FallbackSettings,
    ("selection", EACH): Selection,
    ("universe",): UniverseSettings,
}
"""The sections of a file whose keys are fixed, by path."""


class Profile(Part):
    """Fields as in the file; `rules` is its `timeframes`, `filters` its `filters_mandatory`.

    Without `entry` it only judges.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    description: str = ""
    validation_mode: Mode
    context_timeframes: Timeframes
    execution_timeframes: Timeframes
    grace_s: Annotated[int, Field(ge=0, le=240, strict=True)] = 60
    rules: Annotated[dict[JudgedTimeframe, PhasedSides], Field(alias="timeframes")]
    filters: Annotated[dict[JudgedTimeframe, PhasedSides], Field(alias="filters_mandatory")] = {}
    indicators: Indicators = {}
    entry: EntrySettings | None = None
    selection: dict[JudgedTimeframe, Selection] = {}
    universe: UniverseSettings = UniverseSettings()

    @classmethod
    def load(cls, content: Any, conditions: Any, where: str) -> Self:
        """Return the profile of a file's `content`, using the catalogue's content.

        Raises ProfileError with every fault of both, profile faults beginning with `where`.
        """
        catalogue, faults = read_conditions(conditions)
        lines = [f"conditions.yaml: {path}: {problem}" for path, problem in faults]
        if not isinstance(content, Mapping):
            raise ProfileError([*lines, f"{where}: a profile is a mapping of keys"])
        vocabulary, faults = read_vocabulary(content, catalogue)
        lines += [f"{where}: {path}: {problem}" for path, problem in (*faults, *unused_faults(content))]
        try:
            sections = {key: value for key, value in content.items() if key != "definitions"}
            profile = cls.model_validate(sections, context=vocabulary)
        except ValidationError as error:
            keys = {
                path: [field.alias or name for name, field in model.model_fields.items()]
                for path, model in ({(): cls} | SECTIONS).items()
            }
            keys[()].append("definitions")
            lines += [f"{where}: {path}: {problem}" for path, problem in schema_faults(error, keys)]
            raise ProfileError(lines) from None
        if lines:
            raise ProfileError(lines)
        return profile

    def with_mode(self, mode: Mode) -> Self:
        """Return the same profile judged in another mode, under its own digest."""
        return self.model_validate(self._as_file() | {"validation_mode": mode}, context=self._vocabulary)

    def with_execution(self, timeframe: Timeframe) -> Self:
        """Return the same profile entering on `timeframe` alone, under its own digest.

        ValueError when it is none of its execution timeframes.
        """
        if timeframe not in self.execution_timeframes:
            raise ValueError(f"{self.name} does not enter on {timeframe}")
        content = self._as_file() | {"execution_timeframes": [str(timeframe)]}
        return self.model_validate(content, context=self._vocabulary)

    def with_unmoved_stops(self) -> Self:
        """Return the same profile whose stops stay where they are placed, under its own digest."""
        if self.entry is None:
            return self
        content = self._as_file()
        content["entry"] |= {"process_tp_sl": False}
        return self.model_validate(content, context=self._vocabulary)

    @cached_property
    def timeframe_rules(self) -> tuple[TimeframeRules, ...]:
        """Return what is judged: context timeframes, then execution timeframes, each slowest first."""
        return tuple(
            [self._phase_rules(timeframe, Phase.CONTEXT) for timeframe in self.context_timeframes]
            + [self._phase_rules(timeframe, Phase.EXECUTION) for timeframe in self.execution_timeframes]
        )

    @cached_property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """Return every timeframe whose candles are needed, judged or read by on(…), slowest first."""
        needed = {judged.timeframe for judged in self.timeframe_rules} | {
            timeframe for timeframe, _, _ in self._reads
        }
        return tuple(sorted(needed, key=lambda timeframe: -timeframe.seconds))

    @cached_property
    def columns(self) -> dict[Timeframe, frozenset[str]]:
        """Return the columns looked at per timeframe: by the rules, and by the entry where there is one."""
        rules = [(timeframe, read.name) for timeframe, _, read in self._reads]
        entry = [] if self.entry is None else list(self.entry.reads(self.execution_timeframes))
        needed: dict[Timeframe, set[str]] = {timeframe: set() for timeframe in self.timeframes}
        for timeframe, name in [*rules, *entry]:
            needed.setdefault(timeframe, set()).add(name)
        return {timeframe: frozenset(names) for timeframe, names in needed.items()}

    def extra_columns(self, timeframe: Timeframe) -> frozenset[str]:
        """Return the columns of extra indicators that a rule reads there: a frame has no others."""
        return frozenset(name for name in self.columns.get(timeframe, ()) if is_extra_column(name))

    @cached_property
    def used_indicators(self) -> dict[str, Extra]:
        """Return those of `indicators` that a rule reads."""
        read = {name for names in self.columns.values() for name in names}
        return {name: extra for name, extra in self.indicators.items() if read.intersection(extra.columns)}

    def min_candles(self, timeframe: Timeframe) -> int:
        """Return how many contiguous closed candles `timeframe` needs, at most what its window holds."""
        slow = any(
            where == timeframe and (read.name == "ema200" or is_extra_column(read.name))
            for where, _, read in self._reads
        )
        return min(SLOW_MIN_CANDLES if slow else MIN_CANDLES, WINDOW[timeframe])

    def depth(self, timeframe: Timeframe) -> int:
        """Return how many rows of `timeframe` the rules look at, from the newest; 1 where nothing looks back.

        Also when the judged candle is late and the one before it stands in.
        """
        late = 1
        rows = [1]
        for where, judged, read in self._reads:
            if where == timeframe == judged and read.timeframe is None:
                rows.append(read.lag + read.back + late + 1)
            elif where == timeframe:
                # The judged candle may itself have closed almost one of them ago.
                span_s = (read.back + late + 1) * judged.seconds
                rows.append(read.lag + ceil(span_s / timeframe.seconds) + 1)
        return max(rows)

    @cached_property
    def content(self) -> dict[str, Any]:
        """Return the effective content: loadable again, defaults and the conditions it uses included."""
        conditions = {name: condition.content() for name, condition in self._conditions.items()}
        return self._as_file() | {"conditions": conditions}

    @cached_property
    def digest(self) -> str:
        """Return the sha256 of the canonical JSON of `content`."""
        canonical = json.dumps(self.content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @cached_property
    def _conditions(self) -> dict[str, Condition]:
        rules = (rule for judged in self.timeframe_rules for _, _, rule in judged.all_rules())
        used = {name: condition for rule in rules for name, condition in rule.conditions.items()}
        return dict(sorted(used.items()))

    @property
    def _vocabulary(self) -> Vocabulary:
        """Return what `_as_file` names: definitions stand there written out."""
        return Vocabulary(self._conditions, metrics=entry_metrics(self.entry), extras=self.indicators)

    @cached_property
    def _reads(self) -> tuple[tuple[Timeframe, Timeframe, Read], ...]:
        """Return (timeframe read, timeframe judged, how) without repetition."""
        reads = {
            (read.timeframe or judged.timeframe, judged.timeframe, read)
            for judged in self.timeframe_rules
            for _, _, rule in judged.all_rules()
            for read in rule.reads()
        }
        return tuple(reads)

    def _phase_rules(self, timeframe: Timeframe, phase: Phase) -> TimeframeRules:
        rules, filters = self.rules[timeframe], self.filters.get(timeframe, PhasedSides())
        return TimeframeRules(
            timeframe,
            phase,
            rules.phase_rule(phase, Side.LONG),
            rules.phase_rule(phase, Side.SHORT),
            filters.phase_rule(phase, Side.LONG),
            filters.phase_rule(phase, Side.SHORT),
            self.selection.get(timeframe) if phase == Phase.EXECUTION else None,
        )

    def _as_file(self) -> dict[str, Any]:
        entry = {} if self.entry is None else self.entry.content()
        selection = {
            str(rules.timeframe): rules.selection.content()
            for rules in self.timeframe_rules
            if rules.selection is not None
        }
        extras = {name: extra.content() for name, extra in sorted(self.used_indicators.items())}
        sections = {"entry": entry, "selection": selection, "indicators": extras}
        return {name: section for name, section in sections.items() if section} | {
            "name": self.name,
            "validation_mode": str(self.validation_mode),
            "context_timeframes": [str(timeframe) for timeframe in self.context_timeframes],
            "execution_timeframes": [str(timeframe) for timeframe in self.execution_timeframes],
            "grace_s": self.grace_s,
            "universe": self.universe.content(),
            "timeframes": self._section("rule"),
            "filters_mandatory": {name: phases for name, phases in self._section("filter").items() if phases},
        }

    def _section(self, role: str) -> dict[str, dict[str, dict[str, Any]]]:
        """Return timeframe → phase → side → items, written out per phase."""
        section: dict[str, dict[str, dict[str, Any]]] = {}
        for judged in self.timeframe_rules:
            sides = {
                str(side): list(rule.content) for side, kind, rule in judged.side_rules() if kind == role
            }
            phases = section.setdefault(str(judged.timeframe), {})
            if sides:
                phases[str(judged.phase)] = sides
        return section
