"""Runs the real CDK command line on the real app."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

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
    return done.stdout


def context_options(folder: Path, context: Mapping[str, object]) -> list[str]:
    """Return the options of ``cdk`` for a context; the decoder's libraries go into ``folder``."""
    libraries = str(copy_libraries(folder / "libraries"))
    values = {"decoder_libraries": libraries, **context}
    return [f"--context={key}={_text(value)}" for key, value in values.items()]


def deploy(
    environment: Mapping[str, str], output: Path, context: Sequence[str], which: str = "--all"
) -> None:
    """Bootstrap, and deploy every stack, or one; the cloud assembly goes to ``output``.

    ``context`` are the options that ``context_options`` returns.

    Raises:
        CdkError: one of the two failed.

    """
    common = ["--no-notices", f"--output={output}", *context]
    cdk(environment, "bootstrap", *common)
    cdk(environment, "deploy", which, "--require-approval=never", "--method=direct", *common)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
