"""Requests for downlinks are read as they are written, and nothing in them is guessed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.downlinks import (
    MAX_BYTES,
    MAX_PORT,
    MAX_REQUEST,
    BadRequestError,
    Request,
    State,
    build_request,
    is_end,
    parse_request,
)
from contract.times import parse_time

_IDS = st.text("abcXYZ019_.:-", min_size=1, max_size=64)
_TIMES = st.none() | st.integers(0, 4_000_000_000_000_000)


def request(**changed: object) -> bytes:
    """Return a small good request with fields added or replaced; None removes one."""
    fields: dict[str, object] = {"id": "a", "port10_bytes": [1, 15]}
    return json.dumps(
        {name: value for name, value in (fields | changed).items() if value is not None}
    ).encode()


@given(
    st.builds(
        Request,
        id=_IDS,
        port=st.integers(1, MAX_PORT),
        data=st.binary(max_size=MAX_BYTES),
        confirmed=st.booleans(),
        immediate=st.booleans(),
        expires=_TIMES,
    )
)
def test_what_is_built_is_read(request: Request) -> None:
    """Every request survives its own JSON, which is short enough to be read."""
    payload = build_request(request)
    assert len(payload) <= MAX_REQUEST
    assert parse_request(payload) == request


def test_the_example_of_the_documents() -> None:
    """Everything that a request may have is read."""
    payload = (
        b'{"id":"open-1","port10_bytes":[1,15],"confirmed":true,'
        b'"expires":"2026-11-26T12:00:00Z","immediate":false}'
    )
    expires = parse_time("2026-11-26T12:00:00Z")
    assert parse_request(payload) == Request(
        "open-1", 10, b"\x01\x0f", confirmed=True, expires=expires
    )


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (request(port10_bytes=None), "needs one portN_bytes"),
        (request(port11_bytes=[1]), "needs one portN_bytes"),
        (request(port10_bytes=None, port0_bytes=[1]), "port is not 1 to 223"),
        (request(port10_bytes=None, port224_bytes=[1]), "port is not 1 to 223"),
        (request(port10_bytes=[256]), "bytes are not up to 242 numbers from 0 to 255"),
        (request(port10_bytes=[-1]), "bytes are not up to 242 numbers from 0 to 255"),
        (request(port10_bytes=[1.0]), "bytes are not up to 242 numbers from 0 to 255"),
        (request(port10_bytes=[True]), "bytes are not up to 242 numbers from 0 to 255"),
        (request(port10_bytes=[0] * 243), "bytes are not up to 242 numbers from 0 to 255"),
        (request(port10_bytes="AQ8="), "bytes are not up to 242 numbers from 0 to 255"),
        (request(confirmed="true"), "confirmed is not true or false"),
        (request(confirmed=1), "confirmed is not true or false"),
        (request(immediate="no"), "immediate is not true or false"),
        (request(expires="tomorrow"), "expires is not a time in ISO 8601"),
        (request(expires=1_800_000_000), "expires is not a time in ISO 8601"),
        (request(priority="high"), "unknown key priority"),
    ],
)
def test_a_wrong_request_with_an_id(payload: bytes, reason: str) -> None:
    """It says what is wrong, and to whom the answer goes."""
    with pytest.raises(BadRequestError) as caught:
        parse_request(payload)
    assert (caught.value.reason, caught.value.id) == (reason, "a")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"nonsense",
        b"[]",
        b'"a"',
        b"\xff\xfe",
        b"[" * 4000,
        b'{"id":' + b"[" * 4000,
        request(id=None),
        request(id=7),
        request(id=""),
        request(id="a/b"),
        request(id="a\n"),
        request(id="x" * 65),
        request(port10_bytes=[0] * MAX_REQUEST),
    ],
)
def test_a_wrong_request_without_an_id(payload: bytes) -> None:
    """There is nobody to answer."""
    with pytest.raises(BadRequestError) as caught:
        parse_request(payload)
    assert caught.value.id is None


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_noise_is_no_request(payload: bytes) -> None:
    """Whatever comes, there is a request or a reason."""
    try:
        parse_request(payload)
    except BadRequestError as error:
        assert error.reason


def test_the_ends() -> None:
    """An unconfirmed downlink ends when it is sent, a confirmed one with its acknowledgement."""
    assert {state for state in State if is_end(state, confirmed=True)} == {
        *(State.ACKNOWLEDGED, State.NOT_ACKNOWLEDGED),
        *(State.FAILED, State.EXPIRED, State.UNKNOWN),
    }
    assert is_end(State.SENT, confirmed=False)
    assert not is_end(State.SUBMITTED, confirmed=False)
