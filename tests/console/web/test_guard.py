"""Nobody but who was given the address gets in, and no other page leads a browser here."""

import http.client
from collections.abc import Mapping

import pytest

from console.web.guard import Door
from lab.rig.running_web import RunningWeb
from tests.console.web.conftest import Windows

_DOOR = Door(6590, "right", "entered")
_OWN = "127.0.0.1:6590"


@pytest.mark.parametrize("host", [_OWN, "localhost:6590"])
def test_its_own_names(host: str) -> None:
    """The server answers to both names of the loopback, of whichever page that has its name."""
    assert _DOOR.refusal("GET", {"host": host}) is None
    assert _DOOR.refusal("POST", {"host": host, "origin": f"http://{host}"}) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:6590",
        "127.0.0.1",
        "127.0.0.1:80",
        "localhost:6590.evil.example",
        "[::1]:6590",
        "",
        None,
    ],
)
def test_another_name(host: str | None) -> None:
    """A name that leads here, and is not its own, is refused: DNS can be turned."""
    refusal = _DOOR.refusal("GET", {} if host is None else {"host": host})
    assert refusal == "this server is 127.0.0.1:6590, and no other name"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        f"https://{_OWN}",
        "http://127.0.0.1",
        "http://127.0.0.1:8000",
        "http://localhost:6590",
        "",
    ],
)
def test_another_page(method: str, origin: str) -> None:
    """A page of any other origin may ask for nothing, not even that of the other name."""
    headers = {"host": _OWN, "origin": origin}
    assert _DOOR.refusal(method, headers) == "another page may not ask for this"


def test_a_write_says_where_it_comes_from() -> None:
    """Reading needs no Origin, since browsers send none with it; all else does."""
    for method in ("GET", "HEAD"):
        assert _DOOR.refusal(method, {"host": _OWN}) is None
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get"):
        assert _DOOR.refusal(method, {"host": _OWN}) == "another page may not ask for this"


@pytest.mark.parametrize("token", [None, "", "wrong", "righ", "right ", "rightt", "ü", "Right"])
def test_a_wrong_token(token: str | None) -> None:
    """Only the whole token opens."""
    assert not _DOOR.opens(token)
    assert not _DOOR.knows(token)
    assert _DOOR.opens("right")
    assert _DOOR.knows("entered")
    assert not _DOOR.opens("entered")
    assert not _DOOR.knows("right")


def test_two_servers_share_no_cookie() -> None:
    """A browser sends cookies to all ports of a host, so that each port has its own name."""
    assert _DOOR.cookie != Door(6591, "right", "entered").cookie


def _ask(
    web: RunningWeb, method: str, path: str, headers: Mapping[str, str]
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    try:
        connection.request(method, path, headers=dict(headers))
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.browser
def test_over_http(web: RunningWeb) -> None:
    """The token is exchanged for a cookie; without either, or from elsewhere, nothing is said."""
    path = f"/devices?silent=1&token={web.token}"
    status, headers, _ = _ask(web, "GET", path, {})
    assert (status, headers["location"]) == (303, "/devices?silent=1")
    cookie, *flags = headers["set-cookie"].split("; ")
    assert cookie.startswith(f"lora-bridge-{web.port}=")
    assert web.token not in cookie
    assert {each.lower() for each in flags} == {"httponly", "path=/", "samesite=lax"}

    known = {"Cookie": cookie}
    own = f"http://127.0.0.1:{web.port}"
    for_reading: list[tuple[dict[str, str], int]] = [
        (known, 200),
        ({}, 403),
        ({"Cookie": f"lora-bridge-{web.port}=wrong"}, 403),
        ({"Cookie": f"lora-bridge-{web.port}={web.token}"}, 403),
        ({"Cookie": cookie.replace(str(web.port), "1")}, 403),
        (known | {"Host": f"evil.example:{web.port}"}, 403),
        (known | {"Origin": "https://evil.example"}, 403),
        (known | {"Origin": own}, 200),
    ]
    for asked in ("/devices", "/devices.json", "/static/devices.js"):
        for sent, expected in for_reading:
            status, headers, text = _ask(web, "GET", asked, sent)
            assert (asked, sent, status) == (asked, sent, expected)
            _is_guarded(headers)
            assert status == 200 or text.startswith("lora-bridge: ")
    assert _ask(web, "GET", "/devices?token=wrong", {})[0] == 403
    # A route that reads is asked to write: let in, it has no such method.
    for sent, expected in ((known, 403), (known | {"Origin": own}, 405), ({"Origin": own}, 403)):
        assert _ask(web, "POST", "/devices", sent)[0] == expected
    assert _ask(web, "POST", path, {"Origin": own})[0] == 403
    status, headers, text = _ask(web, "GET", "/nothing<b>", known | {"Accept": "text/html"})
    assert status == 404
    assert "There is no such page." in text
    _is_guarded(headers)


def _is_guarded(headers: Mapping[str, str]) -> None:
    """Look that whatever is answered says what its page may do, and is kept nowhere."""
    policy = {
        name: set(values)
        for name, *values in (
            each.split() for each in headers["content-security-policy"].split(";")
        )
    }
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == {"'none'"}
    assert policy["script-src"] == policy["connect-src"] == policy["form-action"] == {"'self'"}
    assert "unsafe" not in headers["content-security-policy"].replace("style-src", "")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.browser
def test_the_token_leaves_the_address(web: RunningWeb, windows: Windows) -> None:
    """What a browser shows, keeps in its history and tells its scripts has no token in it."""
    page = windows.open(web.at("/gateways")).page
    assert page.url == f"http://127.0.0.1:{web.port}/gateways"
    assert page.evaluate("document.cookie") == ""
    assert web.token not in page.content()
    page.goto(f"http://127.0.0.1:{web.port}/devices")
    assert page.title() == "Devices · lora-bridge"


@pytest.mark.browser
def test_a_foreign_page_gets_nothing(web: RunningWeb, windows: Windows) -> None:
    """A page from elsewhere cannot read the pages, write to them or frame them."""
    visiting = windows.open(web.at("/devices"))
    page = visiting.page
    own = f"http://127.0.0.1:{web.port}"
    page.goto("data:text/html,<title>elsewhere</title>")
    read = "url => fetch(url, {credentials: 'include'}).then(a => a.text(), () => 'refused')"
    assert page.evaluate(read, f"{own}/devices.json") == "refused"
    page.evaluate(
        "url => { document.body.innerHTML = `<iframe src='${url}'></iframe>` }", f"{own}/devices"
    )
    page.wait_for_function("() => window.length === 1")
    assert all("Filter" not in frame.content() for frame in page.frames)
    assert visiting.complaints
    visiting.complaints.clear()
