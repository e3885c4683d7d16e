"""When the market began: kept in a file, so that every later start meets the same market."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from apps.engine.values.errors import TradingError

DAYS = 24
DEFAULT_DAY = 12
LIVELY = Path(__file__).parent.parent / "tape" / "lively.txt"
"""A line an hour, a letter a minute of the day: the day of the tape (a is 0) on which trades come soonest."""
DEFAULT_SEED = 1
_EPOCH = date(1970, 1, 1)


class StateError(TradingError):
    """The state file cannot be used; nothing was changed."""


@dataclass(frozen=True, slots=True)
class State:
    """Day `day` of the tape (0 ... 23) plays on `first_day` (UTC); `seed` decides what is left open."""

    first_day: date
    day: int = DEFAULT_DAY
    seed: int = DEFAULT_SEED

    def __post_init__(self) -> None:
        if not 0 <= self.day < DAYS:
            raise StateError(f"day {self.day} is not on the tape: it has the days 0 to {DAYS - 1}")

    @property
    def first_minute(self) -> int:
        """The minute since 1970 on which the tape's first minute plays."""
        return ((self.first_day - _EPOCH).days - self.day) * 1440


def open_state(path: Path | None, *, now: datetime, day: int | None = None, seed: int | None = None) -> State:
    """The kept state, or a new one that begins today and is kept in `path` (None keeps nothing).

    Without a `day` a new market plays the one on which trades come soonest from this time of the day on.
    Raises StateError when the file is unreadable or says another day or seed than asked for.
    """
    if path is None or not path.exists():
        state = State(
            now.date(), lively_day(now) if day is None else day, DEFAULT_SEED if seed is None else seed
        )
        if path is not None:
            draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with draft.open("w") as file:
                    json.dump(asdict(state) | {"first_day": state.first_day.isoformat()}, file)
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(path)
            except OSError as fault:
                raise StateError(f"cannot write the state file {path}: {fault.strerror}") from fault
        return state
    try:
        fields = json.loads(path.read_text())
        state = State(date.fromisoformat(fields["first_day"]), int(fields["day"]), int(fields["seed"]))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise StateError(
            f"cannot use the state file {path} ({fault!r}); move it away to begin a new market"
        ) from fault
    for name, wanted, stored in (("day", day, state.day), ("seed", seed, state.seed)):
        if wanted is not None and wanted != stored:
            raise StateError(
                f"--{name} {wanted} contradicts {path}: it plays {name} {stored} since {state.first_day}; "
                f"leave --{name} out to go on with it, or begin a new market with another --state file "
                "(./run demo: another TRADINGV3_VAR)"
            )
    return state


def lively_day(now: datetime) -> int:
    """Return the day of the tape that shows a newcomer a trade soonest who starts at this time."""
    hours = LIVELY.read_text().split()
    return ord(hours[now.hour][now.minute]) - ord("a")
