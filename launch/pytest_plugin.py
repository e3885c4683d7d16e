"""pytest plugin: a throw-away PostgreSQL and Valkey, up before pytest-django reads the settings.

Loaded by `addopts = -p launch.pytest_plugin`. Servers already named in the environment are used instead; so
xdist's workers, which inherit the controller's environment, start none.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from launch.postgres import Postgres
from launch.valkey import Valkey

PREFIX = "tradingv3-tests-"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """A wrapper, because pytest-django's own hook here is what reads the settings."""
    options = early_config.known_args_namespace
    if not (options.help or options.version):
        _provide(early_config)
    return (yield)


def _provide(config: pytest.Config) -> None:
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(32))
    needed = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
    if not needed and os.environ.get("TRADINGV3_VAR"):
        return
    _remove_leftovers()
    home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    home.chmod(0o711)  # nobody must get through where PostgreSQL runs as nobody
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    os.environ["TRADINGV3_VAR"] = str(home)
    if "DATABASE_URL" in needed:
        postgres = Postgres(home / "postgres", throw_away=True)
        config.add_cleanup(postgres.stop)
        os.environ["DATABASE_URL"] = postgres.start()
    if "REDIS_URL" in needed:
        valkey = Valkey(home / "valkey", throw_away=True)
        config.add_cleanup(valkey.stop)
        os.environ["REDIS_URL"] = valkey.start()


def _remove_leftovers() -> None:
    """Folders of runs that were killed: their servers died with them, nobody else removes the files."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = re.match(rf"{PREFIX}(\d+)-", folder.name)
        if owner and not _exists(int(owner[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
