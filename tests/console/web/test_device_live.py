"""The page of a device while uplinks come, and while it is not looked at."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import APIResponse, FloatRect, Page, Request, Route, expect

from contract.times import format_time, parse_time
from lab.aws.bare_store import BareStore
from lab.rig.running_web import RunningWeb, running_web
from lab.rig.servers import free_ports
from tests.console.web.conftest import Windows
from tests.console.web.rows import APPLICATION, MINUTE, now, uplink, uplinks

pytestmark = [pytest.mark.aws, pytest.mark.browser]

EUI = "9372163"
PATH = f"/devices/{APPLICATION}/{EUI}"
LIVE = 30_000  # milliseconds; a stream looks every 2 s, but a busy machine is slow
BERLIN = ZoneInfo("Europe/Berlin")  # where the browser is
HIDE = """state => {
    const get = () => state === "hidden";
    Object.defineProperty(document, "hidden", { configurable: true, get });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
QUICK = """async () => {
    const { whileVisible } = await import("/static/page.js");
    const [answers, sources] = [[], []];
    const tell = (hidden) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event("visibilitychange"));
    };
    whileVisible(() => new Promise((resolve) => answers.push(resolve)));
    tell(true);
    tell(false);
    for (const answer of answers) {
        const source = { open: true, close() { this.open = false; } };
        sources.push(source);
        answer(source);
    }
    await new Promise((resolve) => setTimeout(resolve));
    const seen = sources.map(({ open }) => open);
    tell(true);
    await new Promise((resolve) => setTimeout(resolve));
    return [seen, sources.map(({ open }) => open)];
}"""
FAILING = """async () => {
    const { whileVisible } = await import("/static/page.js");
    let tries = 0;
    return await new Promise((resolve) => whileVisible(async () => {
        tries += 1;
        if (tries === 1) throw new Error("not yet");
        resolve(tries);
    }));
}"""


@pytest.fixture
def page(store: BareStore, web: RunningWeb, windows: Windows) -> Iterator[Page]:
    """Open the page of a device with 25 uplinks, and wait until it hears of new ones.

    One that is hidden before would read all anew, and list the newest 25.
    """
    store.put(uplinks(EUI, now() - MINUTE))
    page = windows.open(web.at("/gateways")).page
    with page.expect_response("**/live*"):
        page.goto(web.at(PATH))
    expect(page.locator("#shown")).to_have_text("25 uplinks")
    yield page
    page.unroute_all(behavior="ignoreErrors")


def _asked(page: Page, end: str) -> list[Request]:
    """Return a list to which each request for what ends so is added."""
    found: list[Request] = []

    def see(request: Request) -> None:
        if urlsplit(request.url).path.endswith(end):
            found.append(request)

    page.on("request", see)
    return found


def _chosen(address: str) -> dict[str, str]:
    return {name: each[0] for name, each in parse_qs(urlsplit(address).query).items()}


def _second(time: int) -> str:
    """Return microseconds since 1970 as a browser's input has them."""
    return datetime.fromtimestamp(time // 1_000_000, BERLIN).strftime("%Y-%m-%dT%H:%M:%S")


def _chart(page: Page) -> FloatRect:
    chart = page.locator("#charts .u-over").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    return box


def _first_label(page: Page, text: str) -> None:
    figure = page.locator("#charts figure").first
    expect(figure).to_have_attribute("aria-label", text, timeout=LIVE)


def test_a_new_uplink_is_added_to_what_is_there(store: BareStore, page: Page) -> None:
    """It is in the charts without all of them being read again; what is typed stays."""
    asked = _asked(page, "/history.json")
    page.get_by_label("from", exact=True).fill("2020-01-01T00:00:01")
    store.put([uplink(EUI, now(), seqno=27)])
    _first_label(page, "humidity: 26 values from 0 to 27")
    expect(page.locator("#uplinks tr").first).to_contain_text("2 missing before")
    expect(page.locator("#shown")).to_have_text("26 uplinks")
    store.put([uplink(EUI, now(), seqno=26)])
    expect(page.locator("#uplinks tr").nth(1)).to_contain_text("1 missing before", timeout=LIVE)
    _first_label(page, "humidity: 27 values from 0 to 27")
    assert asked == []
    expect(page.get_by_label("from", exact=True)).to_have_value("2020-01-01T00:00:01")
    expect(page.locator("#csv")).not_to_have_attribute("href", re.compile("until"))


def test_a_new_uplink_does_not_end_a_drag(store: BareStore, page: Page) -> None:
    """The charts wait until the pointer has let go."""
    box = _chart(page)
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40, steps=5)
    store.put([uplink(EUI, now(), seqno=25)])
    expect(page.locator("#uplinks tr")).to_have_count(26, timeout=LIVE)
    page.wait_for_timeout(2500)
    _first_label(page, "humidity: 25 values from 0 to 24")
    page.mouse.up()
    expect(page.locator("#shown")).to_have_text(re.compile(r"^[5-7] uplinks$"))


def test_many_uplinks_of_the_last_minute(
    store: BareStore, web: RunningWeb, windows: Windows
) -> None:
    """What the stream tells once more is neither counted nor listed twice."""
    store.put(uplinks(EUI, now(), every=MINUTE // 60, seqnos=range(60)))
    page = windows.open(web.at(PATH)).page
    expect(page.locator("#shown")).to_have_text("60 uplinks")
    store.put([uplink(EUI, now(), seqno=60)])
    expect(page.locator("#uplinks tr").first.locator("td").nth(1)).to_have_text("60", timeout=LIVE)
    expect(page.locator("#shown")).to_have_text("61 uplinks")
    expect(page.locator("#uplinks tr")).to_have_count(26)


def test_the_first_uplink_has_its_charts(
    store: BareStore, web: RunningWeb, windows: Windows
) -> None:
    """Numbers that have no chart yet get one by themselves."""
    page = windows.open(web.at(PATH)).page
    expect(page.get_by_text("No uplinks are stored in this period.")).to_be_visible()
    store.put([uplink(EUI, now(), seqno=1)])
    expect(page.locator("#charts figure")).to_have_count(4, timeout=LIVE)
    expect(page.get_by_text("No uplinks are stored in this period.")).to_be_hidden()


def test_the_newest_uplink_stays_in_a_chosen_period(store: BareStore, page: Page) -> None:
    """Inputs have whole seconds and charts milliseconds; an uplink comes at any microsecond."""
    last = now() // 1_000_000 * 1_000_000 + 999_999
    store.put([uplink(EUI, last, seqno=25)])
    expect(page.locator("#uplinks tr")).to_have_count(26, timeout=LIVE)
    page.reload()
    expect(page.locator("#shown")).to_have_text("26 uplinks")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile("since="))
    assert "until" not in _chosen(page.url)
    expect(page.locator("#shown")).to_have_text("26 uplinks")
    box = _chart(page)
    page.mouse.move(box["x"] + 1, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 40, steps=5)
    page.mouse.move(box["x"] + box["width"] + 15, box["y"] + 40, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile("until="))
    expect(page.locator("#shown")).to_have_text(re.compile("uplinks$"))  # the inputs are set, too
    until = parse_time(_chosen(page.url)["until"])
    assert until == last
    expect(page.locator("#uplinks tr").first.locator("td").nth(1)).to_have_text("25")
    page.get_by_label("to", exact=True).fill(_second(last - 1_000_000))
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#uplinks tr").first.locator("td").nth(1)).to_have_text("24")
    page.get_by_label("to", exact=True).fill(_second(last))
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#uplinks tr").first.locator("td").nth(1)).to_have_text("25")
    assert parse_time(_chosen(page.url)["until"]) == last


def test_an_hour_that_is_there_twice(web: RunningWeb, windows: Windows) -> None:
    """Inputs cannot tell 2:30 in summer time from 2:30 an hour later; the address can."""
    period = "since=2026-10-25T00:30:00.000001Z&until=2026-10-25T01:30:00.000002Z"
    page = windows.open(web.at(f"{PATH}?{period}")).page
    expect(page.get_by_label("to", exact=True)).to_have_value("2026-10-25T02:30")
    before = _chosen(page.url)
    asked = _asked(page, "/history.json")
    with page.expect_response("**/history.json*"):
        page.get_by_role("button", name="Show", exact=True).click()
    assert _chosen(page.url) == _chosen(asked[0].url) == before


def test_a_period_of_the_past_is_no_news(
    store: BareStore, web: RunningWeb, windows: Windows
) -> None:
    """The page listens from now on, and does not read it again when it is looked at again."""
    last = now() - 10 * 24 * 60 * MINUTE
    store.put(uplinks(EUI, last))
    period = f"since={format_time(last - 60 * MINUTE)}&until={format_time(last)}"
    page = windows.open(web.at("/gateways")).page
    asked, live = _asked(page, f"{EUI}/history.json"), _asked(page, f"{EUI}/live")
    with page.expect_request(f"**/{EUI}/live*"):
        page.goto(web.at(f"{PATH}?{period}"))
    page.evaluate(HIDE, "hidden")
    with page.expect_request("**/live*"):
        page.evaluate(HIDE, "visible")
    since = [parse_time(_chosen(each.url)["since"]) or 0 for each in live]
    assert len(since) == 2
    assert min(since) > now() - MINUTE
    assert len(asked) == 1
    store.put([uplink(EUI, now(), seqno=99)])
    expect(page.locator("#last")).to_contain_text(
        re.compile(r"last heard (now|\d+ s)"), timeout=LIVE
    )
    expect(page.locator("#uplinks tr").first.locator("td").nth(1)).to_have_text("24")


def test_what_came_meanwhile_is_there_when_one_looks_again(store: BareStore, page: Page) -> None:
    """The page keeps the older uplinks that were asked for, and hears of new ones."""
    live = _asked(page, "/live")
    page.evaluate(HIDE, "hidden")
    store.put([uplink(EUI, now(), seqno=25)])
    with page.expect_request("**/live*"):
        page.evaluate(HIDE, "visible")
    expect(page.locator("#uplinks tr")).to_have_count(26, timeout=LIVE)
    assert (parse_time(_chosen(live[0].url)["since"]) or 0) > now() - 11 * MINUTE


def test_an_uplink_that_comes_while_a_period_is_read(store: BareStore, page: Page) -> None:
    """It is heard before there is an answer that is without it, and is there afterwards."""
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/history.json*", lambda route: held.append((route, route.fetch())))
    page.locator("[data-span='7']").click()
    while not held:
        page.wait_for_timeout(20)
    store.put([uplink(EUI, now(), seqno=25)])
    expect(page.locator("#uplinks tr")).to_have_count(26, timeout=LIVE)
    ((route, answer),) = held
    assert answer.json()["count"] == 25
    route.fulfill(response=answer)
    expect(page.locator("#shown")).to_have_text("26 uplinks")
    expect(page.locator("#uplinks tr").first.locator("td").nth(1)).to_have_text("25")
    _first_label(page, "humidity: 26 values from 0 to 25")


def test_a_stream_that_is_opened_while_the_page_is_hidden(page: Page) -> None:
    """It is closed, and one that is opened twice is open once."""
    assert page.evaluate(QUICK) == [[False, True], [False, False]]


def test_a_stream_that_cannot_be_opened(page: Page) -> None:
    """It is tried again."""
    assert page.evaluate(FAILING) == 2


def test_a_double_click_sends_one_downlink(page: Page) -> None:
    """The button waits for the answer."""
    routes: list[Route] = []
    page.route("**/downlinks", lambda route: routes.append(route))  # noqa: PLW0108  # Playwright marks it
    page.get_by_label("FPort").fill("10")
    page.get_by_label("Bytes").fill("01")
    button = page.get_by_role("button", name="Send downlink")
    expect(button).to_be_enabled()
    button.dblclick()
    expect(button).to_be_disabled()
    page.wait_for_timeout(300)
    assert len(routes) == 1
    routes[0].fulfill(json={"id": "one"})
    expect(button).to_be_enabled()
    expect(page.locator("#sent")).to_contain_text("Requested as one.")


def test_no_file_before_the_period_is_known(page: Page) -> None:
    """A button that leads nowhere yet downloads nothing else."""
    page.route("**/history.json*", lambda _: None)
    page.reload()
    expect(page.locator("#shown")).to_have_text("…")
    for name in ("csv", "parquet"):
        expect(page.locator(f"#{name}")).not_to_have_attribute("href", re.compile(""))


def test_a_server_that_was_started_anew(
    environment: dict[str, str], tmp_path: Path, windows: Windows
) -> None:
    """The page says which address to open, for the new server does not know it."""
    (port,) = free_ports(1)
    with running_web(environment, tmp_path, port=port) as web:
        visit = windows.open(web.at(PATH))
        with visit.page.expect_response("**/live*"):
            pass
    problem = visit.page.locator("#problem")
    expect(problem).to_contain_text("does not answer", timeout=LIVE)
    with running_web(environment, tmp_path, port=port):
        expect(problem).to_have_text(
            "Open the address that lora-bridge web has printed.", timeout=LIVE
        )
    visit.complaints.clear()
