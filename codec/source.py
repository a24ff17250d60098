"""Reads codecs as people save them: in any encoding, as scripts or as modules."""

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

_DECLARED = re.compile(
    r"^([ \t]*)export[ \t]+(?:default[ \t]+)?"
    r"(?=(?:async[ \t]+)?function[ \t*]+\w|const\b|let\b|var\b|class\b)",
    re.MULTILINE,
)
_DEFAULT = re.compile(r"^([ \t]*)export[ \t]+default\b", re.MULTILINE)
_LIST = re.compile(r"^[ \t]*export[ \t]*\{([^}]*)\}[ \t]*;?", re.MULTILINE)
_RENAMED = re.compile(r"(\w+)\s+as\s+(\w+)")


def read_source(path: Path) -> str:
    """Return a codec's script.

    Bytes that are no UTF-8 become U+FFFD, as in Node: nearly always they stand in a comment.

    Raises:
        OSError: the file cannot be read.

    """
    data = path.read_bytes()
    utf16 = data.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    return as_script(data.decode("utf-16" if utf16 else "utf-8-sig", errors="replace"))


def as_script(source: str) -> str:
    """Return a module as a script, with as many lines; a script is left as it is."""
    if "export" not in source:
        return source
    source = _DECLARED.sub(r"\1", source)
    source = _DEFAULT.sub(r"\1module.exports =", source)
    return _LIST.sub(_names, source)


def _names(exported: re.Match[str]) -> str:
    """Declare the names that a list gives to others, on as many lines."""
    pairs = _RENAMED.findall(exported[1])
    declared = "".join(f"var {new} = {old};" for old, new in pairs if new != "default")
    return declared + "\n" * exported[0].count("\n")
