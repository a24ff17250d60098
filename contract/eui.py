"""What an AppEUI or DevEUI looks like wherever one is accepted: safe as one level of a topic."""

import re

EUI_PATTERN = "[0-9A-Za-z_.:-]{1,64}"
_HEXADECIMAL = re.compile("[0-9A-Fa-f]+(?:[:-][0-9A-Fa-f]+)*")
_EUI = re.compile(EUI_PATTERN)
_DEVICE = re.compile(f"{EUI_PATTERN}/{EUI_PATTERN}")


def is_eui(text: str) -> bool:
    """Say whether a text can be an AppEUI or DevEUI."""
    return _EUI.fullmatch(text) is not None


def is_device(text: str) -> bool:
    """Say whether a text is ``APPEUI/MOTEEUI``."""
    return _DEVICE.fullmatch(text) is not None


def one_case(eui: str) -> str:
    """Return an EUI as topics and keys have it: hexadecimal digits are small letters.

    Network servers and people write either. A name that is no number stays as it is.
    """
    return eui.lower() if _HEXADECIMAL.fullmatch(eui) else eui
