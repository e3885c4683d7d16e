"""When a thread gives its connection back: to the web process's pool, or to be renewed because it broke."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin


def release_connection() -> None:
    """Give a pooled connection back, close one that broke or is too old; within a transaction do nothing.

    The next query draws another one.
    """
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


class ReleaseConnection(MiddlewareMixin):
    """Gives the connection back before the answer is written: a slow reader holds none. Must be the first."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        release_connection()
        return response
