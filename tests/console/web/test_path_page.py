"""The pages of the path and of errors, in a browser, over a store that has tables alone."""

import pytest
from playwright.sync_api import expect

from lab.aws.bare_store import BareStore
from lab.rig.running_web import RunningWeb
from tests.console.web.conftest import Windows
from tests.console.web.rows import APPLICATION, MINUTE, now, uplink, uplinks

pytestmark = [pytest.mark.aws, pytest.mark.browser]

HOSTILE = "<img src=x onerror=alert(1)>"


def test_the_path_says_how_many_devices_are_silent(
    store: BareStore, web: RunningWeb, windows: Windows
) -> None:
    """The words lead to them, and the newest uplink to its device, whatever it is called."""
    store.put(uplinks("d1", now() - 120 * MINUTE))
    store.put(uplinks("d2", now() - MINUTE, more={"name": HOSTILE}))
    page = windows.open(web.at("/"), (400, 800), "dark").page
    silent = page.locator("#devices a").first
    expect(silent).to_have_text("1 of 2 devices is silent")
    expect(silent).to_have_css("unicode-bidi", "isolate")
    newest = page.locator("#devices p").last
    expect(newest).to_have_text(f"The newest uplink came 1 min ago from {HOSTILE}.")
    expect(newest.locator("a")).to_have_attribute("href", f"/devices/{APPLICATION}/d2")
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    silent.click()
    expect(page.locator("#count")).to_have_text("1 of 2 devices, 1 silent")


def test_a_store_that_is_not_complete_is_red(
    store: BareStore, web: RunningWeb, windows: Windows
) -> None:
    """The stack is the broken link; the queues say the same in their place."""
    page = windows.open(web.at("/")).page
    expect(page.locator("#verdict")).to_have_text("The path is broken at: stack")
    reason = f"stack {store.deployment.store_stack} is CREATE_COMPLETE and has no"
    expect(page.locator("#links .broken")).to_contain_text(f"{reason} RuleName")
    expect(page.locator("#links .remedy")).to_contain_text("deploy it again with this version")
    expect(page.locator("#error-queue .problem")).to_contain_text(f"{reason} ErrorQueueUrl")
    expect(page.locator("#devices")).to_have_text("No device has reported yet.")
    expect(page.locator("#alarms")).to_contain_text("No alarms are deployed.")


def test_a_device_that_was_not_decoded(store: BareStore, web: RunningWeb, windows: Windows) -> None:
    """It is there with the reason, and leads to its page; others are not."""
    error = {"code": "codec", "message": f"decodeUplink: {HOSTILE}"}
    failed = uplink("d1", now(), more={"decode_error": error})
    del failed["decoded"]
    store.put([failed, uplink("d2", now())])
    page = windows.open(web.at("/errors")).page
    found = page.locator("#undecoded")
    expect(found).to_contain_text("The last uplink of 1 device could not be decoded.")
    expect(found.locator("tbody tr")).to_have_count(1)
    expect(found.locator("tbody")).to_contain_text(HOSTILE)
    expect(found.locator("a")).to_have_attribute("href", f"/devices/{APPLICATION}/d1")
    expect(page.locator("#error-queue .problem")).to_contain_text("has no ErrorQueueUrl")


def test_a_button_keeps_the_keyboard(web: RunningWeb, windows: Windows) -> None:
    """Whoever looks again by the keyboard may do so again."""
    page = windows.open(web.at("/")).page
    again = page.get_by_role("button", name="Look again")
    expect(again).to_be_enabled()
    for _ in range(2):
        again.press("Enter")
        expect(again).to_be_enabled()
        expect(again).to_be_focused()


def test_the_server_has_gone(web: RunningWeb, windows: Windows) -> None:
    """The page says so."""
    visit = windows.open(web.at("/"))
    expect(visit.page.locator("#verdict")).to_have_text("The path is broken at: stack")
    web.process.terminate()
    said = "lora-bridge web does not answer. Has it ended? Start it again, and open the address"
    problem = visit.page.locator("#problem")
    expect(problem).to_have_text(f"{said} that it prints.", timeout=20_000)
    visit.page.get_by_role("button", name="Look again").click()
    expect(visit.page.locator("#verdict")).to_have_text("The links cannot be looked at")
    expect(problem).to_have_text(f"{said} that it prints.")
    visit.complaints.clear()
