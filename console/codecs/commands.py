"""The commands that try codecs on this machine, with the engine that decodes in AWS."""

import binascii
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec

import click
import msgspec

from console.show.columns import text
from contract.downlinks import MAX_PORT
from contract.errors import BridgeError
from contract.terminal import harmless

# The engine is imported when a command runs: network hosts do not have it.
# ruff: noqa: PLC0415

_MAX_PORT = 255  # of an uplink: what a test sends on 224 is decoded, too
_P = ParamSpec("_P")
_HEX = re.compile(r"(?:0x)?((?:[0-9a-fA-F]+[ :-]?)*)")


def parse_payload(text: str, *, base64: bool = False) -> bytes:
    """Return the bytes that ``text`` writes in hexadecimal or, if it cannot be that, in base64.

    Raises:
        ValueError: it is neither.

    """
    found = None if base64 else _HEX.fullmatch(text.strip())
    if found:
        digits = re.sub("[ :-]", "", found[1])
        if len(digits) % 2:
            raise ValueError(f"{text!r} has an odd number of hexadecimal digits")
        return bytes.fromhex(digits)
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        raise ValueError(f"{text!r} is neither hexadecimal nor base64") from None


def _variables(
    _ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]
) -> dict[str, str]:
    pairs = [each.partition("=") for each in value]
    if not all(name and equals for name, equals, _ in pairs):
        raise click.BadParameter("write NAME=VALUE")
    return {name: given for name, _, given in pairs}


def variables_option(command: Callable[_P, None]) -> Callable[_P, None]:
    """Add ``--variable``, which is called ``variables``, a dict."""
    return click.option(
        "--variable",
        "variables",
        multiple=True,
        callback=_variables,
        metavar="NAME=VALUE",
        help="A variable of the device, as in codecs.toml; may be repeated.",
    )(command)


@click.command()
@click.option(
    "--codec",
    "name",
    required=True,
    metavar="FILE",
    help="A JavaScript file, or the word cayenne-lpp.",
)
@click.option("--port", required=True, type=click.IntRange(1, _MAX_PORT), help="The FPort.")
@click.option("--base64", is_flag=True, help="Read DATA as base64, whatever it looks like.")
@variables_option
@click.argument("data", metavar="DATA")
def decode(name: str, port: int, data: str, variables: dict[str, str], *, base64: bool) -> None:
    """Decode the bytes of an uplink with a codec, and print the JSON.

    The codec has decodeUplink(input), or the older Decode(fPort, bytes) or Decoder(bytes, port).
    DATA is hexadecimal, or base64 if it cannot be hexadecimal. The time of receipt is now.

    \b
    Example:
      lora-bridge decode --codec cayenne-lpp --port 1 03670110056700FF
    """
    with engine():
        from codec.engine import CAYENNE_LPP, Codec, Received, as_json, decode
        from codec.errors import CodecError
        from codec.source import read_source
    now = time.time_ns() // 1000
    try:
        payload = parse_payload(data, base64=base64)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    try:
        codec = CAYENNE_LPP if name == CAYENNE_LPP.name else Codec(name, read_source(Path(name)))
        click.echo(harmless(as_json(decode(codec, Received(payload, port, now, variables)))))
    except CodecError as error:
        raise BridgeError(f"{name}: {error}") from None
    except OSError as error:
        raise BridgeError(f"{name}: cannot read the codec: {error}") from None


@click.command()
@click.option(
    "--codec",
    "path",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A JavaScript file.",
)
@click.option(
    "--port",
    type=click.IntRange(1, MAX_PORT),
    help="The FPort, unless the codec names one.  [default: 1]",
)
@variables_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
)
@click.argument("data", metavar="JSON")
def encode(path: Path, port: int | None, variables: dict[str, str], form: str, data: str) -> None:
    """Encode a JSON object as a downlink with a codec, and print its port and bytes.

    The codec has encodeDownlink(input), or the older Encode(fPort, obj, variables) or
    Encoder(object, port). Nothing is sent.

    \b
    Example:
      lora-bridge encode --codec sensor.js '{"interval":600}'
    """
    with engine():
        from console.codecs.encoding import encode_json
    encoded = encode_json(path, data, port, variables)
    base64 = binascii.b2a_base64(encoded.data, newline=False).decode()
    shown = {"port": encoded.port, "hex": encoded.data.hex(), "base64": base64}
    if form == "json":
        fields = msgspec.json.encode(shown | {"warnings": encoded.warnings})
        click.echo(harmless(msgspec.json.format(fields, indent=2).decode()))
        return
    click.echo(" ".join(f"{name}={value}" for name, value in shown.items()))
    for warning in encoded.warnings:
        click.echo(text(f"warning: {warning}"), err=True)


@click.command()
@click.argument(
    "folder", metavar="DIR", type=click.Path(file_okay=False, exists=True, path_type=Path)
)
def codec_test(folder: Path) -> None:
    """Run the examples that codecs below DIR ship.

    They are examples of uplinks to decode, downlinks to encode, and downlinks to decode.

    Three forms are known. The Things Stack has a YAML file that names the codec under
    uplinkDecoder, downlinkEncoder or downlinkDecoder. ChirpStack has test_decode_NAME.json and
    test_encode_NAME.json beside NAME.js. Others have examples.json beside index.js. The exit status
    is 1 if an example fails, or if there is none.

    \b
    Example:
      lora-bridge codec-test codecs/
    """
    with engine():
        from console.codecs.differences import differences
        from console.codecs.examples import shipped
    codecs = passed = failed = 0
    for path in sorted(filter(Path.is_file, folder.rglob("*"))):
        try:
            found = shipped(path)
        except BridgeError as error:  # one that cannot be read does not keep the others from it
            click.echo(text(str(error)))
            failed += 1
            continue
        if found is None:
            continue
        codecs += 1
        for problem in found.problems:
            click.echo(text(problem))
        failed += len(found.problems)
        for example in found.examples:
            lines = differences(example)
            failed += bool(lines)
            passed += not lines
            for line in lines:
                click.echo(text(f"{example.codec.name}: {example.name}: {line}"))
    click.echo(f"codecs={codecs} examples={passed + failed} passed={passed} failed={failed}")
    if not passed + failed:
        raise BridgeError(f"{folder}: no examples there")
    sys.exit(1 if failed else 0)


@contextmanager
def engine() -> Iterator[None]:
    """Say in one line how to install the engine, where it is not there to be imported."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise BridgeError(f"{error.name} is not installed: pip install '.[codecs]'") from None
