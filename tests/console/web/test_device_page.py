"""The page of a device, in a browser."""

import re

import pytest
from playwright.sync_api import expect

from lab.aws.bare_store import BareStore
from lab.rig.running_web import RunningWeb
from tests.console.web.conftest import Windows
from tests.console.web.rows import APPLICATION, MINUTE, now, uplink, uplinks

pytestmark = [pytest.mark.aws, pytest.mark.browser]

EUI = "9372163"
PATH = f"/devices/{APPLICATION}/{EUI}"
LIVE = 30_000  # milliseconds; a stream looks every 2 s, but a busy machine is slow


def test_charts_uplinks_and_where_frames_are_missing(
    store: BareStore, web: RunningWeb, windows: Windows
) -> None:
    """Each number has a chart, and an uplink after a gap says how many frames are missing."""
    store.put(uplinks(EUI, now() - MINUTE, seqnos=[1, 2, 3, 7, 8]))
    page = windows.open(web.at(PATH)).page
    figures = page.locator("#charts figure")
    expect(figures).to_have_count(4)
    expect(figures.locator("figcaption")).to_have_text(
        ["humidity", "temperature", "RSSI, dBm", "SNR, dB"]
    )
    expect(figures.first).to_have_attribute("aria-label", "humidity: 5 values from 1 to 8")
    expect(page.locator("#uplinks tr")).to_have_count(5)
    expect(page.locator("#uplinks tr").nth(1)).to_contain_text("3 missing before")
    expect(page.locator("#uplinks tr").first).to_contain_text("temperature 17.31, humidity 8")
    expect(page.locator("#uplinks tr").first).to_contain_text("b827ebfffe000001 -57 dBm 9.2 dB")


def test_a_new_uplink_arrives_without_a_reload(
    store: BareStore, web: RunningWeb, windows: Windows
) -> None:
    """It appears on top, and once more with its reading in its place."""
    store.put(uplinks(EUI, now() - MINUTE))
    page = windows.open(web.at(PATH)).page
    expect(page.locator("#uplinks tr")).to_have_count(25)
    sent = now()
    undecoded = uplink(EUI, sent, seqno=40)
    del undecoded["decoded"]
    store.put([undecoded])
    newest = page.locator("#uplinks tr").first
    expect(newest.locator("td").nth(1)).to_have_text("40", timeout=LIVE)
    expect(newest.locator("td").nth(3)).to_have_text("")
    store.put([uplink(EUI, sent, seqno=40)])
    expect(newest.locator("td").nth(3)).to_have_text("temperature 17.31, humidity 40", timeout=LIVE)
    expect(page.locator("#charts figure").first).to_have_attribute(
        "aria-label", "humidity: 26 values from 0 to 40", timeout=LIVE
    )


def test_a_period_is_chosen_by_dragging_and_left_by_going_back(
    store: BareStore, web: RunningWeb, windows: Windows
) -> None:
    """What was dragged over fills the charts and the table, and the address keeps it."""
    store.put(uplinks(EUI, now() - MINUTE, seqnos=range(200)))
    page = windows.open(web.at(PATH)).page
    expect(page.locator("#shown")).to_have_text("200 uplinks")
    chart = page.locator("#charts .u-over").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 40, steps=5)
    page.mouse.up()
    expect(page.locator("#shown")).to_have_text(re.compile(r"^(9\d|10\d) uplinks$"))
    assert "since=" in page.url
    assert "until=" in page.url
    page.reload()
    expect(page.locator("#shown")).to_have_text(re.compile(r"^(9\d|10\d) uplinks$"))
    page.go_back()
    expect(page.locator("#shown")).to_have_text("200 uplinks")


