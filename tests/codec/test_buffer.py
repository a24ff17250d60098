"""Buffer is what it is in Node, as far as codecs use it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from codec.engine import Codec, Received, decode

EXPRESSIONS = (Path(__file__).parent / "buffer_expressions.txt").read_text().splitlines()
_NODE = Path(sys.executable).parent / "node"
_IN_NODE = """
const all = %s;
console.log(JSON.stringify(all.map((each) => JSON.stringify(eval(each)))));
"""


@pytest.fixture(scope="module")
def in_node() -> dict[str, str]:
    """Ask Node itself: the text of each expression's value."""
    script = _IN_NODE % json.dumps(EXPRESSIONS)
    command = [str(_NODE), "--no-deprecation", "--eval", script]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(zip(EXPRESSIONS, json.loads(said), strict=True))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_it_is_as_in_node(expression: str, in_node: dict[str, str]) -> None:
    """An expression has the same value here and there."""
    source = f"function Decoder() {{ return {{ it: JSON.stringify({expression}) }}; }}"
    assert decode(Codec("test", source), Received(b"", 1)).data["it"] == in_node[expression]


@pytest.mark.parametrize(
    "expression",
    [
        "Buffer.from([1]).toString('nonsense')",
        "Buffer.from('a', 'nonsense')",
        "Buffer.from([1]).readUIntBE(0)",
        "Buffer.from([1]).readUInt16BE(0)",
        "Buffer.from([1]).readUIntLE(0, 2)",
    ],
)
def test_what_node_refuses_is_refused(expression: str) -> None:
    """Mistakes are thrown, and never become numbers."""
    source = f"""function Decoder() {{
        try {{ {expression}; }} catch (error) {{ return {{ it: "refused" }}; }}
        return {{ it: "taken" }};
    }}"""
    assert decode(Codec("test", source), Received(b"", 1)).data["it"] == "refused"
