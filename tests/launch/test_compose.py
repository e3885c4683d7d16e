"""docker-compose.yml, Dockerfile and .env.example against the settings: Docker may not be here to ask."""

from __future__ import annotations

import ast
import importlib
import re
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from launch.paths import REPOSITORY
from launch.program import Market, beat, simulator, workers

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text("utf-8")
EXAMPLE = (REPOSITORY / ".env.example").read_text("utf-8")

OURS = {"migrate", "simulator", "stream", "watch", "worker-mtf", "worker-exchange", "beat", "web"}
SERVERS = {"postgres", "redis"}
# What the servers' images read themselves, and what only docker compose passes on to them.
OF_THE_IMAGES = {
    "POSTGRES_USER",
    "POSTGRES_DB",
    "POSTGRES_PASSWORD",
    "POSTGRES_INITDB_ARGS",
    "VALKEY_PASSWORD",
}
OF_COMPOSE = {"POSTGRES_PASSWORD", "VALKEY_PASSWORD"}
UNIT_WORDS = {
    "percent of the peak": "percent",
    "stop losses in a row": "stop losses in a row",
    "connections": "connections",
    "candles": "candles",
    "requests": "requests",
    "s per refill": "seconds",
    "USDT": "usdt",
    "percent of equity": "percent of equity",
    "times equity": "multiple of equity",
    "positions": "positions",
}


def setting_reads() -> dict[str, ast.Call]:
    """Every `_env.read("NAME", …)` of the settings, by name."""
    tree = ast.parse((REPOSITORY / "tradingv3" / "settings.py").read_text("utf-8"))
    return {
        node.args[0].value: node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "_env.read"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


SETTINGS = setting_reads()


def documented() -> dict[str, tuple[str, str]]:
    """Each variable of .env.example: the value shown, and the comment lines right above it or its group."""
    blocks = re.findall(r"((?:^# .*\n)+)((?:^#[A-Z0-9_]+=.*\n)+)", EXAMPLE, re.M)
    return {
        name: (shown, comment)
        for comment, variables in blocks
        for name, shown in re.findall(r"^#([A-Z0-9_]+)=(.*)$", variables, re.M)
    }


EXAMPLES = documented()


def test_the_services_are_the_processes_and_the_servers() -> None:
    assert set(SERVICES) == OURS | SERVERS


def test_the_processes_are_those_the_demo_supervises() -> None:
    market = Market(port=1)
    var = REPOSITORY / "var"
    names = {program.name for program in workers(1, var=var, env={})}
    names |= {beat(var=var, env={}).name, simulator(market, var=var, env={}).name}
    assert names == OURS - {"migrate"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_command_names_something_that_exists(name: str) -> None:
    command = SERVICES[name]["command"]
    assert all(isinstance(word, str) for word in command)
    if command[:2] == ["python", "manage.py"]:
        assert command[2] in get_commands()
    elif command[0] == "celery":
        assert command[1:3] == ["-A", "tradingv3"]
        assert importlib.import_module("tradingv3.celery").app.main == "tradingv3"
    else:
        assert command[0] == "uvicorn"
        module, _, attribute = command[1].partition(":")
        assert (REPOSITORY / f"{module.replace('.', '/')}.py").is_file()
        assert attribute == "application"


def test_the_mtf_queue_has_one_solo_worker_and_the_exchange_queue_its_own() -> None:
    queues = {
        name: service["command"][service["command"].index("-Q") + 1]
        for name, service in SERVICES.items()
        if "-Q" in (service.get("command") or [])
    }
    assert queues == {"worker-mtf": "mtf", "worker-exchange": "exchange"}
    assert "solo" in SERVICES["worker-mtf"]["command"]
    assert "deploy" not in SERVICES["worker-mtf"]


@pytest.mark.parametrize("name", sorted((OURS | SERVERS) - {"migrate"}))
def test_a_lasting_service_has_a_health_check_and_is_restarted(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout"} <= set(check)
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_migrate_runs_once() -> None:
    assert SERVICES["migrate"]["restart"] == "no"


@pytest.mark.parametrize("name", sorted(OURS - {"migrate", "simulator"}))
def test_a_process_waits_for_its_tables_and_servers(name: str) -> None:
    needs = {service: rule["condition"] for service, rule in SERVICES[name]["depends_on"].items()}
    assert (
        needs.items()
        >= {
            "postgres": "service_healthy",
            "redis": "service_healthy",
            "migrate": "service_completed_successfully",
        }.items()
    )


def test_every_service_waited_for_can_become_what_is_waited_for() -> None:
    for service in SERVICES.values():
        for needed, rule in service.get("depends_on", {}).items():
            assert rule["condition"] != "service_healthy" or "healthcheck" in SERVICES[needed]


def test_only_the_web_process_is_reachable_and_only_from_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:8000:8000"]}


@pytest.mark.parametrize("name", sorted(OURS | SERVERS))
def test_a_variable_is_one_its_reader_knows(name: str) -> None:
    known = set(SETTINGS) if name in OURS else OF_THE_IMAGES
    assert set(SERVICES[name]["environment"]) <= known


def test_what_compose_takes_from_env_is_documented() -> None:
    text = (REPOSITORY / "docker-compose.yml").read_text("utf-8")
    assert set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text)) <= set(EXAMPLES)


def test_no_password_stands_in_compose_or_in_an_argument() -> None:
    for name, service in SERVICES.items():
        secrets = [
            value for key, value in service["environment"].items() if "PASSWORD" in key or "SECRET" in key
        ]
        assert all(value.startswith("${") for value in secrets), name
        words = " ".join(service.get("command") or [])
        assert not re.search(r"(?<!\$)\$\{?[A-Z_]*(PASSWORD|SECRET|KEY)", words), name


def test_volumes_used_are_volumes_declared() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_the_image_copies_what_exists_and_runs_as_an_ordinary_user() -> None:
    sources = re.findall(r"^COPY (\S+) \S+$", DOCKERFILE, re.M)
    assert sources
    assert all((REPOSITORY / source).exists() for source in sources)
    ignored = (REPOSITORY / ".dockerignore").read_text("utf-8").split()
    assert {f"!{source}" for source in sources} <= set(ignored)
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.M)
    assert users[-1] not in ("root", "0")


def test_the_images_python_is_one_the_project_supports() -> None:
    version = re.search(r"^FROM python:3\.(\d+)-", DOCKERFILE, re.M)
    assert version
    assert 11 <= int(version[1]) <= 13


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert set(EXAMPLES) - OF_COMPOSE == set(SETTINGS)


def test_a_copied_example_changes_nothing() -> None:
    assert not re.findall(r"^[^#\n].*$", EXAMPLE, re.M)


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_documented_setting_says_what_it_is_and_shows_its_default(name: str) -> None:
    shown, comment = EXAMPLES[name]
    assert len(comment) > 10
    assert shown or "default" in comment.lower() or "unset" in comment.lower(), f"{name}: no default told"
    default = SETTINGS[name].args[2]
    try:
        value = ast.literal_eval(default)
    except ValueError:  # computed in the settings: the comment tells it
        return
    assert shown == _as_text(value)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        (name, keyword.value.value)
        for name, call in SETTINGS.items()
        for keyword in call.keywords
        if keyword.arg == "unit" and isinstance(keyword.value, ast.Constant)
    ],
)
def test_a_documented_number_names_its_unit(name: str, unit: str) -> None:
    assert UNIT_WORDS[unit] in EXAMPLES[name][1].lower()


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    return str(value)
