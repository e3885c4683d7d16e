"""The database after a test that commits is as migrations left it, in a tenth of the time of Django's flush.

That truncates every table, makes content types and permissions anew by hundreds of queries, and takes away
what else migrations had put there: groups, switches, beat's schedule. A test must find those whichever ran
before it, since workers take tests from each other. Nobody but migrations writes content types and
permissions: they stay.
"""

from __future__ import annotations

import functools
from typing import Any

from django.db import connection, transaction
from django.test import TransactionTestCase

MIGRATIONS_OWN = {"django_content_type", "auth_permission"}


@functools.cache
def tables() -> tuple[str, ...]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return tuple(sorted(set(names) - MIGRATIONS_OWN))


@functools.cache
def copy_migrated_rows() -> tuple[str, ...]:
    """Copy the rows that migrations wrote aside, once and before any test; return what puts them back."""
    statements = []
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA as_migrated")
        for n, name in enumerate(_filled_tables()):
            copy = f"as_migrated.copy_{n}"  # of another name: Django's introspection looks into every schema
            cursor.execute(f"CREATE TABLE {copy} AS TABLE {name}")
            cursor.execute(f"SELECT * FROM {name} LIMIT 0")
            columns = ", ".join(connection.ops.quote_name(column.name) for column in cursor.description)
            statements.append(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {copy}")
    return tuple(statements)


def empty(_: Any = None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if filled := _filled_tables():
            cursor.execute(f"TRUNCATE {', '.join(filled)} CASCADE")
        for statement in copy_migrated_rows():  # foreign keys are checked when all of them are back
            cursor.execute(statement)
        cursor.execute("DELETE FROM operator_action")  # a trigger's: that somebody made those switches


def instead_of_flush() -> None:
    """Have every transactional test end so, in this process."""
    TransactionTestCase._fixture_teardown = empty


def _filled_tables() -> list[str]:
    quoted = [connection.ops.quote_name(name) for name in tables()]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{q}' WHERE EXISTS (SELECT FROM {q})" for q in quoted))
        return [name for (name,) in cursor.fetchall()]
