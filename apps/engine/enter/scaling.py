"""How an entry is spread over its zone: several orders of one decision, nearest first, under one stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.engine.values.plan import Zone
from apps.engine.values.position import Side
from apps.engine.values.tick import round_down, round_toward_loss


@dataclass(frozen=True, slots=True)
class PricedShare:
    """What part of the size rests at `price`; the shares of one entry sum to 1."""

    price: Decimal
    share: Decimal


def priced_shares(
    zone: Zone, price: Decimal, side: Side, shares: Sequence[Decimal], tick: Decimal
) -> tuple[PricedShare, ...]:
    """Return the shares at evenly spaced prices from `price` to the zone's far edge, nearest first.

    Each is rounded away from the market to the tick, so that none crosses the book; those that come to lie on
    the same tick are one.
    """
    far = zone.low if side == Side.LONG else zone.high
    spread: list[PricedShare] = []
    for number, share in enumerate(shares):
        between = price + (far - price) * number / max(len(shares) - 1, 1)
        rounded = round_toward_loss(between, tick, side)
        if spread and spread[-1].price == rounded:
            spread[-1] = PricedShare(rounded, spread[-1].share + share)
        else:
            spread.append(PricedShare(rounded, share))
    return tuple(spread)


def split_size(size: Decimal, shares: Sequence[PricedShare], step: Decimal) -> tuple[Decimal, ...]:
    """Return the contracts of each share, in whole steps; all of `size`, down to the step.

    What the nearest ones have together is rounded down: what is left over goes to farther ones, which lose
    less at the stop. So the whole never loses more than `size` split exactly would.
    """
    sizes, share, before = list[Decimal](), Decimal(0), Decimal(0)
    for each in shares:
        share += each.share
        until = round_down(size * share, step)
        sizes.append(until - before)
        before = until
    return tuple(sizes)


def folded(shares: Sequence[PricedShare], number: int) -> tuple[PricedShare, ...]:
    """Return the shares without the `number`-th: the nearer one takes it, and the first one the second."""
    number = max(number, 1)
    nearer = PricedShare(shares[number - 1].price, shares[number - 1].share + shares[number].share)
    return (*shares[: number - 1], nearer, *shares[number + 1 :])
