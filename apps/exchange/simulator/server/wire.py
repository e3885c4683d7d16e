"""The exchange's numbers and messages as text."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from apps.exchange.simulator.codes import REFUSALS, Code


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def answered(data: Any) -> bytes:
    return compact(
        {"code": Code.OK.value, "message": "Ok", "trace": str(uuid.uuid4()), "data": data}
    ).encode()


def refused(code: Code) -> bytes:
    message = REFUSALS[code][1]
    return compact({"message": message, "code": code.value, "trace": str(uuid.uuid4()), "data": {}}).encode()


def plain(number: Decimal) -> str:
    """Digits without exponent and without zeros at the end."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def rfc3339(at_s: float) -> str:
    """UTC with nine digits of a second, e.g. 2023-12-03T15:48:23.517518538Z."""
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
