"""Where things are: the repository, and the data folder, which has one holder at a time."""

from __future__ import annotations

import fcntl
import json
import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


class FolderRefused(Exception):
    """A folder's path has a character that a tool below cannot bear; another folder helps."""


@dataclass(frozen=True)
class Holder:
    """Who holds the data folder: `what` is the ./run command, `port` the web port or 0."""

    pid: int
    what: str
    port: int = 0

    def __str__(self) -> str:
        where = f" on http://127.0.0.1:{self.port}" if self.port else ""
        return f"./run {self.what} (pid {self.pid}){where}"


class DataFolderInUse(Exception):
    """Somebody else holds the data folder; waiting or ending him helps."""

    def __init__(self, folder: Path, holder: Holder) -> None:
        super().__init__(f"{folder} is in use by {holder}; end that first (Ctrl-C there)")
        self.holder = holder


def check_folders() -> None:
    """Raise FolderRefused when the repository or the data folder has a name we cannot work under."""
    # A line break ends a line of pyvenv.cfg, a byte that is no UTF-8 (Cs) cannot be written into a file, and
    # python -m venv makes no environment where a path has PATH's own separator.
    for folder, separator in ((REPOSITORY, os.pathsep), (_data_folder_path(), "")):
        for character in str(folder):
            if character == separator or unicodedata.category(character) in ("Cc", "Cs"):
                raise FolderRefused(
                    f"the path {str(folder)!r} has the character {character!r}, under which not all of "
                    "TradingV3 works: rename the folder"
                )


def data_folder() -> Path:
    """Return the data folder: TRADINGV3_VAR, else `var` in the repository; it is made when absent."""
    folder = _data_folder_path()
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    return folder


@contextmanager
def hold_data_folder(folder: Path, *, what: str, port: int = 0) -> Iterator[None]:
    """Hold `folder` while the block runs. Raises DataFolderInUse, naming who holds it.

    By an flock on the file `lock` in it: the kernel releases that however its holder ends.
    """
    path = folder / "lock"
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            try:
                holder = Holder(**json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, TypeError):  # held, but its holder has not written his name yet
                holder = Holder(pid=0, what="of another terminal that is just starting")
            raise DataFolderInUse(folder, holder) from None
        file.truncate(0)
        json.dump(asdict(Holder(pid=os.getpid(), what=what, port=port)), file)
        file.flush()
        yield


def _data_folder_path() -> Path:
    return Path(os.environ.get("TRADINGV3_VAR") or REPOSITORY / "var").resolve()
