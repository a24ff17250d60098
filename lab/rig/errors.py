"""The one exception of what measures and plays."""


class RigError(Exception):
    """It cannot be measured or played; the message says why, in one line or with a log's end."""