def test_a_period_is_chosen_by_its_times(
    store: BareStore, web: RunningWeb, windows: Windows
) -> None:
    """Whoever cannot drag says from when to when; a period without uplinks says so."""
    store.put(uplinks(EUI, now() - MINUTE))
    page = windows.open(web.at(PATH)).page
    expect(page.locator("#shown")).to_have_text("25 uplinks")
    page.get_by_label("from", exact=True).fill("2020-01-01T00:00:00")
    page.get_by_label("to", exact=True).fill("2020-01-02T00:00:00")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("No uplinks are stored in this period.")).to_be_visible()
    page.get_by_role("button", name="7 days").click()
    expect(page.locator("#shown")).to_have_text("25 uplinks")


def test_older_uplinks_are_listed_by_a_click(
    store: BareStore, web: RunningWeb, windows: Windows
) -> None:
    """The table begins with the newest, goes back to the first, and stays so as new ones come."""
    store.put(uplinks(EUI, now() - MINUTE, seqnos=range(150)))
    page = windows.open(web.at(PATH)).page
    older = page.get_by_role("button", name="Show older ones")
    expect(page.locator("#uplinks tr")).to_have_count(25)
    older.click()
    expect(page.locator("#uplinks tr")).to_have_count(125)
    older.click()
    expect(page.locator("#uplinks tr")).to_have_count(150)
    expect(older).to_be_hidden()
    expect(page.locator("#uplinks tr").last.locator("td").nth(1)).to_have_text("0")
    store.put([uplink(EUI, now(), seqno=153)])
    expect(page.locator("#uplinks tr").first).to_contain_text("3 missing before", timeout=LIVE)
    expect(page.locator("#shown")).to_have_text("151 uplinks")
    expect(page.locator("#uplinks tr")).to_have_count(151)


def test_what_is_shown_is_had_as_a_file(
    store: BareStore, web: RunningWeb, windows: Windows
) -> None:
    """The buttons give the uplinks of the period that is shown."""
    store.put(uplinks(EUI, now() - MINUTE, seqnos=range(30)))
    page = windows.open(web.at(PATH)).page
    expect(page.locator("#shown")).to_have_text("30 uplinks")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == f"{APPLICATION}-{EUI}.csv"
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("device,timestamp,seqno,port,")
    assert len(lines) == 31
    with page.expect_download() as download:
        page.get_by_role("link", name="Parquet").click()
    assert download.value.path().read_bytes()[:4] == b"PAR1"


def test_a_silent_device_says_since_when(
    store: BareStore, web: RunningWeb, windows: Windows
) -> None:
    """The heading tells that it is silent, and stops when an uplink comes."""
    store.put(uplinks(EUI, now() - 51 * MINUTE))
    page = windows.open(web.at(PATH)).page
    expect(page.locator("#last")).to_have_text(
        re.compile(r"^Silent since .+, last heard 51 min ago, usually every 15 min$")
    )
    store.put([uplink(EUI, now(), seqno=99)])
    expect(page.locator("#last")).to_have_text(
        re.compile(r"^last heard .+ ago, usually every 15 min$"), timeout=LIVE
    )


def test_a_device_of_which_nothing_is_stored(web: RunningWeb, windows: Windows) -> None:
    """The page says so in place of empty tables."""
    page = windows.open(web.at(PATH)).page
    expect(page.locator("#last")).to_have_text("Nothing is stored of this device.")
    expect(page.get_by_text("No uplinks are stored in this period.")).to_be_visible()
    expect(page.get_by_text("Nothing is known of joins, status or downlinks.")).to_be_visible()


def test_a_wrong_downlink_is_refused_with_the_reason(
    store: BareStore, web: RunningWeb, windows: Windows
) -> None:
    """The reason stands beside the form; the browser's console notes the refusal."""
    store.put(uplinks(EUI, now() - MINUTE))
    visit = windows.open(web.at(PATH))
    page = visit.page
    page.get_by_label("FPort").fill("10")
    page.get_by_label("Bytes").fill("0")
    page.get_by_role("button", name="Send downlink").click()
    expect(page.locator("#sent")).to_have_text("'0' has an odd number of hexadecimal digits")
    expect(page.locator("#problem")).to_be_hidden()
    assert [each for each in visit.complaints if "400" in each]
    visit.complaints.clear()
