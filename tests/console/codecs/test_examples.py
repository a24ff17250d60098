"""The examples that codecs ship are found, run, and compared."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.cli import cli

CODEC = """
function decodeUplink(input) {
  if (input.fPort !== 2) return { errors: ["unknown FPort"] };
  var data = { temperature: (input.bytes[0] - 40) / 2, at: input.recvTime.getTime() };
  return { data: data, warnings: input.bytes[1] ? ["battery"] : [] };
}
"""
THE_THINGS_STACK = """
uplinkDecoder:
  fileName: sensor.js
  examples:
    - description: warm
      input: {fPort: 2, bytes: [82, 1], recvTime: '1970-01-01T00:00:01Z'}
      output: {data: {temperature: 21, at: 1000}, warnings: [battery]}
    - description: another port
      input: {fPort: 3, bytes: [82]}
      output: {errors: [unknown FPort]}
"""
DOWNLINKS = """
const leds = ["red", "green"];
function encodeDownlink({data, fPort}) {
  const led = leds.indexOf(data.led);
  return led < 0 ? { errors: ["unknown colour"] } : { bytes: [led], fPort: fPort || 2 };
}
function decodeDownlink({bytes}) { return { data: { led: leds[bytes[0]] } } }
"""
LED = """
downlinkEncoder:
  fileName: led.js
  examples:
    - description: green
      input: {data: {led: green}}
      output: {bytes: [1], fPort: 2}
    - description: blue
      input: {data: {led: blue}}
      output: {errors: [unknown colour]}
downlinkDecoder:
  fileName: led.js
  examples:
    - description: back
      input: {fPort: 2, bytes: [1]}
      output: {data: {led: green}}
