"""Requests that a bridge will take are made, and no others."""

import random
import re

import pytest

from console.downlinks.request import fresh_id, payload
from contract.downlinks import BadRequestError, Request, parse_request

NOW = 1_700_000_000_000_000


def test_fresh_ids() -> None:
    """Each is a word that can be read out, another each time, and a bridge takes it."""
    rng = random.Random(1)
    ids = {fresh_id(rng) for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch("([b-z][aeiou]){3}-([b-z][aeiou]){3}", each) for each in ids)
    request = Request(ids.pop(), 10, b"\x01", confirmed=True)
    assert parse_request(payload(request, NOW)) == request


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Request("a b", 10, b""), "id is not 1 to 64"),
        (Request("", 10, b""), "id is not 1 to 64"),
        (Request("a", 224, b""), "port is not 1 to 223"),
        (Request("a", 10, bytes(243)), "bytes are not up to 242"),
        (Request("a", 10, b"", expires=NOW + 32 * 86_400_000_000), "expires is more than 31 days"),
    ],
)
def test_what_a_bridge_would_not_take(request_: Request, reason: str) -> None:
    """It is refused before it is sent."""
    with pytest.raises(BadRequestError, match=reason):
        payload(request_, NOW)
