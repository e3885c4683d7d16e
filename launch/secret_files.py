"""Files only we may read: passwords, and the variables that lead to the running servers."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

SERVERS_ENV = "servers.env"
"""In the data folder while a demo runs: the settings of every command started beside it read it."""


class EnvFileUnreadable(Exception):
    """An env file is not text; the message names the file and the line. Saving it as UTF-8 helps."""


def write(path: Path, text: str) -> None:
    """Replace `path` in one step by a file of mode 0600 holding `text`."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def get_or_create_password(path: Path) -> str:
    """Return the password in `path`; it is made there the first time. Letters, digits, - and _ only."""
    if path.is_file():
        return path.read_text(encoding="utf-8").strip()
    password = secrets.token_urlsafe(24)
    write(path, password + "\n")
    return password


def write_env_file(path: Path, variables: Mapping[str, str]) -> None:
    """Write NAME="value" lines that read_env_file and django-environ read back as they were."""
    escaped = {name: re.sub(r'["\\]', r"\\\g<0>", value) for name, value in variables.items()}
    write(path, "".join(f'{name}="{value}"\n' for name, value in escaped.items()))


def read_env_file(path: Path) -> dict[str, str]:
    """Return the NAME=value lines; quotes around a value as django-environ takes them, other lines ignored.

    Empty when there is no such file. Raises EnvFileUnreadable.
    """
    if not path.is_file():
        return {}
    content = path.read_bytes()
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise EnvFileUnreadable(f"{path}: line {line} is no UTF-8 text: save the file as UTF-8") from None

    variables: dict[str, str] = {}
    for text in lines:
        name, equals, value = text.strip().removeprefix("export ").partition("=")
        if equals and name.strip().isidentifier():
            value = value.strip()
            if single := re.fullmatch("'(.*)'", value):
                value = single[1]
            if double := re.fullmatch('"(.*)"', value):
                value = re.sub(r"\\([^rnt])", r"\1", double[1])
            variables[name.strip()] = value
    return variables
