"""The command line of lora-bridge: every command, and the one line that a mistake ends in."""

import os
import sys

import click

from bridge.commands import run
from console.check.commands import check
from console.codecs.commands import codec_test, decode
from console.identity.commands import enroll, keygen
from console.interrupt import INTERRUPTED
from console.recovery.error_commands import errors
from console.recovery.redecode_commands import redecode
from console.recovery.refused_commands import refused
from console.recovery.rejected_commands import rejected
from console.recovery.replay_commands import replay
from console.rotate import rotate
from console.show.commands import devices, history
from console.simulate import simulate
from contract.errors import BridgeError

_COMMANDS = (
    *(keygen, enroll, run, simulate),
    *(
        history,
        devices,
        check,
        errors,
        redecode,
        rejected,
        refused,
        replay,
        rotate,
        decode,
        codec_test,
    ),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="lora-bridge")
def cli() -> None:
    """Make AWS IoT the backend of a LoRaWAN network.

    \b
    Example, on the network server's host:
      lora-bridge keygen --name network-host-1
      (deploy with network-host-1.csr)
      lora-bridge enroll --name network-host-1
      lora-bridge run --config bridge.toml
    """


for command in _COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command line; what a person can cause ends in one line and exit status 1."""
    try:
        sys.exit(cli(prog_name="lora-bridge", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:  # Ctrl-C
        sys.exit(INTERRUPTED)
    except BridgeError as error:
        sys.exit(f"lora-bridge: {error}")
    except OSError as error:  # of writing the output; what is left of it would fail once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(f"lora-bridge: cannot write: {error.strerror}")
