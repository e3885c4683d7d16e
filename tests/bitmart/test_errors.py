from __future__ import annotations

import json

import pytest

from apps.exchange.bitmart import errors
from apps.exchange.bitmart.errors import BitMartError, error_for, open_envelope
from tests.bitmart import fixtures

TABLE = "errors/error_codes.json"
REACTIONS = {
    errors.TooManyRequests: [30013],
    errors.AddressBlocked: [30017],
    errors.Unavailable: [30014, 25601],
    errors.Maintenance: [30016],
    errors.ClockOff: [30007, 40013],
    errors.BadSymbol: [40014, 40015, 40034],
    errors.AccessDenied: [30001, 30002, 30005, 30010, 30012, 30019, 40046, 40047],
    errors.WrongRequest: [30000, 30018, 30030, 30031, 40007, 40038, 40039, 40048, 49998],
    errors.Refused: [40016, 40027, 40029, 40040, 42000],
    errors.StateDiffers: [40020, 40035, 40037, 40050],
    errors.Unclear: [40012],
}


@fixtures.needed
def test_every_documented_code_but_success_has_its_own_place_in_the_table() -> None:
    rows = [row for group in ("official", "extra") for row in fixtures.load(TABLE)[group]]
    assert len(rows) >= 75
    in_doubt = {
        row["code"]
        for row in rows
        if row["code"] != errors.OK and type(error_for("/x", 400, code=row["code"])) is errors.Unclear
    }
    assert in_doubt == {40012}


@pytest.mark.parametrize(
    ("kind", "code"), [(kind, code) for kind, codes in REACTIONS.items() for code in codes]
)
def test_a_code_calls_for_its_reaction_whatever_the_http_status(kind: type[BitMartError], code: int) -> None:
    assert type(error_for("/x", 200, code=code)) is kind
    assert type(error_for("/x", 400, code=code)) is kind


@fixtures.needed
@pytest.mark.parametrize("name", fixtures.names("errors/[34]*.json"))
def test_a_recorded_error_raises_what_its_code_means(name: str) -> None:
    recorded = fixtures.load(name)
    body = recorded["body"]
    expected = type(error_for("/x", 400, code=body["code"]))
    with pytest.raises(expected, match=str(body["code"])) as caught:
        open_envelope("/contract/x", recorded["http_status"], json.dumps(body).encode())
    assert body["message"] in str(caught.value)
    assert body["trace"] in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (503, b"<html><h1>503 Service Temporarily Unavailable</h1></html>", errors.Unavailable),
        (403, b"<!DOCTYPE html><title>Attention Required!</title>", errors.Unavailable),
        (200, b"", errors.Unavailable),
        (200, b'{"data":[]}', errors.Unavailable),
        (200, b'{"code":"1000","data":[]}', errors.Unavailable),
        (200, b'{"code":true,"data":[]}', errors.Unavailable),
        (200, b"[1000]", errors.Unavailable),
        (200, b"[" * 100_000, errors.Unavailable),
        (200, b"\xff\xfe{", errors.Unavailable),
        (429, b"slow down", errors.TooManyRequests),
        (418, b"<html>", errors.AddressBlocked),
        (418, b'{"code":30013,"message":"Request too many requests"}', errors.AddressBlocked),
        (500, b'{"code":99999,"message":"?"}', errors.Unavailable),
        (400, b'{"code":99999,"message":"?"}', errors.Unclear),
        (200, b'{"code":42000,"message":"Insufficient balance"}', errors.Refused),
    ],
)
def test_an_answer_that_is_no_success_is_never_read_as_one(
    status: int, body: bytes, kind: type[BitMartError]
) -> None:
    with pytest.raises(BitMartError) as caught:
        open_envelope("/contract/public/kline", status, body)
    assert type(caught.value) is kind
    assert "/contract/public/kline" in str(caught.value)


def test_only_what_can_heal_by_itself_is_retryable() -> None:
    assert {kind for kind in REACTIONS if kind.retryable} == {
        errors.TooManyRequests,
        errors.AddressBlocked,
        errors.Unavailable,
        errors.Maintenance,
        errors.ClockOff,
    }


def test_a_success_gives_its_data_with_exact_numbers() -> None:
    envelope = open_envelope("/x", 200, b'{"code":1000,"message":"Ok","trace":"t1","data":{"price":0.1}}')
    assert (str(envelope.data["price"]), envelope.trace) == ("0.1", "t1")
