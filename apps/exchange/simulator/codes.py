"""The exchange's numbers for sides, states, kinds and modes, and the codes and messages of its refusals."""

from __future__ import annotations

from enum import IntEnum

APPROVAL, LIVE, OVER = 1, 2, 4
"""States of orders and plans: being checked, live, filled or cancelled."""

OPEN_LONG, CLOSE_SHORT, CLOSE_LONG, OPEN_SHORT = 1, 2, 3, 4
"""Sides in hedge mode. In one-way mode: buy, buy reduce-only, sell reduce-only, sell."""

BUYS = (OPEN_LONG, CLOSE_SHORT)
OPENS = (OPEN_LONG, OPEN_SHORT)

GTC, FOK, IOC, MAKER_ONLY = 1, 2, 3, 4

LONG, SHORT = 1, 2
"""Position types."""

LAST_PRICE, FAIR_PRICE = 1, 2
RISES, FALLS = 1, 2
"""Price ways: a plan fires when the price rises to its trigger, or falls to it."""

QUANTITY, WHOLE = 1, 2
"""Plan categories of stops and targets."""

TRANSFER, REALISED, FUNDING, COMMISSION, CLEARANCE = 1, 2, 3, 4, 5
"""Flow types of the ledger."""

HEDGE, ONE_WAY = "hedge_mode", "one_way_mode"


class Code(IntEnum):
    OK = 1000
    NOT_FOUND = 30000
    NO_KEY = 30001
    BAD_KEY = 30002
    FROZEN_KEY = 30003
    NO_SIGN = 30004
    BAD_SIGN = 30005
    NO_STAMP = 30006
    STAMP_RANGE = 30007
    STAMP_FORMAT = 30008
    FORBIDDEN_IP = 30010
    EXPIRED_KEY = 30011
    FORBIDDEN = 30012
    TOO_MANY = 30013
    UNAVAILABLE = 30014
    BLOCKED = 30017
    NOT_JSON = 30018
    BAD_PARAMETER = 40007
    INVALID = 40011
    SYSTEM = 40012
    OFFLINE = 40014
    SHORT_POSITION = 40020
    NO_POSITION = 40021
    NO_MARGIN = 40027
    LEVERAGE_HIGH = 40029
    LEVERAGE_LOW = 40030
    BAD_SYMBOL = 40034
    NO_ORDER = 40035
    ORDER_OVER = 40036
    NO_ORDER_ID = 40037
    BAD_STEP = 40038
    BAD_TIME = 40039
    BAD_LEVERAGE = 40040
    BAD_SIDE = 40041
    BAD_TYPE = 40042
    BAD_PRECISION = 40043
    BAD_RANGE = 40044
    BAD_OPEN_TYPE = 40045
    CLIENT_ID_LETTERS = 40048
    CLIENT_ID_LENGTH = 40049
    CLIENT_ID_TAKEN = 40050
    MODE_BOUND = 40059
    NO_BALANCE = 42000


REFUSALS = {
    Code.NOT_FOUND: (404, "Not found"),
    Code.NO_KEY: (401, "Header X-BM-KEY is empty"),
    Code.BAD_KEY: (401, "Header X-BM-KEY not found"),
    Code.FROZEN_KEY: (401, "Header X-BM-KEY has frozen"),
    Code.NO_SIGN: (401, "Header X-BM-SIGN is empty"),
    Code.BAD_SIGN: (401, "Header X-BM-SIGN is wrong"),
    Code.NO_STAMP: (401, "Header X-BM-TIMESTAMP is empty"),
    Code.STAMP_RANGE: (401, "Header X-BM-TIMESTAMP range. Within a minute"),
    Code.STAMP_FORMAT: (401, "Header X-BM-TIMESTAMP invalid format"),
    Code.FORBIDDEN_IP: (403, "IP is forbidden. We recommend enabling IP whitelist for API trading"),
    Code.EXPIRED_KEY: (403, "Header X-BM-KEY over expire time"),
    Code.FORBIDDEN: (403, "Header X-BM-KEY is forbidden to request it"),
    Code.TOO_MANY: (429, "Request too many requests"),
    Code.UNAVAILABLE: (503, "Service unavailable"),
    Code.BLOCKED: (418, "Your IP is temporarily rejected due to violation of current limiting rules"),
    Code.NOT_JSON: (503, "Request Body requires JSON format"),
    Code.BAD_PARAMETER: (400, "Parse parameter error"),
    Code.INVALID: (400, "Invalid request"),
    Code.SYSTEM: (400, "System error"),
    Code.OFFLINE: (400, "This contract is offline"),
    Code.SHORT_POSITION: (400, "Your position volume is not enough"),
    Code.NO_POSITION: (400, "The position is not exsit"),
    Code.NO_MARGIN: (400, "You contract account available balance not enough"),
    Code.LEVERAGE_HIGH: (400, "The order's leverage is too large."),
    Code.LEVERAGE_LOW: (400, "The order's leverage is too small."),
    Code.BAD_SYMBOL: (400, "The Symbol is not exist"),
    Code.NO_ORDER: (400, "The order is not exist"),
    Code.ORDER_OVER: (400, "The order status is invalid"),
    Code.NO_ORDER_ID: (400, "The order id is not exist"),
    Code.BAD_STEP: (400, "The k-line step is invalid"),
    Code.BAD_TIME: (400, "The timestamp is invalid"),
    Code.BAD_LEVERAGE: (400, "The order leverage is invalid"),
    Code.BAD_SIDE: (400, "The order side is invalid"),
    Code.BAD_TYPE: (400, "The order type is invalid"),
    Code.BAD_PRECISION: (400, "The order precision is invalid"),
    Code.BAD_RANGE: (400, "The order range is invalid"),
    Code.BAD_OPEN_TYPE: (400, "The order open type is invalid"),
    Code.CLIENT_ID_LETTERS: (403, "ClientOrderId only allows a combination of numbers and letters"),
    Code.CLIENT_ID_LENGTH: (403, "The maximum length of clientOrderId cannot exceed 32"),
    Code.CLIENT_ID_TAKEN: (403, "Client OrderId duplicated with existing orders"),
    Code.MODE_BOUND: (400, "Some positions exist and the mode switching fails."),
    Code.NO_BALANCE: (200, "Insufficient balance"),
}


class Refused(Exception):
    """The request is refused with this code; nothing was changed."""

    def __init__(self, code: Code) -> None:
        super().__init__(f"{code.value} {REFUSALS[code][1]}")
        self.code = code
        self.message = REFUSALS[code][1]
