"""The servers a system needs, embedded where none are named, and the database brought up to date."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from launch import process, program, secret_files
from launch.paths import REPOSITORY
from launch.postgres import Postgres
from launch.program import Program
from launch.shutdown import Shutdown
from launch.valkey import Valkey

ADMIN = "admin"
MIGRATE = """\
from django.core.management import call_command
call_command("migrate", interactive=False, skip_checks=False)
"""
CREATE_ADMIN = """\
import os
from django.contrib.auth import get_user_model
users = get_user_model().objects
name = os.environ["ADMIN_NAME"]
if not users.filter(username=name).exists():
    users.create_superuser(name, password=os.environ["ADMIN_PASSWORD"])
"""


class SetUpFailed(Exception):
    """A step of the set-up failed; the message holds the end of its log."""


def get_variable(name: str) -> str:
    """Return a variable of the environment or .env, or the text of the file NAME_FILE names; "" for none."""
    for source in (os.environ, secret_files.read_env_file(REPOSITORY / ".env")):
        if value := source.get(name, "").strip():
            return value
        if path := source.get(f"{name}_FILE", "").strip():
            return Path(path).read_text(encoding="utf-8").strip()
    return ""


def get_secret_key(var: Path) -> str:
    """Return Django's SECRET_KEY: the named one, else one made once and kept, so that sessions last."""
    return get_variable("SECRET_KEY") or secret_files.get_or_create_password(var / "secret-key")


def embedded_servers(var: Path, *, give_up: Callable[[], bool]) -> dict[str, Postgres | Valkey]:
    """Return the servers to start ourselves, by the variable that would have named them."""
    servers: dict[str, Postgres | Valkey] = {}
    if not get_variable("DATABASE_URL"):
        servers["DATABASE_URL"] = Postgres(var / "postgres", give_up=give_up)
    if not get_variable("REDIS_URL"):
        servers["REDIS_URL"] = Valkey(var / "valkey")
    return servers


def migrate(*, env: Mapping[str, str], log: Path, shutdown: Shutdown) -> None:
    """Bring the tables up to date. Raises SetUpFailed; Interrupted when a shutdown is requested."""
    _run_to_end(Program("migrate", [*program.MANAGE, "migrate", "--noinput"], env=env, log=log), shutdown)


def migrate_and_create_admin(var: Path, *, env: Mapping[str, str], log: Path, shutdown: Shutdown) -> str:
    """Migrate and create the admin user unless there is one; return the password it was created with.

    In one process: Django takes seconds to start. Raises like migrate.
    """
    password = secret_files.get_or_create_password(var / "admin-password")
    env = {**env, "ADMIN_NAME": ADMIN, "ADMIN_PASSWORD": password}
    command = [*program.MANAGE, "shell", "--no-imports", "-c", MIGRATE + CREATE_ADMIN]
    _run_to_end(Program("set-up", command, env=env, log=log), shutdown)
    return password


def _run_to_end(step: Program, shutdown: Shutdown) -> None:
    step.start()
    while step.is_alive() and not shutdown.requested:
        shutdown.sleep(0.05)
    step.stop()
    shutdown.check()
    if step.exit_code != 0:
        raise SetUpFailed(f"{step.name} failed:\n{process.last_lines(step.log)}")