#
"""
CHIRPSTACK = """
[ // as they write it
  {
    name: 'cold',
    input: { bytes: [0x28, 0x00], fPort: 2 },
    expected: { data: { temperature: 0, at: 0 }, },
  },
]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a codec that has examples in both habits."""
    tmp_path.joinpath("sensor.js").write_text(CODEC)
    tmp_path.joinpath("sensor-codec.yaml").write_text(THE_THINGS_STACK)
    tmp_path.joinpath("profile.yaml").write_text("macVersion: 1.0.3\n")
    tmp_path.joinpath("empty.yaml").write_text("")
    tmp_path.joinpath("test_decode_sensor.json").write_text(CHIRPSTACK)
    return tmp_path


def run(*arguments: str | Path) -> Result:
    """Run the command line."""
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def test_examples_in_both_habits_pass(folder: Path) -> None:
    """Every example of both kinds is run; the last line counts them."""
    done = run("codec-test", folder)
    assert (done.output, done.exit_code) == ("codecs=2 examples=3 passed=3 failed=0\n", 0)


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("temperature: 21", "temperature: 21.5", "warm: data.temperature: 21, expected 21.5"),
        ("temperature: 21", "humidity: 3", "warm: data.humidity: missing, expected 3"),
        ("temperature: 21", "x: [1]", "warm: data.temperature: 21, not expected"),
        ("[battery]", "[]", "warm: warnings: ['battery'], expected []"),
        ("[unknown FPort]", "[other]", "another port: errors: 'unknown FPort', expected 'other'"),
        ("fPort: 3", "fPort: 2", "another port: decoded, expected errors: unknown FPort"),
        ("fPort: 2, bytes: [82, 1]", "fPort: 1, bytes: [1]", "warm: errors: unknown FPort"),
    ],
)
def test_what_differs_is_said(folder: Path, before: str, after: str, line: str) -> None:
    """A failing example is named, with what differs and where, and the exit status is 1."""
    folder.joinpath("sensor-codec.yaml").write_text(THE_THINGS_STACK.replace(before, after))
    done = run("codec-test", folder)
    assert f"{folder / 'sensor.js'}: {line}\n" in done.output
    assert done.output.endswith("codecs=2 examples=3 passed=2 failed=1\n")
    assert done.exit_code == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sensor-codec.yaml", "uplinkDecoder: {examples: 3}"),
        (
            "sensor-codec.yaml",
            "uplinkDecoder: {fileName: missing.js, examples: [{input: {bytes: []}}]}",
        ),
        ("sensor-codec.yaml", "uplinkDecoder: [b"),
        (
            "sensor-codec.yaml",
            'uplinkDecoder: {fileName: "a\\0b", examples: [{input: {bytes: []}}]}',
        ),
        (
            "sensor-codec.yaml",
            "uplinkDecoder: {fileName: sensor.js, examples: [{input: {bytes: [256]}}]}",
        ),
        ("sensor-codec.yaml", "uplinkDecoder: 2020-13-45"),
        ("test_decode_sensor.json", "{"),
        ("test_decode_sensor.json", "[{name: 'x'}]"),
        ("test_decode_other.json", "[]"),
    ],
)
def test_files_that_are_wrong(folder: Path, name: str, text: str) -> None:
    """A file that cannot be used is one line with its name, and the others are tested."""
    folder.joinpath(name).write_text(text)
    done = run("codec-test", folder)
    *_, told, summary = done.output.splitlines()
    assert told.startswith(str(folder))
    assert summary.startswith("codecs=")
    assert summary.endswith("failed=1")
    assert done.exit_code == 1


def test_other_files_are_none_of_ours(folder: Path) -> None:
    """YAML of another kind beside the codecs is passed over, and a codec may be in a folder."""
    folder.joinpath("workflow.yaml").write_text("- a\n---\n- b\n")
    folder.joinpath("deep").mkdir()
    folder.joinpath("sensor.js").rename(folder / "deep" / "sensor.js")
    folder.joinpath("test_decode_sensor.json").unlink()
    definition = folder / "sensor-codec.yaml"
    definition.write_text(definition.read_text().replace("sensor.js", "deep/sensor.js"))
    assert run("codec-test", folder).exit_code == 0


def test_yaml_is_read_as_the_things_stack_does(folder: Path) -> None:
    """What older YAML takes for truth values, numbers to the base of 60 or texts is what it is."""
    folder.joinpath("relay.js").write_text(
        "function decodeUplink() { return { data: { a: 'on', b: '12:30:00', c: 1e-7, d: true } } }"
    )
    folder.joinpath("relay.yaml").write_text(
        "uplinkDecoder: {fileName: relay.js, examples: [{input: {bytes: [0x1F]}, output:"
        " {data: {a: on, b: 12:30:00, c: 1e-7, d: true}}}]}"
    )
    assert run("codec-test", folder).output == "codecs=3 examples=4 passed=4 failed=0\n"


@pytest.mark.parametrize("data", ["52 01", "0x5201", "52:01", "UgE=", "UgE"])
def test_decode(folder: Path, data: str) -> None:
    """`decode` takes hexadecimal or base64, and prints JSON."""
    done = run("decode", "--codec", folder / "sensor.js", "--port", "2", data)
    assert done.exit_code == 0
    assert '"temperature": 21' in done.output
    assert '"warnings": [\n    "battery"\n  ]' in done.output


def test_decode_with_the_built_in_codec() -> None:
    """Cayenne LPP needs no file."""
    done = run("decode", "--codec", "cayenne-lpp", "--port", "1", "03670110")
    assert '"temperature_3": 27.2' in done.output


def test_decode_that_fails(folder: Path) -> None:
    """What a codec does not decode, and a codec that is not there, are one line each."""
    failed = run("decode", "--codec", folder / "sensor.js", "--port", "3", "52")
    assert str(failed.exception) == f"{folder / 'sensor.js'}: errors: unknown FPort"
    missing = run("decode", "--codec", folder / "no.js", "--port", "3", "52")
    assert "no.js: cannot read the codec: " in str(missing.exception)
    assert (
        "neither hexadecimal nor base64"
        in run("decode", "--codec", "cayenne-lpp", "--port", "3", "?").output
    )


@pytest.mark.parametrize("data", ["52f", "0x5", "5 2f"])
def test_odd_hexadecimal_is_not_taken_for_base64(data: str) -> None:
    """A digit that was left out is told, unless base64 is asked for."""
    done = run("decode", "--codec", "cayenne-lpp", "--port", "3", data)
    assert done.exit_code == 2
    assert "odd number of hexadecimal digits" in done.output


def test_base64_that_looks_like_hexadecimal(folder: Path) -> None:
    """An option says which it is."""
    done = run("decode", "--codec", folder / "sensor.js", "--port", "2", "--base64", "UgEA")
    assert '"temperature": 21' in done.output
    same = run("decode", "--codec", folder / "sensor.js", "--port", "2", "--base64", "5201")
    assert '"temperature": 95.5' in same.output  # 0xe7


def test_variables_and_the_time_are_given(folder: Path) -> None:
    """A codec gets what codecs.toml would give it, and the time of now."""
    folder.joinpath("v.js").write_text(
        "function decodeUplink({recvTime, variables}) {"
        " return { data: { year: recvTime.getFullYear(), v: variables } } }"
    )
    options = ("--codec", folder / "v.js", "--port", "1", "00")
    done = run("decode", *options, "--variable", "a=1", "--variable", "b=x=y")
    data = json.loads(done.output)["data"]
    assert data["v"] == {"a": "1", "b": "x=y"}
    assert data["year"] >= 2026
    assert run("decode", *options, "--variable", "a").exit_code == 2


def test_mac_commands_are_not_decoded() -> None:
    """FPort 0 is the network server's own."""
    assert run("decode", "--codec", "cayenne-lpp", "--port", "0", "00").exit_code == 2


