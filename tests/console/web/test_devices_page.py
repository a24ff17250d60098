"""The page of all devices, as people use it."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Locator, Page, expect

from lab.aws.bare_store import BareStore
from lab.aws.filling import Item, list_device
from lab.aws.server import LocalAws
from lab.rig.link import Proxy
from lab.rig.running_web import RunningWeb, running_web
from lab.rig.servers import free_ports
from tests.console.web.axe import violations
from tests.console.web.conftest import Windows, deployed, leading
from tests.console.web.rows import APPLICATION, MINUTE, now, uplink, uplinks

pytestmark = pytest.mark.browser

_PAGES = ["/devices", "/gateways", f"/devices/{APPLICATION}/a1"]
_NARROW = (360, 740)
_SOON, _LATER = 20_000, 45_000  # milliseconds until a page shows what the table has
_HOSTILE = "<img src=x onerror=\"document.title='ran'\">'\"</script><script>alert(1)</script>&lt;"
_TURNED = "\u202egnp.exe\u2066"
_BY_COLUMN = {
    "Device": ["c3", "b2", "a1", "d4", "e5", "f6"],
    "EUI": ["a1", "b2", "c3", "d4", "e5", "f6"],
    "Application": ["e5", "b2", "d4", "f6", "c3", "a1"],
    "Last heard": ["e5", "a1", "b2", "d4", "c3", "f6"],
    "State": ["c3", "e5", "d4", "f6", "b2", "a1"],
    "Missing": ["b2", "e5", "d4", "f6", "c3", "a1"],
    "RSSI": ["a1", "c3", "b2", "e5", "d4", "f6"],
    "SNR": ["a1", "c3", "e5", "b2", "d4", "f6"],
    "Last reading": ["e5", "c3", "a1", "b2", "d4", "f6"],
}
"""The devices in the order of a first click: names and texts upwards, others downwards."""
_LAST = {"RSSI": 2, "SNR": 2, "Last reading": 2}
"""How many have no such value: they come last both ways."""


def _heard(rssi: int, lsnr: str) -> Item:
    return {"gwrx": [{"eui": "b827ebfffe000001", "rssi": rssi, "lsnr": Decimal(lsnr)}]}


def _everyone() -> list[Item]:
    """Return uplinks of a device that does well, and of some that do not."""
    error = {"code": "CODEC_ERROR", "message": "expected 3 bytes, got 1"}
    faulty: Item = {"device": "00aa/e5", "decode_error": error, "decoded": {}}
    gap = [*range(20), *range(23, 30)]
    return [
        *uplinks("a1", now() - 2 * MINUTE, more={"name": "Cellar"}),
        *uplinks("b2", now() - 8 * MINUTE, seqnos=gap, more=_heard(-101, "-3.5")),
        *uplinks("c3", now() - 120 * MINUTE, more={"name": "Attic", **_heard(-80, "5")}),
        *uplinks("d4", now() - 20 * MINUTE, seqnos=[1], more={"gwrx": [], "decoded": {}}),
        *uplinks("e5", now() - MINUTE, seqnos=[1], more=faulty | _heard(-110, "2")),
    ]


@pytest.fixture(scope="module")
def site(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWeb]:
    """Serve pages of a few devices, which no test changes."""
    with deployed() as store:
        store.put(_everyone())
        list_device(store.devices, f"{APPLICATION}/f6", now() - 30 * 24 * 60 * MINUTE)
        with running_web(leading(aws, store), tmp_path_factory.mktemp("web")) as web:
            yield web


@pytest.fixture
def page(site: RunningWeb, windows: Windows) -> Page:
    """Open the page and wait until all devices are looked at."""
    page = windows.open(site.at("/devices")).page
    _looked_at(page)
    return page


def _looked_at(page: Page) -> None:
    expect(page.get_by_role("status")).to_have_text(
        "6 devices, 1 silent, 3 not known yet", timeout=_SOON
    )


def _row(page: Page, eui: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("cell", name=eui, exact=True))


def _euis(page: Page) -> Locator:
    return page.locator("tbody td:nth-child(4)")


def _header(page: Page, column: str) -> Locator:
    return page.get_by_role("columnheader").filter(
        has=page.get_by_role("button", name=column, exact=True)
    )


def test_what_is_shown(page: Page) -> None:
    """A device has a line with what its last uplinks say, and the silent one is first, marked."""
    expect(page).to_have_title("Devices · lora-bridge")
    expect(_row(page, "a1").get_by_role("cell")).to_have_text(
        [
            "Cellar",
            "every 15 min",
            "2 min ago",
            "a1",
            APPLICATION,
            "0",
            "-57",
            "9.2",
            "temperature 17.31, humidity 24",
        ],
        use_inner_text=True,
    )
    expect(_row(page, "b2").get_by_role("cell").nth(5)).to_have_text("3")
    error = "CODEC_ERROR: expected 3 bytes, got 1"
    expect(_row(page, "e5").get_by_role("cell").last).to_have_text(error)
    expect(_row(page, "f6").get_by_role("cell").nth(2)).to_have_text("30 d ago")
    for eui in ("d4", "e5", "f6"):  # of which one, one and no uplink is stored
        expect(_row(page, eui).get_by_role("cell").nth(1)).to_have_text("not known yet")
    first = page.get_by_role("row").nth(1)
    expect(first).to_contain_text(re.compile("Attic.*silent, 8 overdue.*2 h ago"))
    expect(first).to_have_class("silent")
    expect(page.locator(".silent")).to_have_count(1)
    expect(page.locator("time").first).to_have_attribute("title", re.compile(r"T.*Z \(UTC\)$"))
    address = f"/devices/{APPLICATION}/a1"
    expect(page.get_by_role("link", name="Cellar")).to_have_attribute("href", address)


@pytest.mark.parametrize("column", _BY_COLUMN)
def test_a_column_sorts(page: Page, column: str) -> None:
    """A click on a column sorts by it, the next one the other way; unknown values stay last."""
    expected = _BY_COLUMN[column]
    header = _header(page, column)
    if column == "State":  # by which the page comes sorted
        expect(_euis(page)).to_have_text(expected)
        _header(page, "EUI").get_by_role("button").click()
    header.get_by_role("button").click()
    expect(_euis(page)).to_have_text(expected)
    way = header.get_attribute("aria-sort")
    first_way = "ascending" if column in {"Device", "EUI", "Application", "Last reading"} else ""
    assert way == (first_way or "descending")
    expect(page.locator("[aria-sort]")).to_have_count(1)
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") != way
    count = _LAST.get(column, 0)
    assert _euis(page).all_inner_texts()[6 - count :] == expected[6 - count :]
    assert _euis(page).first.inner_text() != expected[0]


def test_the_filter(page: Page) -> None:
    """What is typed narrows the table at once, by name, EUI or application, in either case."""
    box = page.get_by_role("searchbox", name="Filter")
    box.press_sequentially("CELL")
    expect(_euis(page)).to_have_text(["a1"])
    expect(page.get_by_role("status")).to_have_text("1 of 6 devices, 0 silent")
    box.fill("00aa/")
    expect(_euis(page)).to_have_text(["e5"])
    box.fill(" b2 ")
    expect(_euis(page)).to_have_text(["b2"])
    box.fill("nobody")
    expect(_euis(page)).to_have_count(0)
    expect(page.get_by_role("status")).to_have_text("0 of 6 devices, 0 silent")
    expect(page.get_by_text("No device fits.")).to_be_visible()
    expect(page.locator("#empty")).to_be_hidden()
    box.press("Enter")
    assert page.url.endswith("/devices")
    box.fill("")
    expect(_euis(page)).to_have_count(6)
    expect(page.get_by_text("No device fits.")).to_be_hidden()
    page.get_by_role("checkbox", name="silent only").check()
    expect(_euis(page)).to_have_text(["c3"])
    expect(page.get_by_role("status")).to_have_text("1 of 6 devices, 1 silent")


def test_a_link_to_the_silent_ones(site: RunningWeb, windows: Windows) -> None:
    """An address can ask for the silent devices alone."""
    page = windows.open(site.at("/devices?silent=1")).page
    expect(page.get_by_role("status")).to_have_text("1 of 6 devices, 1 silent", timeout=_SOON)
    expect(_euis(page)).to_have_text(["c3"])


@pytest.mark.parametrize("path", [*_PAGES, "/nothing"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everyone_can_use_it(
    site: RunningWeb, windows: Windows, path: str, scheme: Literal["light", "dark"]
) -> None:
    """Every control has a name, every table its headers, and colours differ enough."""
    visiting = windows.open(site.at(path), scheme=scheme)
    page = visiting.page
    if path == "/nothing":
        expect(page.get_by_text("There is no such page.")).to_be_visible()
        visiting.complaints.clear()  # Chromium's own of the status 404
    else:
        expect(page.get_by_role("row")).not_to_have_count(1)
    assert violations(page) == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    assert dark == (scheme == "dark")


@pytest.mark.parametrize("path", _PAGES)
def test_a_narrow_window(site: RunningWeb, windows: Windows, path: str) -> None:
    """On a telephone the page stays as wide as the window; only the table goes sideways."""
    page = windows.open(site.at(path), size=_NARROW).page
    expect(page.get_by_role("row")).not_to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= _NARROW[0]
    assert page.evaluate("document.body.scrollWidth") <= _NARROW[0]
    for each in page.get_by_role("link").all()[1:5] + page.get_by_role("searchbox").all():
        box = each.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= _NARROW[0]


@pytest.mark.parametrize("width", [1280, 390])
def test_long_names(store: BareStore, web: RunningWeb, windows: Windows, width: int) -> None:
    """They wrap: the state is in view beside them, and in a narrow window the EUI below them."""
    names = {"a1": "W" * 115, "b2": f"{_TURNED} {'long ' * 22}name"}
    for eui, name in names.items():
        store.put(uplinks(eui, now() - 120 * MINUTE, more={"name": name}))
    store.put(uplinks("c3", now()))
    page = windows.open(web.at("/devices"), size=(width, 800)).page
    expect(page.get_by_role("status")).to_have_text("3 devices, 2 silent", timeout=_SOON)
    for mark in page.get_by_text("silent, 8 overdue").all():
        box = mark.bounding_box()
        assert box
        assert box["x"] + box["width"] <= width
    below = page.locator("td.device code")
    expect(below).to_have_text(["a1", "b2"])
    (expect(below.first).to_be_visible if width == 390 else expect(below.first).to_be_hidden)()
    for column in ("EUI", "Application"):
        expect(_header(page, column)).to_have_count(0 if width == 390 else 1)


def test_how_often_is_said_in_words(
    aws: LocalAws, store: BareStore, windows: Windows, tmp_path: Path
) -> None:
    """More than an uplink a second is not one every 0 seconds; some are never silent."""
    store.put(uplinks("a1", now(), every=MINUTE // 300))
    store.put(uplinks("b2", now() - 500 * MINUTE))
    (tmp_path / "intervals.toml").write_text('[[interval]]\ndevice = "b2"\nevery = "never"\n')
    with running_web(leading(aws, store), tmp_path) as web:
        page = windows.open(web.at("/devices")).page
        expect(_row(page, "a1")).to_contain_text("several times a second", timeout=_SOON)
        expect(_row(page, "b2")).to_contain_text("never silent", timeout=_SOON)


def test_the_keyboard(page: Page) -> None:
    """Tab leads to the filter, each column and each device; Enter sorts and opens."""
    names = []
    for _ in range(40):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "(document.activeElement.name || document.activeElement.id"
                " || document.activeElement.innerText || '').trim()"
            )
        )
    wanted = ["Skip to the content", "Path", "Devices", "Gateways", "Errors", "filter", "silent"]
    assert [each for each in names if each in wanted][: len(wanted)] == wanted
    assert [each for each in names if each in _BY_COLUMN][:9] != []
    assert {*_BY_COLUMN, "Cellar", "Attic", "b2"} <= set(names)
    _header(page, "EUI").get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(_euis(page)).to_have_text(_BY_COLUMN["EUI"])
    page.keyboard.press("Space")
    expect(_euis(page)).to_have_text([*reversed(_BY_COLUMN["EUI"])])
    page.get_by_role("link", name="Cellar").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith(f"/devices/{APPLICATION}/a1")


def test_news_arrives(store: BareStore, web: RunningWeb, windows: Windows) -> None:
    """An uplink that is stored shows by itself, and whoever has come to a link stays there."""
    store.put(uplinks("a1", now() - 5 * MINUTE, every=MINUTE // 2))
    page = windows.open(web.at("/devices")).page
    expect(page.get_by_role("status")).to_have_text("1 device, 1 silent", timeout=_SOON)
    page.get_by_role("link", name="a1").focus()
    store.put([uplink("a1", now(), 26, {"name": "Cellar"}), *uplinks("b2", now())])
    name = _row(page, "a1").get_by_role("cell").first
    expect(name).to_have_text("Cellar", timeout=_LATER, use_inner_text=True)
    expect(page.get_by_role("link", name="Cellar")).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("0 silent")
    assert "overdue" not in _row(page, "a1").inner_text()


def test_no_devices(web: RunningWeb, windows: Windows) -> None:
    """Where nothing has reported, both pages say so and where to look, rather than be empty."""
    page = windows.open(web.at("/devices")).page
    expect(page.get_by_text("No device has reported yet.")).to_be_visible(timeout=_SOON)
    expect(page.get_by_role("status")).to_have_text("0 devices, 0 silent")
    assert violations(page) == []
    page.goto(web.at("/gateways"))
    expect(page.get_by_text("No uplink names a gateway yet.")).to_be_visible(timeout=_SOON)


def test_aws_is_away(
    aws: LocalAws, store: BareStore, windows: Windows, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """While AWS cannot be reached the page says so, and goes on by itself once it can."""
    store.put(uplinks("a1", now() - MINUTE))
    (port,) = free_ports(1)
    proxy = Proxy(port, aws.port)
    proxy.open()
    environment = leading(aws, store) | {
        "AWS_ENDPOINT_URL": f"https://127.0.0.1:{port}",
        "AWS_MAX_ATTEMPTS": "1",
    }
    with running_web(environment, tmp_path_factory.mktemp("web")) as web:
        proxy.close()
        page = windows.open(web.at("/devices")).page
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("AWS: Could not connect to the endpoint URL", timeout=_SOON)
        expect(page.locator("#empty")).to_be_hidden()
        proxy.open()
        expect(_euis(page)).to_have_text(["a1"], timeout=_LATER)
        expect(alert).to_be_hidden(timeout=_SOON)
        proxy.close()


def test_aws_refuses(store: BareStore, web: RunningWeb, windows: Windows) -> None:
    """What AWS refuses is said in its own words, and forgotten once it is allowed."""
    store.destroy()
    page = windows.open(web.at("/devices")).page
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("AWS: An error occurred (Resource", timeout=_SOON)
    assert violations(page) == []
    store.deploy()
    store.put(uplinks("a1", now() - MINUTE))
    expect(_euis(page)).to_have_text(["a1"], timeout=_LATER)
    expect(alert).to_be_hidden(timeout=_SOON)


def test_the_server_ends(
    store: BareStore,
    environment: dict[str, str],
    windows: Windows,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A page says that its server has ended; the next one has another token, and it says that."""
    store.put(uplinks("a1", now() - MINUTE))
    (port,) = free_ports(1)
    folder = tmp_path_factory.mktemp("web")
    with running_web(environment, folder, port=port) as web:
        visiting = windows.open(web.at("/devices"))
        page = visiting.page
        expect(_euis(page)).to_have_text(["a1"], timeout=_SOON)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("lora-bridge web does not answer", timeout=_SOON)
    expect(_euis(page)).to_have_text(["a1"])
    with running_web(environment, folder, port=port) as web:
        expect(alert).to_have_text(
            "Open the address that lora-bridge web has printed.", timeout=_SOON
        )
        page.goto(web.at("/devices"))
        expect(_euis(page)).to_have_text(["a1"], timeout=_SOON)
        expect(alert).to_be_hidden()
    assert all("Failed to load resource: " in each for each in visiting.complaints)
    visiting.complaints.clear()


