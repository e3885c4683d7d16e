"""pytest plugin: an ephemeral PostgreSQL and Valkey, up before pytest-django reads the settings.

Loaded by `addopts = -p launch.pytest_plugin`. Servers already named in the environment are used instead; so
xdist's workers, which inherit the controller's environment, start none. Each takes a Redis database,
as pytest-django gives each its own PostgreSQL database: queues and announcements never meet.

Bytecode is written, as Python does unless it is told otherwise: the tests start hundreds of processes, and
without it each compiles Django and all of us anew, which is most of what a short one costs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from launch import ephemeral

DATABASES = 16
"""What a Redis server has unless told otherwise."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """A wrapper, because pytest-django's own hook here is what reads the settings."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    options = early_config.known_args_namespace
    provided = all(os.environ.get(name) for name in ephemeral.NAMES)
    if not (provided or options.help or options.version):
        stack = ExitStack()
        early_config.add_cleanup(stack.close)
        os.environ.update(stack.enter_context(ephemeral.servers(durable=False)))
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker.isdigit() and os.environ.get("REDIS_URL"):
        base = os.environ["REDIS_URL"].split("://", 1)
        os.environ["REDIS_URL"] = f"{base[0]}://{base[1].split('/', 1)[0]}/{int(worker) % DATABASES}"
    return (yield)
