"""Brings a database up to date: tables, and the admin user of the first start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from launch import private, process, processes
from launch.ending import Ending
from launch.program import Program

ADMIN = "admin"
MIGRATE = """\
from django.core.management import call_command
call_command("migrate", interactive=False, skip_checks=False)
"""
MAKE_ADMIN = """\
import os
from django.contrib.auth import get_user_model
users = get_user_model().objects
name = os.environ["ADMIN_NAME"]
if not users.filter(username=name).exists():
    users.create_superuser(name, password=os.environ["ADMIN_PASSWORD"])
"""


class SetUpFailed(Exception):
    """A step of the set-up failed; the message holds the end of its log."""


def migrate(*, env: Mapping[str, str], log: Path, ending: Ending) -> None:
    """Raises SetUpFailed; Interrupted when the end is asked for."""
    _finish(Program("migrate", [*processes.MANAGE, "migrate", "--noinput"], env=env, log=log), ending)


def set_up(var: Path, *, env: Mapping[str, str], log: Path, ending: Ending) -> str:
    """Migrate and make the admin user unless there is one, in one process: Django takes seconds to start.

    The password the admin was made with. Raises like migrate.
    """
    password = private.kept_password(var / "admin-password")
    secret = {"ADMIN_NAME": ADMIN, "ADMIN_PASSWORD": password}
    command = [*processes.MANAGE, "shell", "--no-imports", "-c", MIGRATE + MAKE_ADMIN]
    _finish(Program("set-up", command, env={**env, **secret}, log=log), ending)
    return password


def _finish(program: Program, ending: Ending) -> None:
    program.start()
    while program.alive() and not ending.requested:
        ending.sleep(0.05)
    program.stop()
    ending.check()
    if program.exit_code != 0:
        raise SetUpFailed(f"{program.name} failed:\n{process.last_lines(program.log)}")
