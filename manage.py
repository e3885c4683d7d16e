#!/usr/bin/env python
"""Django's command line; `./run manage …` calls it inside the project's own environment."""

import os
import sys

PIPED_COLUMNS = "160"
"""Tables that go into a file or a pipe have no terminal to measure: room for the longest names."""


def main() -> None:
    if not sys.stdout.isatty():
        os.environ.setdefault("COLUMNS", PIPED_COLUMNS)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingv3.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as fault:
        sys.exit(f"error: {fault}")


if __name__ == "__main__":
    main()
