"""Makes docs/commands.md of what ``--help`` prints: ``python -m lab.commands_page``."""

from collections.abc import Iterator
from pathlib import Path

import click

from console.cli import cli
from lab.aws.cdk import PROJECT

PAGE = PROJECT / "docs" / "commands.md"
_HEAD = """# The commands

This page is what `--help` prints. `make docs` writes it.
"""


def page() -> str:
    """Return the page: every command, each with its help."""
    with click.Context(
        cli, info_name="lora-bridge", terminal_width=100, **cli.context_settings
    ) as context:
        return "\n".join([_HEAD, *_sections(cli, context)])


def commands_of(group: click.Group) -> dict[str, click.Command]:
    """Return the commands of a group by name, which one that imports them late has no list of."""
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def _sections(group: click.Group, parent: click.Context) -> Iterator[str]:
    for name, command in commands_of(group).items():
        # The parent gives what the command line gives: its options for help, and its name.
        with click.Context(command, info_name=name, parent=parent) as context:
            yield f"## {context.command_path}\n\n```\n{command.get_help(context)}\n```\n"
            if isinstance(command, click.Group):
                yield from _sections(command, context)


def main() -> None:
    """Write the page."""
    Path(PAGE).write_text(page())


if __name__ == "__main__":
    main()
