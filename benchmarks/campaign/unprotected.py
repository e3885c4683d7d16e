"""Rule 2: how long a position of ours stood without a stop on its side that covers its size.

A second between two looks at the books counts for every position of ours that the later look shows without
such a stop. It does not count, and is reported beside, while the exchange or the database would not have
answered:

- `exchange`: the books themselves were not answered (the exchange was killed or paused);
- `refused`: at either look the exchange refused stops (`refuse_stops`), or was to answer anything with 429,
  418 or 503;
- `late`: every answer, or that to a stop, came later than an order is waited for (3 s);
- `418`: from a 418 until the operator has lifted the halt that we keep after it: no length is published;
- `postgres`: the database was away, for MEMORY_S: from then on `watch` protects from memory. All of it when
  `watch` itself was killed meanwhile or shortly before: a new process has nothing to remember;
- `watch`: it was paused, or killed and not yet started again (at most COMEBACK_S).

Nothing else excuses: not lists that lag, are empty or unreadable, not silent pushes, not answers of orders
that are held or dropped, not a dead Valkey, not what a restarted `watch` takes to act.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.campaign.history import (
    CLOSING_SIDE,
    Absence,
    History,
    Moment,
    Row,
    Violation,
    clock,
    holdings,
    side_word,
)
from benchmarks.campaign.timetable import PROTECT

LONGEST_S = 10.0
MEMORY_S = 4.5
"""A call to the database is given up after 3 s, the books are looked at each 0.5 s, a read takes its time."""
COMEBACK_S = 30.0
"""An interpreter with our libraries takes 2 s on an idle machine; beyond this it is ours to explain."""
TIMEOUT_MS = 3000
Key = tuple[str, int, int]


@dataclass(slots=True)
class Naked:
    """A stretch in which one position lacked its stop; seconds in all, that count, and excused by why."""

    symbol: str
    position_type: int
    size: int
    began: float
    ended: float
    raw_s: float = 0.0
    counted_s: float = 0.0
    excused_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def sentence(self, history: History) -> str:
        excused = ", ".join(f"{why} {seconds:.1f} s" for why, seconds in sorted(self.excused_s.items()))
        return (
            f"{self.symbol} {side_word(self.position_type)} of {self.size} stood {self.counted_s:.1f} s "
            f"without a stop for its size, from {clock(self.began)} to {clock(self.ended)} "
            f"({self.raw_s:.1f} s in all; excused: {excused or 'nothing'}); {history.before(self.ended)}"
        )


def naked_stretches(history: History) -> list[Naked]:
    """Return every stretch in which a position of ours lacked its stop, in the order in which they ended."""
    ours = _own_keys(history)
    open_stretches: dict[Key, Naked] = {}
    over: list[Naked] = []
    for since, moment, counted_s, excused in _steps(history):
        naked = {
            _key(row): row for row in moment.positions if _key(row) in ours and not is_covered(row, moment)
        }
        over += [open_stretches.pop(key) for key in list(open_stretches) if key not in naked]
        for key, row in naked.items():
            stretch = open_stretches.setdefault(
                key, Naked(row["symbol"], row["position_type"], row["size"], since, moment.at)
            )
            stretch.ended, stretch.size = moment.at, row["size"]
            stretch.raw_s += moment.at - since
            stretch.counted_s += counted_s
            for why, seconds in excused.items():
                stretch.excused_s[why] += seconds
    return over + list(open_stretches.values())


def violations(history: History) -> Iterator[Violation]:
    for stretch in naked_stretches(history):
        if stretch.counted_s > LONGEST_S:
            yield Violation(2, stretch.sentence(history))


def counted_s(history: History, began: float, ended: float) -> float:
    """Return the seconds from `began` to `ended` in which nothing kept us from acting: those that count."""
    return sum(
        counted for since, moment, counted, _ in _steps(history) if since < ended and moment.at > began
    )


def is_covered(position: Row, moment: Moment) -> bool:
    """Whether a stop on the closing side takes the whole position, or as much of it as there is."""
    closing_side = CLOSING_SIDE[position["position_type"]]
    return any(
        plan["symbol"] == position["symbol"]
        and plan["kind"] == "stop_loss"
        and plan["side"] == closing_side
        and (plan["category"] == 2 or plan["size"] == 0 or plan["size"] >= position["size"])
        for plan in moment.protections
    )


def _steps(history: History) -> Iterator[tuple[float, Moment, float, Mapping[str, float]]]:
    """Yield each answered look: the time of the one before, itself, and the seconds between them that count
    and those that do not by why."""
    windows = list(_windows(history.absences))
    last, silent = Moment(0.0, answered=False), True
    for moment in history.moments:
        if not moment.answered:
            silent = True  # the time until the next answer is one stretch
            continue
        since = last.at or moment.at
        yield since, moment, *_counted(since, moment, "exchange" if silent else _excuse(last.faults), windows)
        last, silent = moment, False


def _counted(
    began: float, moment: Moment, why: str, windows: Sequence[Absence]
) -> tuple[float, Mapping[str, float]]:
    """Return the seconds up to `moment` that count, and those that do not by why (they may overlap).

    `why` excuses all of them.
    """
    passed_s = moment.at - began
    if why := why or _excuse(moment.faults):
        return 0.0, {why: passed_s}
    excused: dict[str, float] = defaultdict(float)
    spans: list[tuple[float, float]] = []
    for window in windows:
        span = max(window.began, began), min(window.ended, moment.at)
        if span[1] > span[0]:
            spans.append(span)
            excused[window.who] += span[1] - span[0]
    covered_s, reached = 0.0, began
    for start, end in sorted(spans):
        covered_s += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return passed_s - covered_s, excused


def _excuse(faults: Row) -> str:
    """Return why the exchange could not take a stop with these switches; "" when it could."""
    if faults.get("refuse_stops") or any(faults.get(f"answer_{status}") for status in (429, 418, 503)):
        return "refused"
    if PROTECT in faults.get("reject", {}):
        return "refused"
    route_ms = faults.get("route_latency_ms", {}).get(PROTECT, 0)
    return "late" if faults.get("latency_ms", 0) + route_ms >= TIMEOUT_MS else ""


def _windows(absences: Sequence[Absence]) -> Iterator[Absence]:
    """Yield the absences as far as they excuse."""
    kills = [away for away in absences if away.who == "watch" and away.restarted]
    for away in absences:
        if away.who == "418":
            yield away
        if away.who == "watch":
            longest = COMEBACK_S if away.restarted else float("inf")
            yield Absence("watch", away.began, min(away.ended, away.began + longest))
        if away.who.startswith("postgres"):
            forgot = any(kill.began < away.ended and kill.ended > away.began - MEMORY_S for kill in kills)
            until = away.ended if forgot else min(away.ended, away.began + MEMORY_S)
            yield Absence("postgres", away.began, until)


def _own_keys(history: History) -> set[Key]:
    return {
        (each.symbol, each.position_type, each.began_ms) for each in holdings(history.final) if each.is_ours
    }


def _key(position: Row) -> Key:
    return position["symbol"], position["position_type"], position["opened_ms"]
