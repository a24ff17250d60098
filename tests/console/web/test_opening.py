"""The browser is led to the pages without telling anybody else."""

import stat
import webbrowser
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from console.web.opening import leading_to


def test_the_address_is_in_a_file_of_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the browser is started with has no token in it, and nobody else can read the file."""
    asked: list[str] = []
    monkeypatch.setattr(webbrowser, "open", asked.append)
    with leading_to("http://127.0.0.1:1/?token=secret"):
        path = Path(url2pathname(urlsplit(asked[0]).path))
        assert "secret" not in asked[0]
        assert "url=http://127.0.0.1:1/?token=secret" in path.read_text()
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.exists()
