"""A folder may have any name: who reads, writes or passes on its path takes every character for itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis
from hypothesis import example, given
from hypothesis import strategies as st

from launch import bootstrap, paths, ports, postgres_user, process, secret_files
from launch.ephemeral import servers as throw_away_servers
from launch.paths import REPOSITORY
from launch.postgres import Postgres
from launch.valkey import Valkey
from tests.launch import machine
from tests.launch.test_bootstrap import make_bare
from tests.launch.test_demo import demo
from tradingv3.env import environ_file

ALL = "tr é'\"%#$HOME `id` 日 x\\n[a]*?;&|<>!~{}"
NAMES = [
    " blank  blanks ",
    "it's",
    'say "no"',
    "100%s",
    "#1",
    "$HOME",
    "`id`",
    "back\\slash\\",
    "é",
    "日本",
    "-x",
]
names = pytest.mark.parametrize("name", [*NAMES, ALL])


@pytest.fixture
def named(home: Path, name: str) -> Path:
    folder = home / name
    folder.mkdir(mode=0o711)
    return folder


@pytest.mark.parametrize("name", ["it's", "é", "日本", ALL])
def test_a_cluster_is_made_there_and_found_again(named: Path) -> None:
    server = Postgres(named, ephemeral=True)
    try:
        url = server.start()
        server.stop()
        assert server.start() == url
        with psycopg.connect(url) as connection:
            [shown] = connection.execute("SHOW data_directory").fetchone() or [None]
        assert Path(str(shown)).parent == postgres_user.choose(named).home
    finally:
        server.stop()


@names
def test_valkey_keeps_its_data_there(named: Path) -> None:
    server = Valkey(named)
    try:
        url = server.start()
        with redis.Redis.from_url(url) as client:
            client.set("kept", "yes")
            assert client.config_get("dir") == {"dir": os.fsdecode(named)}
        server.stop()
        with redis.Redis.from_url(server.start()) as client:
            assert client.get("kept") == b"yes"
    finally:
        server.stop()


def test_postgresql_installed_there_makes_a_cluster(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """initdb passes its own path on to sh."""
    programs = postgres_user.installed_programs()
    packages = home / ALL
    postgres_user.copy_programs(programs, packages)
    moved = packages / postgres_user.PACKAGE / "pginstall18" / "bin"
    monkeypatch.setattr(postgres_user, "installed_programs", lambda: moved)
    server = Postgres(home / "cluster", ephemeral=True)
    try:
        with psycopg.connect(server.start()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.stop()


def test_servers_for_a_while_live_in_a_temporary_folder_of_that_name(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ALL).mkdir(mode=0o711)
    monkeypatch.setattr("tempfile.tempdir", str(home / ALL))
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "TRADINGV3_VAR"):
        monkeypatch.delenv(name, raising=False)
    with (
        throw_away_servers(durable=False) as variables,
        psycopg.connect(variables["DATABASE_URL"]) as connection,
    ):
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not list((home / ALL).iterdir())


@names
@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C"}, {"LANG": "C.UTF-8"}], ids=["none", "C", "UTF-8"])
def test_a_child_gets_its_arguments_and_its_log_in_any_locale(
    named: Path, name: str, locale: dict[str, str]
) -> None:
    says = "import os, sys; print(os.fsencode(sys.argv[1]) == os.fsencode(sys.argv[2]), sys.argv[1])"
    child = process.start(
        [sys.executable, "-X", "utf8", "-c", says, str(named), str(named)],
        env=locale,
        log=named / "log" / "x",
    )
    assert child.wait() == 0
    assert (named / "log" / "x").read_text("utf-8") == f"True {named}\n"


@pytest.mark.parametrize("name", ["é", ALL])
def test_the_whole_launch_starts_and_ends_over_a_data_folder_of_that_name(
    named: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TRADINGV3_VAR", str(named / "var"))
    with demo(named / "var", "--port", str(ports.find_free()), "--seconds", "0.5") as terminal:
        assert terminal.demo.wait(60) == 0, terminal.text()
        assert f"the data stays in {named / 'var'}" in terminal.text()


@names
@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C"}], ids=["none", "C"])
def test_run_finds_its_own_folder(named: Path, name: str, locale: dict[str, str]) -> None:
    """Called from beside it, while CDPATH leads elsewhere and nothing but PATH is set."""
    (named / "launch").mkdir()
    shutil.copy(REPOSITORY / "run", named / "run")
    (named / "launch" / "__init__.py").touch()
    says = "import json, os, sys\nsys.exit(json.dumps([os.getcwd(), sys.flags.utf8_mode]))\n"
    (named / "launch" / "bootstrap.py").write_text(says)
    elsewhere = named.parent / "elsewhere"
    (elsewhere / name).mkdir(parents=True)
    path = f"./{name}" if name.startswith("-") else name  # the kernel would hand -x/run to sh as options
    env = {"PATH": "/usr/bin:/bin", "PYTHON": sys.executable, "CDPATH": str(elsewhere), **locale}
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" demo', f"{path}/run"],
        cwd=named.parent,
        env=env,
        capture_output=True,
        check=False,
    )
    assert json.loads(done.stderr) == [str(named), 1]


@names
def test_an_environment_is_made_there_once(named: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = named / "requirements.lock"
    requirements.write_text("# nothing\n")
    monkeypatch.setattr(bootstrap, "REPOSITORY", named)
    monkeypatch.setattr(bootstrap, "LOCKS", {"runtime": requirements, "dev": requirements})
    monkeypatch.setattr(bootstrap, "make_venv", make_bare)
    monkeypatch.setattr(bootstrap, "install_lock", lambda venv, lock: None)
    monkeypatch.setenv("TRADINGV3_VAR", str(named / "var"))
    assert bootstrap.main("runtime") == 0
    python = named / ".venv" / "bin" / "python"
    assert os.fsdecode(subprocess.check_output([python, "-c", "import sys; print(end=sys.prefix)"])) == str(
        named / ".venv"
    )
    monkeypatch.setattr(bootstrap, "make_venv", None)
    assert bootstrap.main("runtime") == 0


@names
def test_who_holds_the_folder_is_named_with_it(named: Path) -> None:
    with (
        paths.hold_data_folder(named, what="demo", port=8000),
        pytest.raises(paths.DataFolderInUse, match=r"in use by ./run demo \(pid \d+\)") as refused,
        paths.hold_data_folder(named, what="manage"),
    ):
        pass
    assert str(named) in str(refused.value)


values = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1).filter(
    lambda text: text == text.strip()
)


@given(values)
@example("'quoted'")
@example('"quoted"')
@example("'\"both\"'")
@example("back\\slash\\n\\")
@example("redis://:a#b$c%20'd\"@h/0")
@example("'")
@example('a"')
def test_a_variable_in_servers_env_is_read_as_it_was_written(value: str) -> None:
    with machine.passable_folder() as folder:
        secret_files.write_env_file(folder / secret_files.SERVERS_ENV, {"SECRET_KEY": value})
        assert secret_files.read_env_file(folder / secret_files.SERVERS_ENV) == {"SECRET_KEY": value}
        assert environ_file(folder / secret_files.SERVERS_ENV) == {"SECRET_KEY": value}


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
@example("'\"both\"'")
@example('"a\\"b"')
@example("'a")
def test_the_launcher_and_the_settings_read_one_line_of_env_alike(value: str) -> None:
    with machine.passable_folder() as folder:
        (folder / ".env").write_text(f"SECRET_KEY={value}\n", encoding="utf-8")
        [settings] = environ_file(folder / ".env").values()
        [launcher] = secret_files.read_env_file(folder / ".env").values()
    assert launcher.strip() == settings.strip()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("two\nlines", r"/two\nlines/var' has the character '\n'"),
        ("bell\a", r"the character '\x07'"),
        (os.fsdecode(b"latin-\xe9"), r"/latin-\udce9/var' has the character '\udce9'"),
    ],
)
def test_a_name_that_tools_below_cannot_bear_is_refused_in_one_sentence(
    home: Path, name: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / name).mkdir()
    monkeypatch.setenv("TRADINGV3_VAR", str(home / name / "var"))
    assert bootstrap.main("runtime") == 1
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert not (home / name / "var").exists()


def test_a_colon_is_refused_for_the_repository_where_python_would_not_make_its_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "REPOSITORY", home / "a:b")
    monkeypatch.setenv("TRADINGV3_VAR", str(home / "data:folder"))
    assert bootstrap.main("runtime") == 1
    assert "a:b' has the character ':'" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setenv("TRADINGV3_VAR", str(home / "data:folder"))
    assert paths.data_folder() == home / "data:folder"


def test_an_env_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"SECRET_KEY=caf\xe9\n")
    with pytest.raises(secret_files.EnvFileUnreadable, match=r"\.env: line 1 is no UTF-8 text"):
        secret_files.read_env_file(tmp_path / ".env")


@pytest.mark.slow
def test_the_whole_system_runs_in_a_clone_of_that_name_with_nothing_set(home: Path) -> None:
    """Installs into the clone, as a first start does."""
    clone = home / "tr é'\"%#$日 x"
    clone.mkdir()
    files = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    for file in os.fsdecode(files).split("\0")[:-1]:
        (clone / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / file, clone / file)
    inherited = {
        name: value for name, value in os.environ.items() if name.lower().endswith(("proxy", "index_url"))
    }
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHON": sys._base_executable, **inherited}  # type: ignore[attr-defined]  # CPython's

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["./run", *arguments],
            cwd=clone, env=env, text=True, encoding="utf-8",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip

    demo = run("demo", "--port", str(ports.find_free()), "--seconds", "10", "--symbols", "3")
    assert demo.returncode == 0, demo.stdout
    assert "up after" in demo.stdout
    manage = run("manage", "check_profiles")
    assert manage.returncode == 0, manage.stdout
    tests = run("test", "tests/launch/test_valkey.py", "-q")
    assert tests.returncode == 0, tests.stdout