def test_an_odd_example_hides_no_other(folder: Path) -> None:
    """What is wrong with one is said, and the others of its file are run."""
    folder.joinpath("sensor-codec.yaml").write_text(
        THE_THINGS_STACK.replace("examples:", "examples:\n    - {description: odd, input: 3}", 1)
    )
    done = run("codec-test", folder)
    assert "sensor-codec.yaml: uplinkDecoder: example 1: Expected `object`" in done.output
    assert done.output.endswith("codecs=2 examples=4 passed=3 failed=1\n")


def test_an_example_whose_data_is_a_list(folder: Path) -> None:
    """It fails by itself: a reading is an object."""
    folder.joinpath("list.js").write_text("function decodeUplink() { return { data: [1] } }")
    folder.joinpath("list.yaml").write_text(
        "uplinkDecoder: {fileName: list.js, examples: [{input: {bytes: []}, output: {data: [1]}}]}"
    )
    done = run("codec-test", folder)
    assert "its data is no object" in done.output
    assert done.output.endswith("codecs=3 examples=4 passed=3 failed=1\n")


def test_undefined_is_as_good_as_null_or_nothing(folder: Path) -> None:
    """The Things Stack's examples say null, and ChirpStack's say nothing."""
    folder.joinpath("unit.js").write_text(
        "function decodeUplink() { return { data: { a: 1, unit: undefined, other: null } } }"
    )
    for name, data in (("one", "{a: 1, unit: null, other: null}"), ("two", "{a: 1}")):
        folder.joinpath(f"{name}.yaml").write_text(
            "uplinkDecoder: {fileName: unit.js, examples: [{input: {bytes: []}, output:"
            f" {{data: {data}}}}}]}}"
        )
    assert run("codec-test", folder).output == "codecs=4 examples=5 passed=5 failed=0\n"


def test_examples_as_the_payload_codec_api_packs_them(folder: Path) -> None:
    """examples.json beside index.js, with bytes as hexadecimal, and unknown types passed over."""
    folder.joinpath("index.js").write_text(CODEC + DOWNLINKS)
    folder.joinpath("examples.json").write_text(
        '[{"type": "uplink", "description": "one", "input": {"bytes": "5200", "fPort": 2,'
        ' "recvTime": "1970-01-01T05:00:01.000+05:00"}, "output": {"data": {"temperature": 21,'
        ' "at": 1000}, "errors": [], "warnings": []}},'
        ' {"type": "downlink-encode", "input": {"data": {"led": "green"}},'
        '  "output": {"bytes": [1], "fPort": 2, "warnings": []}},'
        ' {"type": "downlink-encode", "input": {"data": {"led": "green"}, "fPort": 2},'
        '  "output": {"bytes": "01"}},'
        ' {"type": "downlink-encode", "input": {"data": {"led": "blue"}},'
        '  "output": {"errors": ["unknown colour"]}},'
        ' {"type": "downlink-decode", "input": {"bytes": "01", "fPort": 2,'
        '  "recvTime": "2020-09-06T15:00:00.000+03:00"}, "output": {"data": {"led": "green"}}},'
        ' {"type": "normalize", "input": 3}]'
    )
    assert run("codec-test", folder).output == "codecs=3 examples=8 passed=8 failed=0\n"


