from __future__ import annotations

import pytest
from django.db import connection
from django.urls import reverse
from rest_framework.test import APIClient

from tests.api.addresses import FOR_ANYBODY, FOR_READERS, RUN_ID
from tests.factories import ContractFactory, MtfRunFactory, StreamHealthFactory


@pytest.mark.parametrize("address", [*FOR_ANYBODY, *FOR_READERS])
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_a_get_works_on_a_database_that_refuses_every_write(
    method: str, address: str, reader: APIClient
) -> None:
    ContractFactory.create()
    StreamHealthFactory.create()
    MtfRunFactory.create(**({"run_id": RUN_ID} if RUN_ID in address else {}))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else they are checked, and refused, at the end
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else they are checked, and refused, at the end
        cursor.execute("SET TRANSACTION READ ONLY")
    answer = getattr(reader, method)(address)
    assert answer.status_code == (503 if address == reverse("api:ready") and method != "options" else 200)
