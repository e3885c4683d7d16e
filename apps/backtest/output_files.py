"""Files that a long run ends in: proven writable before it, and never left half-written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def write_faults(paths: Sequence[Path]) -> list[str]:
    """Return a fault for each path that cannot be written, and for one that is named twice."""
    faults = [f"{path}: {fault}" for path in dict.fromkeys(paths) if (fault := _write_fault(path))]
    return faults + [f"{path} is named twice" for path in dict.fromkeys(paths) if paths.count(path) > 1]


def write_file(path: Path, text: str) -> None:
    """Write the whole text in place of what was there. OSError when that fails: the old file stays."""
    try:
        if _is_special(path):
            path.write_text(text, "utf-8")
            return
        draft = _draft(path)
        try:
            draft.write_text(text, "utf-8")
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as fault:
        raise OSError(fault.errno, fault.strerror, str(path)) from fault


def _write_fault(path: Path) -> str:
    if path.is_dir():
        return "it is a folder, name a file"
    if not path.parent.is_dir():
        return f"the folder {path.parent} does not exist"
    if _is_special(path):
        return "" if os.access(path, os.W_OK) else "it cannot be written"
    try:
        _draft(path).touch()
        _draft(path).unlink()
    except OSError as fault:
        return f"it cannot be written: {fault.strerror}"
    return ""


def _is_special(path: Path) -> bool:
    """Whether it is a pipe, a device or a link: written through, because replacing it would destroy it."""
    return path.is_symlink() or (path.exists() and not path.is_file())


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.draft")
