"""Readers of the real web process: they share its few connections, and take none from trading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
import requests

from tests.launch import machine
from tests.system.processes import WEB, Processes, run_processes
from tests.system.reader import Reader
from tests.system.until import until

MOST = 4
READERS = 32
LONG_RUNS = """
INSERT INTO mtf_run
    (run_id, profile, digest, minute, trigger, status, counts, no_room, dry_run, options, timings, started_at,
     error)
SELECT gen_random_uuid(), 'long', '', now(), 'command', 'failed', '{}', '[]', true,
       jsonb_build_object('symbols', repeat('x', 100000)), '{}', now() - interval '1 hour', ''
FROM generate_series(1, 100)
"""


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with machine.passable_folder() as folder:
        var = folder / "var"
        var.mkdir(mode=0o711)
        more = {"WEB_DATABASE_CONNECTIONS": str(MOST), "DJANGO_SETTINGS_MODULE": "tradingv3.settings"}
        with run_processes(var, symbols=1, names=(WEB,), more=more) as system:
            yield Reader(system)


@contextmanager
def locked(system: Processes, table: str) -> Iterator[None]:
    """Whoever asks for `table` waits while the block runs."""
    with psycopg.connect(system.env["DATABASE_URL"]) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


def test_many_readers_share_the_few_connections_and_every_one_is_answered(reader: Reader) -> None:
    paths = ("/api/mtf/status", "/api/mtf/runs", "/api/positions", "/admin/login/")
    most = 0
    with ThreadPoolExecutor(READERS) as pool:
        answers = [pool.submit(reader.get, paths[n % len(paths)]) for n in range(10 * READERS)]
        while not all(answer.done() for answer in answers):
            most = max(most, reader.connections())
    assert 0 < most <= MOST
    assert Counter(answer.result().status_code for answer in answers) == {200: 10 * READERS}


def test_who_gets_no_connection_in_time_is_told_so_by_503_and_never_by_500(reader: Reader) -> None:
    with ThreadPoolExecutor(READERS) as pool:
        with locked(reader.system, "mtf_run"):
            waiting = [pool.submit(reader.get, "/api/mtf/runs") for _ in range(MOST)]
            until("every connection is busy", lambda: reader.connections() == MOST, patience_s=10)
            late = [pool.submit(reader.get, "/api/mtf/switches") for _ in range(MOST)]
            admin = pool.submit(
                requests.get, f"{reader.system.web}/admin/", cookies={"sessionid": "x" * 32}, timeout=60
            )
            refused = [answer.result() for answer in late]
            assert {answer.status_code for answer in (*refused, admin.result())} == {503}
            assert reader.connections() == MOST
        assert {answer.result().status_code for answer in waiting} == {200}
    assert {(answer.json()["status"], answer.json()["code"]) for answer in refused} == {
        ("error", "unavailable")
    }
    assert (
        f"within 5 s: it does not answer, or more ask at once than the {MOST}" in refused[0].json()["message"]
    )
    assert admin.result().text.startswith("no connection to the database came free within 5 s")
    assert reader.get("/api/mtf/switches").status_code == 200


def test_a_reader_who_does_not_take_his_answer_holds_no_connection(reader: Reader) -> None:
    with psycopg.connect(reader.system.env["DATABASE_URL"]) as connection:
        connection.execute(LONG_RUNS)
    assert len(reader.get("/api/mtf/runs?limit=100").content) > 9_000_000, "no kernel keeps this much of it"
    with ExitStack() as stack:
        for _ in range(3 * MOST):
            asking = stack.enter_context(reader.asking("/api/mtf/runs?limit=100", window=4096))
            assert asking.recv(9) == b"HTTP/1.1 "
        assert reader.get("/api/mtf/status").status_code == 200
        assert reader.connections() <= MOST


def test_a_reader_who_hangs_up_leaves_no_connection_behind(reader: Reader) -> None:
    with locked(reader.system, "mtf_run"):
        hung = [reader.asking("/api/mtf/runs", window=4096) for _ in range(MOST)]
        until("every connection is busy", lambda: reader.connections() == MOST, patience_s=10)
        for answer in hung:
            answer.close()
    for _ in range(10):
        for answer in [reader.asking("/api/mtf/status", window=4096) for _ in range(MOST)]:
            answer.close()
    with ThreadPoolExecutor(MOST) as pool:
        with locked(reader.system, "mtf_run"):
            answers = [pool.submit(reader.get, "/api/mtf/runs") for _ in range(MOST)]
            until("every connection is still there", lambda: reader.connections() == MOST, patience_s=10)
        assert {answer.result().status_code for answer in answers} == {200}
