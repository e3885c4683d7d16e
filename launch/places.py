"""Where things are: the repository and the folder that holds everything a running system leaves."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


class FolderRefused(Exception):
    """A folder's path has a character that a tool below cannot bear; another folder helps."""


def check() -> None:
    """Raises FolderRefused when the repository or the data folder has a name we cannot work under."""
    # A line break ends a line of pyvenv.cfg, a byte that is no UTF-8 (Cs) cannot be written into a file, and
    # python -m venv makes no environment where a path has PATH's own separator.
    for folder, separator in ((REPOSITORY, os.pathsep), (_var(), "")):
        for character in str(folder):
            if character == separator or unicodedata.category(character) in ("Cc", "Cs"):
                raise FolderRefused(
                    f"the path {str(folder)!r} has the character {character!r}, under which not all of "
                    "TradingV3 works: rename the folder"
                )


def var() -> Path:
    """The data folder: TRADINGV3_VAR, else `var` in the repository; made when absent."""
    folder = _var()
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    return folder


def _var() -> Path:
    return Path(os.environ.get("TRADINGV3_VAR") or REPOSITORY / "var").resolve()
