"""`python -m benchmarks NAME [--json] [arguments]`: measure one thing and print it.

A benchmark is a module of this package with `run(args) -> dict` (name, params, metrics, stages); one that
needs the database says NEEDS_DJANGO = True. The machine and the commit are added here. Where something is
judged, `metrics.violations` counts what broke a rule, and `violations_found` says each in a sentence.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).resolve().parent
HELP = """\
usage: ./run bench NAME [--json] [arguments]

  NAME            one of: {names}
  --json          print one JSON object instead of a table
  NAME --help     the arguments of that benchmark

  ./run bench indicators --json
"""


def main(arguments: list[str]) -> int:
    """Run the benchmark that is named; return 0 when measured, 1 with violations, 2 for an unknown name."""
    modules = pkgutil.iter_modules([str(FOLDER)])
    names = sorted(module.name for module in modules if not module.ispkg and module.name != "__main__")
    as_json = "--json" in arguments
    words = [argument for argument in arguments if argument != "--json"]
    if not words or words[0] in {"-h", "--help"}:
        print(HELP.format(names=", ".join(names)), end="")
        return 0
    name, *rest = words
    if name not in names:
        print(f"error: there is no benchmark {name!r}; there are: {', '.join(names)}", file=sys.stderr)
        return 2
    if "\nNEEDS_DJANGO = True\n" in (FOLDER / f"{name}.py").read_text():
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingv3.settings")
        import django

        django.setup()  # before the benchmark is imported: it imports models
    benchmark = importlib.import_module(f"benchmarks.{name}")
    machine = {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    result = {**benchmark.run(rest), "machine": machine, "commit": _short_commit()}
    code = 1 if result["metrics"].get("violations") else 0
    if as_json:
        print(json.dumps(result))
        return code
    console = Console()
    console.print(f"{result['name']} at {result['commit']}", style="bold")
    for part in ("params", "metrics", "stages", "machine"):
        if result.get(part):
            table = Table("", "", title=part, title_justify="left", show_header=False)
            for key, value in result[part].items():
                table.add_row(key, str(value))
            console.print(table)
    for sentence in result.get("violations_found", []):
        console.print(sentence, style="red", markup=False)
    return code


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _short_commit() -> str | None:
    """Return the short hash of the checkout; None where there is no git or no repository."""
    command = ["git", "-C", str(FOLDER), "rev-parse", "--short", "HEAD"]
    try:
        git = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    except FileNotFoundError:
        return None
    return git.stdout.strip() or None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
