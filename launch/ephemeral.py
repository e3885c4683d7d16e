"""Servers for one piece of work, in a temporary folder, gone afterwards."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from launch.postgres import Postgres
from launch.valkey import Valkey

PREFIX = "tradingv3-"
NAMES = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "TRADINGV3_VAR")


@contextmanager
def servers(*, durable: bool) -> Iterator[dict[str, str]]:
    """Yield the variables NAMES, which lead to a fresh PostgreSQL and Valkey; those already set are kept.

    `durable` keeps fsync on: slower, but what a real installation does.
    """
    remove_leftovers()
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        home.chmod(0o711)  # nobody must get through where PostgreSQL runs as nobody
        variables = {"SECRET_KEY": secrets.token_urlsafe(32), "TRADINGV3_VAR": str(home)}
        variables |= {name: os.environ[name] for name in NAMES if os.environ.get(name)}
        if "DATABASE_URL" not in variables:
            postgres = Postgres(home / "postgres", ephemeral=not durable)
            stack.callback(postgres.stop)
            variables["DATABASE_URL"] = postgres.start()
        if "REDIS_URL" not in variables:
            valkey = Valkey(home / "valkey", ephemeral=not durable)
            stack.callback(valkey.stop)
            variables["REDIS_URL"] = valkey.start()
        yield variables


def remove_leftovers() -> None:
    """Remove the folders of work that was killed: its servers died with it, nobody else removes the files."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = re.match(rf"{PREFIX}(\d+)-", folder.name)
        if owner is None:
            continue
        try:
            os.kill(int(owner[1]), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except PermissionError:  # somebody else's, and alive
            continue
