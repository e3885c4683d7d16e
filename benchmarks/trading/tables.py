"""What the tables say, asked in plain SQL: who judges believes the rows and none of our own code."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]


class Tables:
    """The database at `url`; each question is its own connection, so that a killed server is no matter."""

    def __init__(self, url: str) -> None:
        self._url = url

    def rows(self, query: str, **values: Any) -> list[Row]:
        """Raises psycopg.OperationalError while the server is away."""
        with psycopg.connect(self._url, row_factory=dict_row, connect_timeout=5) as connection:
            return connection.execute(query, values).fetchall()

    def write(self, statement: str, **values: Any) -> None:
        """Committed when this returns; where it raises psycopg.Error it may be nevertheless."""
        with psycopg.connect(self._url, connect_timeout=5) as connection:
            connection.execute(statement, values)
