"""The contract universe of a profile: which listed contracts it judges, and why not the others.

trading.md §13. Kill switches are no filter: a symbol that one covers is judged and refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.engine.profile.universe_settings import UniverseSettings
from apps.engine.values.contract import Contract, require_listed
from apps.engine.values.errors import TradingError
from apps.engine.values.reason import Reason, Refusal

SETTLE_CURRENCY = "USDT"
TEXTS = {
    Reason.NOT_IN_WATCH_LIST: "MTF_SYMBOLS_TO_WATCH names {named} others",
    Reason.CONTRACT_NOT_TRADABLE: "status {status}, not Trading",
    Reason.OTHER_SETTLE_CURRENCY: "settles in {quote}, not in {settle}",
    Reason.NOT_PERPETUAL: "expires at {expires_at:%Y-%m-%d %H:%M} UTC",
    Reason.LISTED_TOO_RECENTLY: "listed {listed_h:,} h < {min_listed_h:,} h",
    Reason.DELISTING_SOON: "delisted at {delist_at:%Y-%m-%d %H:%M} UTC, within {min_delist_days} days",
    Reason.BLACKLISTED: "until {until:%Y-%m-%d %H:%M} UTC: {because}",
    Reason.TURNOVER_TOO_LOW: "turnover {turnover_usdt:,.0f} < {min_turnover_usdt:,.0f}",
    Reason.BEYOND_TOP_N: "turnover {turnover_usdt:,.0f} is rank {rank} of TOP, top_n {top_n}",
    Reason.BEYOND_MID_N: (
        "turnover {turnover_usdt:,.0f} <= {top_turnover_usdt:,.0f} is rank {rank} of MID, mid_n {mid_n}"
    ),
}
"""Why a contract is left out → what is said of it, of the numbers of its Refusal."""


@dataclass(frozen=True, slots=True)
class Blacklisting:
    """A contract's entry in the blacklist."""

    until: datetime
    reason: str


class EmptyUniverse(TradingError):
    """No contract passes a profile's filters; nothing is judged until one does, or the profile changes."""


@dataclass(frozen=True)
class Universe:
    """`members` by name; `excluded` says of every other contract why it is none."""

    members: tuple[str, ...]
    excluded: Mapping[str, Refusal]

    @property
    def contracts(self) -> int:
        """How many contracts were looked at."""
        return len(self.members) + len(self.excluded)

    def require_members(self, profile: str) -> None:
        """Raise EmptyUniverse with the counts of the reasons when there is no member."""
        if self.members:
            return
        counts = Counter(refusal.reason.value for refusal in self.excluded.values()).most_common()
        reasons = ", ".join(f"{count} {reason}" for reason, count in counts)
        raise EmptyUniverse(
            f"the universe of {profile} is empty: none of {self.contracts} stored contracts passes "
            + (f"its filters ({reasons})" if reasons else "its filters; manage.py sync_contracts stores them")
        )


def universe(
    contracts: Iterable[Contract],
    settings: UniverseSettings,
    blacklisted: Mapping[str, Blacklisting],
    now: datetime,
) -> Universe:
    """Return which of `contracts` belong to the universe at `now`; the first filter that fails is named.

    What passes them all is TOP or MID by its turnover; of each tier the largest are taken.
    """
    excluded: dict[str, Refusal] = {}
    eligible: list[Contract] = []
    for contract in contracts:
        refusal = _filter_refusal(contract, settings, blacklisted.get(contract.symbol), now)
        if refusal is None:
            eligible.append(contract)
        else:
            excluded[contract.symbol] = refusal
    eligible.sort(key=lambda contract: (-contract.turnover_24h, contract.symbol))
    tops = [contract for contract in eligible if contract.turnover_24h > settings.top_turnover_usdt]
    mids = eligible[len(tops) :]
    for tier, most, reason, limits in (
        (tops, settings.top_n, Reason.BEYOND_TOP_N, {"top_n": settings.top_n}),
        (
            mids,
            settings.mid_n,
            Reason.BEYOND_MID_N,
            {"mid_n": settings.mid_n, "top_turnover_usdt": settings.top_turnover_usdt},
        ),
    ):
        for rank, contract in enumerate(tier[most:], start=most + 1):
            numbers = {"turnover_usdt": contract.turnover_24h, "rank": rank, **limits}
            excluded[contract.symbol] = Refusal(reason, numbers)
    members = [*tops[: settings.top_n], *mids[: settings.mid_n]]
    return Universe(
        tuple(sorted(contract.symbol for contract in members)),
        dict(sorted(excluded.items())),
    )


def explicit_universe(contracts: Iterable[Contract], explicit: Iterable[str]) -> Universe:
    """Return the universe that somebody named: its members pass every filter.

    Raises UnknownSymbol naming every explicit symbol that is not listed.
    """
    listed = [contract.symbol for contract in contracts]
    members = sorted(set(explicit))
    require_listed(members, listed, "are listed at this venue; MTF_SYMBOLS_TO_WATCH names what is watched")
    refusal = Refusal(Reason.NOT_IN_WATCH_LIST, {"named": len(members)})
    return Universe(tuple(members), dict.fromkeys(sorted(set(listed).difference(members)), refusal))


def exclusion_text(refusal: Refusal) -> str:
    """Return an exclusion in one line: `turnover 900,000 < 1,500,000`."""
    return TEXTS[refusal.reason].format_map(refusal.numbers)


def _filter_refusal(
    contract: Contract, settings: UniverseSettings, blacklisting: Blacklisting | None, now: datetime
) -> Refusal | None:
    if not contract.is_trading:
        return Refusal(Reason.CONTRACT_NOT_TRADABLE, {"status": contract.status})
    if contract.quote != SETTLE_CURRENCY:
        numbers = {"quote": contract.quote, "settle": SETTLE_CURRENCY}
        return Refusal(Reason.OTHER_SETTLE_CURRENCY, numbers)
    if contract.expires_at is not None:
        return Refusal(Reason.NOT_PERPETUAL, {"expires_at": contract.expires_at})
    min_listed = timedelta(hours=settings.min_listed_h)
    if contract.listed_at is not None and now - contract.listed_at < min_listed:
        listed_h = int((now - contract.listed_at).total_seconds() // 3600)
        return Refusal(
            Reason.LISTED_TOO_RECENTLY, {"listed_h": listed_h, "min_listed_h": settings.min_listed_h}
        )
    min_delist = timedelta(days=settings.min_delist_days)
    if contract.delist_at is not None and contract.delist_at - now <= min_delist:
        return Refusal(
            Reason.DELISTING_SOON,
            {"delist_at": contract.delist_at, "min_delist_days": settings.min_delist_days},
        )
    if blacklisting is not None and blacklisting.until > now:
        return Refusal(Reason.BLACKLISTED, {"until": blacklisting.until, "because": blacklisting.reason})
    if contract.turnover_24h < settings.min_turnover_usdt:
        return Refusal(
            Reason.TURNOVER_TOO_LOW,
            {"turnover_usdt": contract.turnover_24h, "min_turnover_usdt": settings.min_turnover_usdt},
        )
    return None
