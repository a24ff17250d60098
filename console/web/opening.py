"""Opens the pages in the browser of whoever started them, and of nobody else."""

import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

_PAGE = """\
<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={address}">
<title>lora-bridge</title>
<a href="{address}">lora-bridge</a>
"""


@contextmanager
def leading_to(address: str) -> Iterator[None]:
    """Open an address in the browser, by a file that only its owner can read.

    Everybody on a machine can read the command lines of its programs, and so that of a browser.
    """
    with tempfile.TemporaryDirectory(prefix="lora-web-") as folder:
        path = Path(folder) / "open.html"
        path.write_text(_PAGE.format(address=escape(address)))
        webbrowser.open(path.as_uri())
        yield
