"""The account's books on disk: a file of lines, each one transaction of rows, appended before anyone is told.

A line is on its way to the disk when `write` returns: it survives the end of this process by any means; a
power cut may cost the last moments of play money. A torn last line is a transaction nobody was told of.
Opening rewrites the file with only the newest version of each row.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from apps.engine.values.errors import TradingError
from apps.exchange.simulator.account.rows import (
    Contract,
    LedgerLine,
    Order,
    Plan,
    Position,
    Presets,
    Row,
    Trade,
    Wallet,
)

KINDS: dict[str, type[Row]] = {
    "Purse": Wallet,
    "Contract": Contract,
    "Order": Order,
    "Plan": Plan,
    "Position": Position,
    "Trade": Trade,
    "Entry": LedgerLine,
}
NAMES = {kind: name for name, kind in KINDS.items()}
FIELD_NAMES = {"cash": "wallet"}
"""What the file calls a row and its field: files written under older names of ours stay readable."""


class JournalError(TradingError):
    """The file of the books cannot be used; nothing was changed."""


class Journal:
    """`market` names the market the books belong to: other books are refused."""

    def __init__(self, path: Path, market: str) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = path.with_name(f"{path.name}.lock").open("w")
        except OSError as fault:
            raise JournalError(f"cannot write beside {path}: {fault.strerror}") from fault
        try:
            # Two processes with the same books would each forget the other's orders.
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            self._lock.close()
            raise JournalError(f"{path} is in use by another simulator; end it first") from fault
        self._header = json.dumps({"books_of": market})
        self._file: TextIO | None = None

    def read(self) -> list[Row]:
        """Return the newest version of every row, none when the books are new. Raises JournalError."""
        if not self._path.exists():
            return []
        header, *lines = self._path.read_text().split("\n")
        if header != self._header:
            raise JournalError(
                f"{self._path} holds the books of another market ({header[:80]}); "
                "move it away to begin new ones"
            )
        rows: dict[tuple[str, str], Row] = {}
        try:
            for line in lines[:-1]:
                for name, values in json.loads(line):
                    columns = {FIELD_NAMES.get(each.name, each.name): each for each in fields(KINDS[name])}
                    row = KINDS[name](
                        **{
                            columns[field].name: _from_json(str(columns[field].type), of)
                            for field, of in values.items()
                        }
                    )
                    rows[name, row.key] = row
        except (ValueError, KeyError, TypeError, ArithmeticError) as fault:
            raise JournalError(
                f"{self._path} is damaged ({fault!r}); move it away to begin new books"
            ) from fault
        return list(rows.values())

    def begin(self, rows: Iterable[Row]) -> None:
        """Write the file anew with these rows, whole or not at all, and go on appending."""
        draft = self._path.with_name(f"{self._path.name}.draft")
        try:
            with draft.open("w") as file:
                file.write(self._header + "\n" + "".join(_line([row]) for row in rows))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
            self._file = self._path.open("a")
        except OSError as fault:
            raise JournalError(f"cannot write {self._path}: {fault.strerror}") from fault

    def write(self, rows: list[Row]) -> None:
        """Append one transaction."""
        assert self._file is not None, "begin comes before write"
        self._file.write(_line(rows))
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._lock.close()


def row_fields(row: Row) -> dict[str, Any]:
    """Return a row as JSON: decimals are text."""
    return {FIELD_NAMES.get(each.name, each.name): _to_json(getattr(row, each.name)) for each in fields(row)}


def _line(rows: Iterable[Row]) -> str:
    return json.dumps([[NAMES[type(row)], row_fields(row)] for row in rows], separators=(",", ":")) + "\n"


def _to_json(value: object) -> object:
    if isinstance(value, Presets):
        return {field.name: _to_json(getattr(value, field.name)) for field in fields(value)}
    return str(value) if isinstance(value, Decimal) else value


def _from_json(kind: str, value: Any) -> Any:
    if kind == "Presets":
        return Presets(
            Decimal(value["take_profit"]),
            value["take_profit_type"],
            Decimal(value["stop_loss"]),
            value["stop_loss_type"],
        )
    return Decimal(value) if kind == "Decimal" else value
