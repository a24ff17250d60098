"""Answers for the scripts of the pages: JSON, and events as they come (server-sent events).

The form of events is that of the HTML standard, "Server-sent events".
"""

from collections.abc import Iterable, Iterator

import msgspec
from starlette.responses import Response, StreamingResponse

_encoder = msgspec.json.Encoder(decimal_format="number")


def as_json(content: object, status: int = 200) -> Response:
    """Return content, of which dataclasses are objects, as JSON."""
    return Response(_encoder.encode(content), status, media_type="application/json")


def stream(events: Iterable[tuple[str, object] | None]) -> StreamingResponse:
    """Return a stream of events, each with its name and what it says.

    None keeps the connection busy: without it nobody would notice that the browser has gone.
    """
    return StreamingResponse(_lines(events), media_type="text/event-stream")


def _lines(events: Iterable[tuple[str, object] | None]) -> Iterator[bytes]:
    for each in events:
        if each is None:
            yield b":\n\n"
        else:
            name, content = each
            yield b"event: %b\ndata: %b\n\n" % (name.encode(), _encoder.encode(content))
