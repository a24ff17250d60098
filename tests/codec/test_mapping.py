"""Which codec is whose, and what is wrong with the file that says so."""

from pathlib import Path

import pytest

from codec.mapping import load
from contract.errors import BridgeError

CODEC = "function decodeUplink() { return {data: {}} }"
MAPPING = """\
# the most particular first

[[codec]]
file = "one.js"
device = "9372163"
ports = [1, 2]
variables = { offset = "3" }

[[codec]]
file = "many.js"
device_prefix = "a84"

[[codec]]
file = "many.js"
application = "37817737f13"
ports = [7]

[[codec]]
file = "cayenne-lpp"
application = "37817737f13"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of codecs and their mapping."""
    for name in ("one.js", "many.js"):
        tmp_path.joinpath(name).write_text(CODEC)
    tmp_path.joinpath("codecs.toml").write_text(MAPPING)
    return tmp_path


@pytest.mark.parametrize(
    ("application", "device", "port", "codec"),
    [
        ("other", "9372163", 1, "one.js"),
        ("37817737f13", "9372163", 2, "one.js"),
        ("37817737f13", "9372163", 3, "cayenne-lpp"),
        ("37817737f13", "9372163", 7, "many.js"),
        ("other", "a84041", 3, "many.js"),
        ("other", "A84041", 3, "many.js"),
        ("37817737F13", "1", 7, "many.js"),
        ("37817737f13", "a84041", 0, "many.js"),
        ("37817737f13", "ba84", 255, "cayenne-lpp"),
        ("other", "9372163", 3, None),
    ],
)
def test_the_first_that_fits(
    folder: Path, application: str, device: str, port: int, codec: str | None
) -> None:
    """An uplink's codec is that of the first entry whose every condition it meets."""
    found = load(folder).find(application, device, port)
    assert (found.codec.name if found else None) == codec


def test_variables(folder: Path) -> None:
    """An entry gives its codec variables, or none."""
    mapping = load(folder)
    one, other = mapping.find("x", "9372163", 1), mapping.find("x", "a84", 1)
    assert one is not None
    assert other is not None
    assert (one.variables, other.variables) == ({"offset": "3"}, {})


def test_an_empty_file(folder: Path) -> None:
    """A file without entries decodes nothing."""
    folder.joinpath("codecs.toml").write_text("")
    assert load(folder).find("a", "b", 1) is None


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('device_prefix = "a84"', 'devices = "a84"', "codecs.toml:9: .*unknown field `devices`"),
        ('device_prefix = "a84"', "device = 5", "codecs.toml:9: .*Expected `str"),
        ('device_prefix = "a84"', 'device = "a/b"', "codecs.toml:9: .*`device`"),
        ('"many.js"\ndevice_prefix = "a84"', '"no.js"', r"codecs.toml:9: .*No such file.*no\.js"),
        ("ports = [7]", "ports = [256]", "codecs.toml:13: .*<= 255"),
        ("ports = [7]", "ports = []", "codecs.toml:13: .*length >= 1"),
        ('"many.js"\napp', "7\napp", "codecs.toml:13: .*`file`"),
        ("ports = [1, 2]", 'device_prefix = "9"', "codecs.toml:3: both device and device_prefix"),
        ("ports = [7]", "ports = [7", r"codecs.toml: .*\(at line 18"),
        ('"many.js"\ndev', '"../many.js"\ndev', "codecs.toml:9: ../many.js: not in the folder"),
        ('"many.js"\ndev', '"/many.js"\ndev', "codecs.toml:9: /many.js: not in the folder"),
        ('"many.js"\ndev', '"."\ndev', "codecs.toml:9: .*Is a directory"),
        ("[[codec]]", "[[codecs]]", "codecs.toml: .*unknown field `codecs`"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    folder: Path, before: str, after: str, words: str
) -> None:
    """Whatever is wrong is one line: the file, the line, and what it is."""
    folder.joinpath("codecs.toml").write_text(MAPPING.replace(before, after))
    with pytest.raises(BridgeError, match=words) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("function decodeUplink( {", "many.js: exception: SyntaxError"),
        ("function encodeDownlink() {}", "many.js: no_decoder: "),
        ("while (true);", "many.js: timeout: "),
    ],
)
def test_a_codec_that_cannot_run(folder: Path, source: str, words: str) -> None:
    """A codec is run before it is deployed, without an uplink."""
    folder.joinpath("many.js").write_text(source)
    with pytest.raises(BridgeError, match=f"codecs.toml:9: {words}"):
        load(folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('codec = [{ file = "many.js" }, { file = "no.js" }]', "codecs.toml: codec 2: .*No such"),
        ('# [[codec]]\n[[codec]] # [[codec]]\nfile = "no.js"', "codecs.toml:2: .*No such file"),
        ('[["codec"]]\nfile = "no.js"', "codecs.toml: codec 1: .*No such file"),
        ("codec = 3", "codecs.toml: Expected `array`, got `int`"),
    ],
)
def test_entries_written_another_way(folder: Path, text: str, words: str) -> None:
    """TOML has other ways to write a table; they are named by number where no line is known."""
    folder.joinpath("codecs.toml").write_text(text)
    with pytest.raises(BridgeError, match=words):
        load(folder)


def test_a_codec_that_is_no_text(folder: Path) -> None:
    """A file that is no script, in whatever encoding, is named."""
    folder.joinpath("many.js").write_bytes(b"\xff")
    with pytest.raises(BridgeError, match=r"codecs\.toml:9: many\.js: exception: SyntaxError"):
        load(folder)


def test_no_file(tmp_path: Path) -> None:
    """A folder without a mapping is said to have none."""
    with pytest.raises(BridgeError, match=r"codecs\.toml: cannot read it: No such file"):
        load(tmp_path)
