"""The root of our exceptions; each is defined beside what raises it. "No trade" is a Refusal instead."""


class TradingError(Exception):
    """A fault that someone must look at. `retryable` says whether the same call may succeed later."""

    retryable = False
