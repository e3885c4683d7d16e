from __future__ import annotations

import ensurepip
import functools
import hashlib
import http.server
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from launch import bootstrap
from launch.paths import REPOSITORY


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the environment will be made; nothing is installed into it but an empty lock file."""
    lock = tmp_path / "requirements.lock"
    lock.write_text("# nothing\n")
    monkeypatch.setattr(bootstrap, "REPOSITORY", tmp_path)
    monkeypatch.setattr(bootstrap, "LOCKS", {"runtime": lock, "dev": lock})
    monkeypatch.setattr(bootstrap, "make_venv", make_bare)
    monkeypatch.setattr(bootstrap, "install_lock", lambda venv, lock: None)
    monkeypatch.setenv("TRADINGV3_VAR", str(tmp_path / "var"))
    return tmp_path / ".venv"


def make_bare(venv: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (venv / "unfinished").touch()


def made_at(venv: Path) -> int:
    return (venv / "pyvenv.cfg").stat().st_ino


def test_the_second_time_nothing_is_done(venv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main("runtime") == 0
    assert "make .venv" in capsys.readouterr().out
    assert bootstrap.main("runtime") == 0
    assert capsys.readouterr().out == ""


def test_the_tests_packages_include_what_runs_but_not_the_other_way(
    venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[str] = []
    monkeypatch.setattr(bootstrap, "install_lock", lambda venv, lock: installed.append(lock.name))
    for which in ("runtime", "dev", "runtime", "dev"):
        assert bootstrap.main(which) == 0
    assert len(installed) == 2


def test_a_changed_lock_file_is_installed_into_the_same_environment(venv: Path) -> None:
    assert bootstrap.main("runtime") == 0
    before = made_at(venv)
    bootstrap.LOCKS["runtime"].write_text("# another\n")
    installed = (venv / "installed-runtime").read_text()
    assert bootstrap.main("runtime") == 0
    assert (venv / "installed-runtime").read_text() != installed
    assert made_at(venv) == before


def test_an_environment_left_half_made_is_made_again(venv: Path) -> None:
    assert bootstrap.main("runtime") == 0
    (venv / "unfinished").touch()
    (venv / "rubbish").touch()
    assert bootstrap.main("runtime") == 0
    assert not (venv / "rubbish").exists()
    assert not (venv / "unfinished").exists()


def test_an_environment_whose_python_is_gone_is_made_again(venv: Path) -> None:
    assert bootstrap.main("runtime") == 0
    for python in (venv / "bin").glob("python*"):
        python.unlink()
        python.symlink_to("/nowhere/python")
    assert bootstrap.main("runtime") == 0
    assert (venv / "bin" / "python").exists()


def test_an_interruption_leaves_the_mark_that_makes_the_next_start_do_it_again(
    venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(bootstrap, "install_lock", interrupted)
        assert bootstrap.main("runtime") == 130
    assert (venv / "unfinished").exists()
    assert bootstrap.main("runtime") == 0
    assert not (venv / "unfinished").exists()


def test_two_at_once_install_one_after_the_other(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, inside, together = threading.Event(), threading.Semaphore(1), list[bool]()

    def install(venv: Path, lock: Path) -> None:
        together.append(not inside.acquire(blocking=False))
        entered.set()
        other_waits.wait(10.0)
        inside.release()

    other_waits = threading.Event()
    monkeypatch.setattr(bootstrap, "install_lock", install)
    monkeypatch.setattr(
        bootstrap, "say", lambda text: other_waits.set() if "waiting for it" in text else None
    )
    first = threading.Thread(target=bootstrap.main, args=("runtime",))
    first.start()
    assert entered.wait(10.0)
    assert bootstrap.main("runtime") == 0
    first.join()
    assert together == [False]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package index on this machine that offers the pip this Python brought along."""
    # Debian keeps the wheel in a folder of its own.
    folders = [
        Path(ensurepip.__file__).parent / "_bundled",
        Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or "."),
    ]
    bundled = next(wheel for folder in folders for wheel in folder.glob("pip-*.whl"))
    root = tmp_path / "index"
    page = root / "simple" / "pip"
    page.mkdir(parents=True)
    shutil.copy(bundled, root / bundled.name)
    listing = {"files": [{"filename": bundled.name, "url": f"../../{bundled.name}"}]}
    (page / "index.html").write_text(json.dumps(listing))
    monkeypatch.setattr(bootstrap, "PIP_WHEEL", bundled.name)
    monkeypatch.setattr(bootstrap, "PIP_SHA256", hashlib.sha256(bundled.read_bytes()).hexdigest())
    handler = functools.partial(Quiet, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple/")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield root
        server.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_pip_comes_from_the_index_where_python_brings_none(index: Path, tmp_path: Path) -> None:
    make_bare(tmp_path / ".venv")
    bootstrap.install_pip(tmp_path / ".venv")
    python = tmp_path / ".venv" / "bin" / "python"
    assert (
        subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    )


def test_another_file_than_the_pinned_pip_is_refused(index: Path, tmp_path: Path) -> None:
    (index / bootstrap.PIP_WHEEL).write_bytes(b"something else")
    make_bare(tmp_path / ".venv")
    with pytest.raises(bootstrap.PipNotFound, match="SHA-256"):
        bootstrap.install_pip(tmp_path / ".venv")


def test_an_index_without_the_pinned_pip_is_named(index: Path, tmp_path: Path) -> None:
    (index / "simple" / "pip" / "index.html").write_text('{"files": []}')
    with pytest.raises(bootstrap.PipNotFound, match=r"/simple/pip/ lists no pip-"):
        bootstrap.install_pip(tmp_path / ".venv")


def run(folder: Path, *arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(folder / "run"), *arguments], env={"PATH": path}, capture_output=True, text=True, check=False
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The door and a launch folder that only says which Python came."""
    folder = tmp_path / "a checkout"
    (folder / "launch").mkdir(parents=True)
    shutil.copy(REPOSITORY / "run", folder / "run")
    (folder / "launch" / "__init__.py").touch()
    (folder / "launch" / "bootstrap.py").write_text(
        "import sys\nsys.exit(f'bootstrap by {sys.executable}')\n"
    )
    return folder


def shim(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def test_a_shim_that_does_not_run_is_passed_over(checkout: Path, tmp_path: Path) -> None:
    shims = tmp_path / "shims"
    for name in ("python3.13", "python3.12", "python3.11"):
        shim(shims, name, "exit 127")
    shim(shims, "python3", f'exec {shlex.quote(sys.executable)} "$@"')
    done = run(checkout, "demo", path=f"{shims}:/usr/bin:/bin")
    assert f"bootstrap by {os.path.dirname(sys.executable)}" in done.stderr


def test_a_named_python_comes_first(checkout: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(checkout / "run"), "test"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"bootstrap by {sys.executable}" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("help",), ("--help",)])
def test_help_needs_no_python(checkout: Path, arguments: tuple[str, ...]) -> None:
    done = run(checkout, *arguments, path="/usr/bin:/bin")
    assert done.returncode == 0
    assert "./run demo" in done.stdout


def test_an_unknown_word_is_refused_with_the_words_there_are(checkout: Path) -> None:
    done = run(checkout, "dmeo", path="/usr/bin:/bin")
    assert done.returncode == 2
    assert "dmeo" in done.stderr
    assert "./run demo" in done.stderr
