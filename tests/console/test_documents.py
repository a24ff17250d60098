"""The documents are what they say: current, and with links that lead somewhere."""

import re
from pathlib import Path

import pytest

from lab.aws.cdk import PROJECT
from lab.commands_page import PAGE, page

_DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]


def test_the_page_of_commands_is_current() -> None:
    """docs/commands.md is what --help prints; otherwise run make docs."""
    assert PAGE.read_text() == page()


@pytest.mark.parametrize("document", _DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every link to a file or a heading of this project has one."""
    text = document.read_text()
    targets = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    for target in targets:
        name, _, heading = target.partition("#")
        file = document.parent / name if name else document
        assert file.exists(), target
        if heading:
            assert heading in headings(file.read_text()), target


def headings(text: str) -> set[str]:
    """Return the headings of a document as links name them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
