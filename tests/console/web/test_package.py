"""What the pages are made of is what is pinned, and is packed for whoever installs."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lab.aws.cdk import PROJECT

_WEB = PROJECT / "console" / "web"
_UPLOT = PROJECT / "node_modules" / "uplot"


@pytest.mark.parametrize("name", ["dist/uPlot.esm.js", "dist/uPlot.min.css", "LICENSE"])
def test_the_charts_are_those_of_the_lock_file(name: str) -> None:
    """The copy beside the pages is what npm has installed, byte for byte: else 'make uplot'."""
    original = _UPLOT / name
    assert (_WEB / "static" / "uplot" / original.name).read_bytes() == original.read_bytes()


def test_nothing_else_is_beside_the_charts() -> None:
    """No other file has come in from elsewhere."""
    names = {path.name for path in (_WEB / "static" / "uplot").iterdir()}
    assert names == {"uPlot.esm.js", "uPlot.min.css", "LICENSE"}


def test_a_wheel_has_all_of_it(tmp_path: Path) -> None:
    """Whoever installs has each template, script, style and picture of the pages."""
    wanted = {
        path.relative_to(PROJECT).as_posix()
        for folder in ("static", "templates")
        for path in (_WEB / folder).rglob("*")
        if path.is_file()
    }
    source = tmp_path / "source"  # a build leaves its traces
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        source.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, source)
    for name in ("bridge", "codec", "console", "contract"):
        shutil.copytree(PROJECT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*command, "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, source],
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        assert wanted <= set(packed.namelist())
