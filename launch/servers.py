"""The servers a system needs and the variables that lead to them; embedded ones when none are named."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from launch import private
from launch.places import REPOSITORY
from launch.postgres import Postgres
from launch.valkey import Valkey

FILE = "servers.env"


class EnvFileUnreadable(Exception):
    """An env file is not text; the message names the file and the line. Saving it as UTF-8 helps."""


def named(name: str) -> str:
    """A variable from the environment or .env, or the file its NAME_FILE names; "" when absent."""
    for source in (os.environ, env_file(REPOSITORY / ".env")):
        if value := source.get(name, "").strip():
            return value
        if path := source.get(f"{name}_FILE", "").strip():
            return Path(path).read_text(encoding="utf-8").strip()
    return ""


def embedded(
    var: Path, *, throw_away: bool = False, give_up: Callable[[], bool] = lambda: False
) -> dict[str, Postgres | Valkey]:
    """The servers to start ourselves, by the variable that would have named them."""
    servers: dict[str, Postgres | Valkey] = {}
    if not named("DATABASE_URL"):
        servers["DATABASE_URL"] = Postgres(var / "postgres", throw_away=throw_away, give_up=give_up)
    if not named("REDIS_URL"):
        servers["REDIS_URL"] = Valkey(var / "valkey", throw_away=throw_away)
    return servers


def secret_key(var: Path) -> str:
    """Django's SECRET_KEY: the named one, else one made once and kept, so that sessions survive restarts."""
    return named("SECRET_KEY") or private.kept_password(var / "secret-key")


def write(var: Path, variables: Mapping[str, str]) -> None:
    """Let every command started beside us find the running system (the settings read this file)."""
    escaped = {name: re.sub(r'["\\]', r"\\\g<0>", value) for name, value in variables.items()}
    lines = [f'{name}="{value}"\n' for name, value in escaped.items()]
    private.write(var / FILE, "".join(lines))


def remove(var: Path) -> None:
    (var / FILE).unlink(missing_ok=True)


def env_file(path: Path) -> dict[str, str]:
    """NAME=value lines; quotes around a value as django-environ takes them, anything else ignored.

    Raises EnvFileUnreadable.
    """
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    content = path.read_bytes()
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise EnvFileUnreadable(f"{path}: line {line} is no UTF-8 text: save the file as UTF-8") from None
    for text in lines:
        name, equals, value = text.strip().removeprefix("export ").partition("=")
        if equals and name.strip().isidentifier():
            value = value.strip()
            if single := re.fullmatch("'(.*)'", value):
                value = single[1]
            if double := re.fullmatch('"(.*)"', value):
                value = re.sub(r"\\([^rnt])", r"\1", double[1])
            found[name.strip()] = value
    return found
