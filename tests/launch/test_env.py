"""The environment is read in one way, or refused by name."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import example, given
from hypothesis import strategies as st

from tradingv3 import env as read

texts = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"[-+ ]?[0-9_.eE٠-٩０-９]{1,10}", fullmatch=True),
    st.integers(-2000, 2000).map(str),
    st.decimals(-2000, 2000, places=3).map(str),
)


@given(texts)
@example("1_000")
@example(" 1_0")
@example("٣")
@example("５")
@example("1e3")
@example("1E+2")
@example("nan")
@example("-inf")
@example("0500")
@example("0x10")
@example("20.0")
@example("+7")
@example("9" * 5000)
def test_a_number_is_exactly_its_own_text_or_is_refused_with_it(text: str) -> None:
    for convert in (read.amount(-1000, 1000), read.number(-1000, 1000), read.whole(-1000, 1000)):
        env = read.Env({"LIMIT": text})
        value = env.read("LIMIT", convert, None)
        written = text.strip()
        if value is not None:
            assert re.fullmatch(r"[-+]?(0|[1-9][0-9]*)([.][0-9]+)?", written)
            assert value == (float(written) if isinstance(value, float) else Decimal(written))
        elif written:
            with pytest.raises(ImproperlyConfigured, match="LIMIT: "):
                env.check()


@pytest.mark.parametrize("convert", [read.amount(0, 10_000), read.number(0, 10_000), read.whole(0, 10_000)])
@pytest.mark.parametrize("text", ["1_000", "٣", "５", "0500", "1e3", "nan", "0x10", "1:20", "1,5"])
def test_the_fault_names_the_variable_the_text_and_what_to_write(convert: object, text: str) -> None:
    env = read.Env({"LIMIT": text})
    env.read("LIMIT", convert, None, unit="USDT")  # type: ignore[arg-type]  # one of the three
    with pytest.raises(
        ImproperlyConfigured, match=rf"LIMIT \(USDT\): '{text}' is no plain number: write digits"
    ):
        env.check()


def test_a_file_of_variables_is_read_without_touching_the_process(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("TRADINGV3_ONLY_IN_THE_FILE=1\n", encoding="utf-8")
    assert read.environ_file(file) == {"TRADINGV3_ONLY_IN_THE_FILE": "1"}
    assert "TRADINGV3_ONLY_IN_THE_FILE" not in os.environ


def test_a_file_of_variables_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"SECRET_KEY=caf\xe9\n")
    with pytest.raises(ImproperlyConfigured, match=r"\.env: not UTF-8 text"):
        read.environ_file(tmp_path / ".env")


def test_the_process_wins_over_the_running_servers_and_they_over_env(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADINGV3_VAR", str(tmp_path))
    monkeypatch.setenv("A_PROCESS", "process")
    (tmp_path / "servers.env").write_text('A_PROCESS="servers"\nA_SERVER="servers"\n')
    (tmp_path / ".env").write_text("A_PROCESS=env\nA_SERVER=env\nA_FILE=env\n")
    env = read.load(tmp_path)
    names = ("A_PROCESS", "A_SERVER", "A_FILE")
    assert [env.read(name, read.text, "") for name in names] == ["process", "servers", "env"]