def test_downlinks_of_the_things_stack(folder: Path) -> None:
    """Its file names a codec for each way, with examples of its own; parts without are nothing."""
    folder.joinpath("led.js").write_text(DOWNLINKS)
    folder.joinpath("sensor-codec.yaml").write_text(THE_THINGS_STACK + LED)
    assert run("codec-test", folder).output == "codecs=2 examples=6 passed=6 failed=0\n"
    folder.joinpath("sensor-codec.yaml").write_text(LED.replace("downlinkDecoder", "other"))
    assert run("codec-test", folder).output == "codecs=2 examples=3 passed=3 failed=0\n"


def test_downlinks_of_chirpstack(folder: Path) -> None:
    """test_encode_NAME.json is beside NAME.js, too."""
    folder.joinpath("led.js").write_text("function Encode(fPort, obj) { return [obj.n, fPort] }")
    folder.joinpath("test_encode_led.json").write_text(
        "[{name: 'n', input: {data: {n: 5}, fPort: 0x55}, expected: {bytes: [5, 0x55]}}]"
    )
    assert run("codec-test", folder).output == "codecs=3 examples=4 passed=4 failed=0\n"


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("bytes: [1]", "bytes: [3]", "green: bytes[0]: 1, expected 3"),
        ("bytes: [1]", "bytes: [1, 2]", "green: bytes: [1], expected [1, 2]"),
        ("fPort: 2}", "fPort: 3}", "green: fPort: 2, expected 3"),
        (
            "led: green}}\n      output: {b",
            "led: x}}\n      output: {b",
            "green: errors: unknown c",
        ),
        ("[unknown colour]", "[other]", "blue: errors: 'unknown colour', expected 'other'"),
        ("led: blue", "led: green", "blue: encoded, expected errors: unknown colour"),
        (
            "data: {led: green}}\n#",
            "data: {led: red}}\n#",
            "back: data.led: 'green', expected 'red'",
        ),
    ],
)
def test_what_differs_in_a_downlink_is_said(
    folder: Path, before: str, after: str, line: str
) -> None:
    """It is named as for an uplink, and the others pass."""
    assert before in LED
    folder.joinpath("led.js").write_text(DOWNLINKS)
    folder.joinpath("led.yaml").write_text(LED.replace(before, after, 1))
    done = run("codec-test", folder)
    assert f"{folder / 'led.js'}: {line}" in done.output
    assert done.output.endswith("codecs=3 examples=6 passed=5 failed=1\n")


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("data: {led: blue}", "data: 3", "led.yaml: downlinkEncoder: example 2: Expected `object`"),
        ("data: {led: blue}", "data: {[1]: 2}", "led.yaml: downlinkEncoder: example 2: Only dict"),
        ("bytes: [1]}\n", "bytes: 0g}\n", "led.yaml: downlinkDecoder: example 1: non-hexa"),
    ],
)
def test_an_odd_downlink_hides_no_other(folder: Path, before: str, after: str, line: str) -> None:
    """What is wrong with one is said, with the part of the file, and the others are run."""
    assert before in LED
    folder.joinpath("led.js").write_text(DOWNLINKS)
    folder.joinpath("led.yaml").write_text(LED.replace(before, after, 1))
    done = run("codec-test", folder)
    assert line in done.output
    assert done.output.endswith("codecs=3 examples=6 passed=5 failed=1\n")


def test_a_missing_encoder_hides_no_decoder(folder: Path) -> None:
    """A file that one part names and that is not there is one line; the other parts are run."""
    folder.joinpath("sensor-codec.yaml").write_text(THE_THINGS_STACK + LED)
    done = run("codec-test", folder)
    assert done.output.count(f"{folder / 'led.js'}: cannot read it: ") == 2
    assert done.output.endswith("codecs=2 examples=5 passed=3 failed=2\n")


def test_aliases_without_end(folder: Path) -> None:
    """A file whose aliases would make any number of values is one line."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    folder.joinpath("bomb.yaml").write_text("\n".join([*lines, "uplinkDecoder: *a11"]))
    done = run("codec-test", folder)
    assert "bomb.yaml: more than 1000000 values" in done.output
    assert done.output.endswith("codecs=2 examples=4 passed=3 failed=1\n")


def test_a_folder_without_examples(tmp_path: Path) -> None:
    """Where nothing was tried, nothing has passed."""
    done = run("codec-test", tmp_path)
    assert done.exit_code == 1
    assert str(done.exception) == f"{tmp_path}: no examples there"
