"""What the exchange answers when it refuses: code, HTTP status and message, spelt as it sends them."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    OK = 1000
    NOT_FOUND = 30000
    TOO_MANY = 30013
    UNAVAILABLE = 30014
    BLOCKED = 30017
    BAD_PARAMETER = 40007
    BAD_SYMBOL = 40034
    BAD_STEP = 40038
    BAD_TIME = 40039


REFUSALS = {
    Code.NOT_FOUND: (404, "Not found"),
    Code.TOO_MANY: (429, "Request too many requests"),
    Code.UNAVAILABLE: (503, "Service unavailable"),
    Code.BLOCKED: (418, "Your IP is temporarily rejected due to violation of current limiting rules"),
    Code.BAD_PARAMETER: (400, "Parse parameter error"),
    Code.BAD_SYMBOL: (400, "The Symbol is not exist"),
    Code.BAD_STEP: (400, "The k-line step is invalid"),
    Code.BAD_TIME: (400, "The timestamp is invalid"),
}


class ApiError(Exception):
    """The request is refused with this code."""

    def __init__(self, code: Code) -> None:
        super().__init__(f"{code.value} {REFUSALS[code][1]}")
        self.code = code
