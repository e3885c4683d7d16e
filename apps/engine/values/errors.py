"""The root of our exceptions. Each is defined beside what raises it; "no trade" is a Refusal, not one of these."""


class TradingError(Exception):
    """A fault that someone must look at. `retryable` says whether the same call may succeed later."""

    retryable = False
