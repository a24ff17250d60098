"""Runs the real CDK command line on the real app."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from contract.settings import SETTINGS_FILE
from lab.aws.libraries import copy_libraries

PROJECT = Path(__file__).resolve().parents[2]
_CDK = PROJECT / "node_modules" / ".bin" / "cdk"


class CdkError(Exception):
    """The CDK command line failed; the message is what it printed."""


def cdk(environment: Mapping[str, str], *arguments: str) -> str:
    """Run ``cdk`` in the project with its own Python and Node; return what it printed.

    Raises:
        CdkError: it exited with another status than 0.

    """
    if not _CDK.exists():
        raise CdkError(f"{_CDK} is missing: run 'make setup'")
    tools = Path(sys.executable).parent
    done = subprocess.run(
        [str(_CDK), *arguments],
        cwd=PROJECT,
        env={**environment, "PATH": f"{tools}:{environment['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CdkError(f"cdk {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def write_settings(folder: Path, settings: Mapping[str, object]) -> Path:
    """Write ``lora.toml`` into ``folder``, and copy the decoder's libraries; return its path.

    The codecs are those of the project where nothing else is said.
    """
    libraries = str(copy_libraries(folder / "libraries"))
    values = {"decoder_libraries": libraries, "codecs": str(PROJECT / "codecs"), **settings}
    path = folder / SETTINGS_FILE
    path.write_text("".join(f"{key} = {_toml(value)}\n" for key, value in values.items()))
    return path


def settings_option(settings: Path) -> str:
    """Return the option of ``cdk`` that names a file of settings which is elsewhere."""
    return f"--context=settings={settings}"


def deploy(
    environment: Mapping[str, str], output: Path, settings: Path, which: str = "--all"
) -> str:
    """Bootstrap, and deploy every stack, or one, with a file of settings; return what cdk says.

    The cloud assembly goes to ``output``.

    Raises:
        CdkError: one of the two failed.

    """
    common = ["--no-notices", f"--output={output}", settings_option(settings)]
    cdk(environment, "bootstrap", *common)
    return cdk(environment, "deploy", which, "--require-approval=never", "--method=direct", *common)


def _toml(value: object) -> str:
    """Return a text, number, flag, list or table as TOML."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key} = {_toml(each)}' for key, each in value.items())}}}"
    return json.dumps(value)  # the others are the same in JSON
