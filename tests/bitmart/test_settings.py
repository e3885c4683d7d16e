"""Where it trades is checked before anything starts."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from launch.paths import REPOSITORY

SHOW = """
from tradingv3 import settings as s
print(s.TRADING, s.POSITION_MODE, s.DRY_EQUITY_USDT, s.BITMART_API_KEY)
"""
KEYS = {"BITMART_API_KEY": "k", "BITMART_SECRET_KEY": "s", "BITMART_API_MEMO": "m"}
LIVE = {"VENUE": "bitmart", "TRADING": "live", "LIVE_TRADING_ENABLED": "true", **KEYS}


def started(**variables: str) -> subprocess.CompletedProcess[str]:
    ours = ("VENUE", "TRADING", "POSITION_MODE", "DRY_EQUITY_USDT", "LIVE_", "BITMART_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=REPOSITORY,
        env=env | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({}, "live hedge 1000 simulator"),
        ({"TRADING": "dry", "DRY_EQUITY_USDT": "250.5"}, "dry hedge 250.5 simulator"),
        ({"VENUE": "bitmart"}, "dry hedge 1000"),
        ({**LIVE, "POSITION_MODE": "one_way"}, "live one_way 1000 k"),
    ],
)
def test_a_sound_choice_starts(variables: dict[str, str], shown: str) -> None:
    ended = started(**variables)
    assert ended.stdout.strip() == shown, ended.stderr


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"TRADING": "paper"}, "paper does not exist yet"),
        ({"VENUE": "okx"}, "'okx' is not one of simulator, bitmart"),
        (LIVE | {"LIVE_TRADING_ENABLED": "false"}, "consent by LIVE_TRADING_ENABLED=true"),
        (LIVE | {"BITMART_API_MEMO": ""}, "live needs BITMART_API_KEY"),
        ({"BITMART_BASE_URL": "https://api-cloud-v2.bitmart.com"}, "BitMart is no simulator"),
        ({"POSITION_MODE": "both"}, "'both' is not one of hedge, one_way"),
        ({"DRY_EQUITY_USDT": "much"}, "'much' is no plain number"),
        ({"DRY_EQUITY_USDT": "NaN"}, "'NaN' is no plain number"),
        ({"DRY_EQUITY_USDT": "0"}, "0 is not within 1"),
    ],
)
def test_an_unsound_choice_stops_the_start_and_says_why(variables: dict[str, str], said: str) -> None:
    ended = started(**variables)
    assert ended.returncode != 0
    assert said in ended.stderr
