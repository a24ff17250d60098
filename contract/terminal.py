"""Keeps what devices and codecs say from speaking to a terminal. Does no I/O."""

import re

_OBEYED = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""C1 controls, which JSON leaves as they are, and characters that turn the direction of text."""


def harmless(text: str) -> str:
    """Return JSON, or words around it, with these characters escaped as JSON escapes others."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
