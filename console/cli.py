"""The command line of lora-bridge: every command, and the one line that a mistake ends in."""

import importlib
import os
import sys

import click

from console.interrupt import INTERRUPTED
from contract.errors import BridgeError

_MODULES = {
    "keygen": "console.identity.commands",
    "enroll": "console.identity.commands",
    "run": "bridge.commands",
    "simulate": "console.simulate.commands",
    "history": "console.show.commands",
    "devices": "console.show.device_commands",
    "events": "console.show.event_commands",
    "send": "console.downlinks.commands",
    "check": "console.check.commands",
    "web": "console.web.commands",
    "errors": "console.recovery.error_commands",
    "redecode": "console.recovery.redecode_commands",
    "rejected": "console.recovery.rejected_commands",
    "refused": "console.recovery.refused_commands",
    "replay": "console.recovery.replay_commands",
    "rotate": "console.rotate",
    "decode": "console.codecs.commands",
    "encode": "console.codecs.commands",
    "codec-test": "console.codecs.commands",
}
"""Where each command is, in the order in which help shows them."""


class _Commands(click.Group):
    """Imports a command when it is wanted: the bridge must not carry the libraries of all others.

    The way is click's own (click.palletsprojects.com, "Lazily Loading Subcommands").
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _MODULES:
            return None
        module = importlib.import_module(_MODULES[cmd_name])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
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
