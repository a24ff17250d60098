"""Looks with axe-core, the field's usual checker, whether everyone can use a page."""

from typing import cast

from playwright.sync_api import Page

from lab.aws.cdk import PROJECT

_AXE = PROJECT / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async () => (await axe.run({ resultTypes: ["violations"] })).violations.map(
  ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`)"""


def violations(page: Page) -> list[str]:
    """Return what a page as it is now makes hard: the rule, and the elements that break it."""
    page.evaluate(_AXE.read_text())
    return cast("list[str]", page.evaluate(_RUN))
