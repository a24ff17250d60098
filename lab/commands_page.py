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
    return "\n".join([_HEAD, *(_section(name, command) for name, command in _commands(cli))])


def _commands(
    group: click.Group, parents: str = "lora-bridge"
) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        full = f"{parents} {name}"
        yield full, command
        if isinstance(command, click.Group):
            yield from _commands(command, full)


def _section(name: str, command: click.Command) -> str:
    with click.Context(
        command, info_name=name, max_content_width=100, terminal_width=100
    ) as context:
        return f"## {name}\n\n```\n{command.get_help(context)}\n```\n"


def main() -> None:
    """Write the page."""
    Path(PAGE).write_text(page())


if __name__ == "__main__":
    main()
