"""The one exception that a person can cause: its message says what, where and what to do."""


class BridgeError(Exception):
    """Something expected went wrong; commands print the message as one line and exit 1."""
