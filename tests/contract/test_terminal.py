"""What devices and codecs say is shown, and obeyed by no terminal."""

import json

import pytest

from contract.terminal import harmless


@pytest.mark.parametrize("character", ["\x7f", "\x9b", "\u202e", "\u2066", "\u061c"])
def test_what_a_terminal_would_obey_is_escaped(character: str) -> None:
    """JSON says the same after it as before."""
    written = json.dumps({"a": f"x{character}y"}, ensure_ascii=False)
    assert character not in harmless(written)
    assert json.loads(harmless(written)) == {"a": f"x{character}y"}


def test_text_is_left_alone() -> None:
    """Letters of any language, symbols and spaces are no orders."""
    text = "21 °C\u00a0(Größe) 温度 😀\n"
    assert harmless(text) == text
