"""Reads the bytes of an uplink as people paste them. Does no I/O."""

import binascii
import re

_HEX = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2}[ :-]?)*)")


def parse_payload(text: str) -> bytes:
    """Return the bytes that ``text`` writes in hexadecimal or, where it is none, in base64.

    Raises:
        ValueError: it is neither.

    """
    found = _HEX.fullmatch(text.strip())
    if found:
        return bytes.fromhex(re.sub("[ :-]", "", found[1]))
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        raise ValueError(f"{text!r} is neither hexadecimal nor base64") from None
