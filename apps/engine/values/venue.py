"""What one exchange allows and promises, as numbers: they travel with the venue, not with our code."""

from __future__ import annotations

from dataclasses import dataclass

from apps.engine.values.position import FeeRates


@dataclass(frozen=True, slots=True)
class VenueConstraints:
    """Facts of one exchange that decisions about its orders and candles rest on.

    `signature_valid_s`: a request signed longer ago than this is refused, whenever it arrives.
    `answer_s`: a call without an answer by then will have none.
    `candles_per_request`: the most candles one request may ask for.
    `fee_reads_apart_s`: seconds between two reads of fee rates, of whichever symbols.
    `standard_fees`: the rates of an account of no special level; its own need its key.
    """

    signature_valid_s: int
    answer_s: int
    candles_per_request: int
    fee_reads_apart_s: float
    standard_fees: FeeRates
