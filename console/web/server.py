"""Serves the pages on the loopback until Ctrl-C."""

import socket

import boto3
import botocore.session
import uvicorn
from botocore.config import Config
from starlette.types import ASGIApp

from contract.errors import BridgeError

_LOOPBACK = "127.0.0.1"
_GOODBYE = 1  # seconds for what is being streamed when the server ends
# Somebody waits in front of the page, and Ctrl-C waits for what is being asked.
_QUICKLY = Config(connect_timeout=3, read_timeout=8, retries={"total_max_attempts": 2})


def listen(port: int) -> socket.socket:
    """Listen on the loopback; port 0 is any that is free.

    Raises:
        BridgeError: the port is taken, or nobody may listen on it.

    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_LOOPBACK, port))
    except OSError as error:
        listening.close()
        raise BridgeError(
            f"cannot listen on {_LOOPBACK}:{port}: {error.strerror}: name another with --port"
        ) from None
    listening.listen()  # a browser that comes before the server waits
    return listening


def hurry() -> None:
    """Let this process ask AWS for seconds, not for minutes."""
    session = botocore.session.Session()
    session.set_default_client_config(_QUICKLY)
    boto3.setup_default_session(botocore_session=session)


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=_GOODBYE,
    )
    uvicorn.Server(config).run([listening])
