"""The one exception of the bench."""


class BenchError(Exception):
    """The measurement cannot be made; the message says why, in one line or with a log's end."""