def test_a_hostile_device(store: BareStore, web: RunningWeb, windows: Windows) -> None:
    """Whatever a device, its codec or a gateway says is text: nothing of it runs or turns."""
    evil = f"{_HOSTILE}{_TURNED}"
    error = {"code": "CODEC_ERROR", "message": evil}
    said: Item = {"gwrx": [{"eui": evil, "rssi": -50, "lsnr": 1}], "name": evil}
    store.put(
        [
            *uplinks("a1", now(), more=said | {"decoded": {"kind": evil, evil: 1}}),
            *uplinks("b2", now(), more=said | {"decoded": {}, "decode_error": error}),
            *uplinks("c3", now(), more=said | {"device": f"{evil.replace('/', '')}/{evil}"}),
        ]
    )
    visiting = windows.open(web.at("/devices"))
    page = visiting.page
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    expect(page.get_by_role("status")).to_have_text("3 devices, 0 silent", timeout=_SOON)
    expect(page.locator("tbody a")).to_have_text([evil] * 3)
    for link in page.locator("tbody a").all():
        expect(link).to_have_css("unicode-bidi", "isolate")
    text = page.locator("tbody").text_content() or ""
    assert f"CODEC_ERROR: {evil}" in text
    assert f"kind {evil}" in text
    page.get_by_role("searchbox").fill(_HOSTILE)
    page.goto(web.at("/gateways"))
    expect(page.locator("tbody code")).to_have_text([evil], timeout=_SOON)
    assert page.title() == "Gateways · lora-bridge"
    for eui in ("a1", "b2"):
        page.goto(web.at(f"/devices/{APPLICATION}/{eui}"))
        expect(page.locator("#shown")).to_have_text("25 uplinks")
        expect(page.get_by_role("heading", level=1)).to_have_text(evil)
        expect(page.locator("#uplinks tr").first).to_contain_text(evil)
        expect(page.locator("#charts figure").last).to_be_visible()
        expect(page.locator("img, body script, iframe")).to_have_count(0)
        assert page.title() != "ran"
    assert dialogs == []
    assert visiting.complaints == []
    page.goto(web.at(f"/{_HOSTILE}"))
    expect(page.locator("img")).to_have_count(0)
    visiting.complaints.clear()  # of the status 404
