"""Makes requests for downlinks. Does no I/O."""

import random

from contract.downlinks import Request, build_request, check_expiry, parse_request

_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_SYLLABLES = 6  # of 70 each: 10^11 words, for the ids that a device has in 7 days


def fresh_id(rng: random.Random) -> str:
    """Return an id that can be read out, and that no other downlink has."""
    word = "".join(rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(_SYLLABLES))
    half = len(word) // 2
    return f"{word[:half]}-{word[half:]}"


def payload(request: Request, now: int) -> bytes:
    """Return the payload of a request that a bridge will take ``now``, in microseconds.

    Raises:
        BadRequestError: it would not.

    """
    built = build_request(request)
    check_expiry(parse_request(built), now)
    return built
