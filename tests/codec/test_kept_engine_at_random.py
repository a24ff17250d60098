"""Random codecs get the same from kept engines as from new ones."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from codec.answers import Function, question
from codec.errors import CodecError
from codec.kept_engine import runner
from codec.sandbox import run

LINES = st.lists(
    st.sampled_from((Path(__file__).parent / "top_lines.txt").read_text().splitlines()), max_size=5
).map("\n".join)
EXPRESSIONS = st.lists(
    st.sampled_from((Path(__file__).parent / "expressions.txt").read_text().splitlines()),
    min_size=1,
    max_size=5,
)
FORMS = st.sampled_from(
    [
        "function decodeUplink(i) { var r = {}; BODY; return {data: r} }",
        "var decodeUplink = (i) => { const r = {}; BODY; return {data: r} };",
        "exports.decodeUplink = function (i) { var r = {}; BODY; return {data: r} };",
        "function Decode(fPort, bytes) { var i = {fPort, bytes}; var r = {}; BODY; return r }",
    ]
)


@st.composite
def codecs(draw: st.DrawFn) -> str:
    """Return a codec of lines at the top and expressions that are answered."""
    answered = (f"r.e{number} = {each}" for number, each in enumerate(draw(EXPRESSIONS)))
    function = draw(FORMS).replace("BODY", "; ".join(answered))
    return "\n".join([draw(st.sampled_from(["", "'use strict';"])), draw(LINES), function])


def outcome(of: str, argument: str, *, kept: bool) -> str:
    """Return what comes of a message, in a kept engine or in a new one."""
    try:
        return runner(of).run(argument) if kept else run(of, argument)
    except CodecError as error:
        return str(error)


@settings(max_examples=300)
@given(codecs(), st.lists(st.binary(max_size=4), min_size=3, max_size=3))
def test_a_kept_engine_answers_as_a_new_one(source: str, payloads: list[bytes]) -> None:
    """Whatever of JavaScript's habits meet in a codec, each message gets the same."""
    for port, payload in enumerate(payloads):
        received = {"bytes": list(payload), "fPort": port, "recvTime": 1000, "variables": {}}
        argument = question(Function.DECODE_UPLINK, received)
        assert outcome(source, argument, kept=True) == outcome(source, argument, kept=False)
