"""Which processes belong to a data folder: found by what they were given, not by our own notes."""

from __future__ import annotations

from pathlib import Path


def belonging(var: Path) -> dict[int, str]:
    """Command lines by pid of all living processes whose environment or arguments name `var`."""
    found: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            arguments = (folder / "cmdline").read_bytes()
            environment = (folder / "environ").read_bytes()
        except OSError:  # it ended while we looked, or belongs to somebody else
            continue
        named = str(var).encode()
        if named in arguments or f"TRADINGV3_VAR={var}".encode() in environment.split(b"\0"):
            found[int(folder.name)] = arguments.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def beats(var: Path) -> list[int]:
    """The pids of the beats of `var`."""
    return [pid for pid, command in belonging(var).items() if " beat " in f"{command} "]
