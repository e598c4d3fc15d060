"""Requests: which addresses they reach, what goes along, what comes back, and what cannot."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from dataclasses import replace
from typing import Any

import httpcore
import pytest

from dipeo_jupyter.engine.ports.web import Credential, WebAnswer, WebRequest
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.web import WebService
from tests.web_server import Answer, running

KEY = "key-canary-4711-0815"
ENVIRON = {"LAB_API_KEY": KEY, "DIPEO_LAB_API_KEY_HOSTS": "127.0.0.1, *.example.org"}
PUBLIC = "93.184.216.34"


@pytest.fixture
def server():
    with running() as started:
        yield started


def service(environ: dict[str, str] = ENVIRON, **options: Any) -> WebService:
    keys = Keys(environ)
    return WebService(keys.for_host, keys.redact, **{"private": True, **options})


def send(url: str, method: str = "GET", /, web: WebService | None = None, **more: Any) -> WebAnswer:
    more.setdefault("repeatable", method not in ("POST", "PATCH"))
    return asyncio.run((web or service()).send(WebRequest(method, url, **more)))


def refused(*args: Any, **more: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        send(*args, **more)
    return caught.value


# Where to -----------------------------------------------------------------------------------------


def test_an_answer_has_status_headers_and_text(server):
    server.will(Answer(201, "grüß".encode(), {"X-A": "1", "Set-Cookie": "secret=1"}))
    answer = send(f"{server.url}/a?b=1")
    assert (answer.status, answer.text, answer.headers["x-a"]) == (201, "grüß", "1")
    assert "set-cookie" not in answer.headers
    assert [(each.method, each.path) for each in server.asked] == [("GET", "/a?b=1")]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",  # noqa: S104 - nothing listens
        "①②⑦.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_addresses_that_are_not_public_are_not_reached(server, host):
    error = refused(f"http://{host}:{server.port}/", web=service(private=False))
    assert "not a public address" in str(error) or "no address" in str(error)
    assert not error.retryable
    assert server.asked == []


class Beyond(httpcore.AsyncNetworkBackend):
    """Leads to a server on loopback whatever address is asked for, and keeps what it was asked."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.reached: list[str] = []

    async def connect_tcp(self, host, port, *args):
        self.reached.append(host)
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self.port, *args)


def rebinding(server, *answers: list[str]):
    """A service for which a name means something else each time, and what lies beyond its door."""
    left = list(answers)

    async def look_up(host: str, port: int) -> list[str]:
        return left.pop(0)

    web = service(private=False, look_up=look_up)
    web._beyond = beyond = Beyond(server.port)
    return web, beyond


def test_a_name_is_looked_up_once_and_that_address_is_connected_to(server):
    web, beyond = rebinding(server, [PUBLIC], ["127.0.0.1"])
    assert send("http://rebind.example.org/", web=web).status == 200
    assert beyond.reached == [PUBLIC]
    assert server.asked[0].headers["host"] == "rebind.example.org"


def test_a_name_that_means_another_address_later_is_judged_again(server):
    web, beyond = rebinding(server, [PUBLIC], ["127.0.0.1"])
    server.will_redirect("/again")
    assert "not a public address" in str(refused("http://rebind.example.org/", web=web))
    assert beyond.reached == [PUBLIC]


def test_one_address_that_is_not_public_is_enough_to_refuse(server):
    web, beyond = rebinding(server, [PUBLIC, "10.0.0.1"])
    assert "not a public address" in str(refused("http://both.example.org/", web=web))
    assert beyond.reached == []


def test_proxies_of_the_environment_are_not_used(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert send(server.url).status == 200


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "example.org",
        "http://",
        "http:///x",
        "http://a b/",
        "http://127.0.0.1\\@example.org/",
        "http://user:secret@example.org/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:0/",
        "http://x/\r\nHost: y",
        "http://example.org/" + "a" * 9000,
    ],
)
def test_what_is_no_address_is_refused(url):
    assert not refused(url).retryable


def test_hosts_narrow_where_a_request_and_its_redirects_go(server):
    assert "alone, not to 127.0.0.1" in str(refused(server.url, hosts=("api.example.org",)))
    server.will_redirect(f"http://localhost:{server.port}/")
    assert "not to localhost" in str(refused(server.url, hosts=("127.0.0.1",)))


# Redirects ----------------------------------------------------------------------------------------


def test_redirects_are_followed_up_to_a_number(server):
    server.will_redirect("/b")
    server.will_redirect("c")
    assert send(f"{server.url}/a", redirects=2).url == f"{server.url}/c"
    for _ in range(3):
        server.will_redirect("/round")
    assert "the last of 2 redirects" in str(refused(server.url, redirects=2))


def test_a_redirect_is_a_failure_when_none_is_to_be_followed(server):
    server.will_redirect("/b")
    assert "status 302 (Found)" in str(refused(server.url, redirects=0))


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        *[(301, "POST", "GET"), (302, "POST", "GET"), (303, "PUT", "GET"), (303, "HEAD", "HEAD")],
        *[(307, "POST", "POST"), (308, "PUT", "PUT"), (302, "PUT", "PUT")],
    ],
)
def test_the_method_behind_a_redirect_is_that_of_the_standard(server, status, method, then):
    server.will_redirect("/there", status)
    send(server.url, method, content=b"x", headers={"Content-Type": "a/b"})
    asked, kept = server.asked[-1], then == method
    assert (asked.method, asked.body) == (then, b"x" if kept else b"")
    assert ("content-type" in asked.headers) == kept


def test_nothing_secret_goes_to_another_place(server):
    with running() as other:
        server.will_redirect(f"{other.url}/there")
        send(
            server.url,
            credential=Credential("LAB_API_KEY"),
            headers={"X-Session": "mine", "Accept": "a/b"},
        )
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
        assert not {"authorization", "x-session"} & other.asked[0].headers.keys()
        assert other.asked[0].headers["accept"] == "a/b"


def test_no_content_goes_to_another_place(server):
    with running() as other:
        server.will_redirect(other.url, 307)
        error = refused(server.url, "POST", content=b"private")
        assert "redirects POST to 127.0.0.1, which is not followed" in str(error)
        assert error.perhaps_done
        assert other.asked == []


# Keys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (Credential("LAB_API_KEY"), ("authorization", f"Bearer {KEY}")),
        (
            Credential("LAB_API_KEY", "basic", "ann"),
            ("authorization", "Basic YW5uOmtleS1jYW5hcnktNDcxMS0wODE1"),
        ),
        (Credential("LAB_API_KEY", "header", "X-Key"), ("x-key", KEY)),
    ],
)
def test_a_key_is_sent_as_it_shall_be(server, credential, expected):
    send(server.url, credential=credential)
    name, value = expected
    assert server.asked[0].headers[name] == value


def test_a_key_in_the_query_is_in_no_address_that_is_told(server):
    answer = send(f"{server.url}/a?b=1", credential=Credential("LAB_API_KEY", "query", "key"))
    assert server.asked[0].path == f"/a?b=1&key={KEY}"
    assert answer.url == f"{server.url}/a?b=1"
    assert KEY not in answer.text


def test_a_key_that_comes_back_is_taken_out(server):
    body = f"you said {KEY}".encode()
    server.will(Answer(200, body), Answer(400, body))
    answer = send(server.url, credential=Credential("LAB_API_KEY"))
    assert KEY not in answer.text
    assert KEY.encode() not in answer.content
    assert KEY not in str(refused(server.url, credential=Credential("LAB_API_KEY")))


@pytest.mark.parametrize(
    ("url", "credential", "expected"),
    [
        ("https://evil.example.com", Credential("LAB_API_KEY"), "not sent to evil.example.com"),
        ("https://example.org.evil.com", Credential("LAB_API_KEY"), "not sent to example.org.evil"),
        ("https://example.org", Credential("LAB_API_KEY"), "It goes to 127.0.0.1, *.example.org"),
        ("https://a.example.org", Credential("HOME"), "The key HOME is not sent to a.example.org"),
        ("https://a.example.org", Credential("NO_API_KEY"), "DIPEO_NO_API_KEY_HOSTS=a.example.org"),
        ("https://a.example.org", Credential("sk-abc123"), "the name of a variable"),
        ("http://a.example.org", Credential("LAB_API_KEY"), "A key goes by https alone"),
    ],
)
def test_a_key_goes_nowhere_else(url, credential, expected):
    async def look_up(host: str, port: int) -> list[str]:
        raise AssertionError("somebody was asked")

    web = service({**ENVIRON, "HOME": "/home/ann"}, look_up=look_up)
    error = refused(url, web=web, credential=credential)
    assert expected in str(error)
    assert "sk-abc" not in str(error)


def test_a_file_beside_a_diagram_cannot_say_where_a_key_of_the_environment_goes():
    keys = Keys({"LAB_API_KEY": KEY}, {"DIPEO_LAB_API_KEY_HOSTS": "evil.example.com"})
    with pytest.raises(ServiceError, match="It goes nowhere yet"):
        keys.for_host("LAB_API_KEY", "evil.example.com")


# What comes back ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b"a" * 1000, mtime=0), "gzip"),
        (gzip.compress(b"a" * 500, mtime=0) + gzip.compress(b"a" * 500, mtime=0), "gzip"),
        (zlib.compress(b"a" * 1000), "deflate"),
        (b"a" * 1000, "identity"),
    ],
)
def test_packed_answers_are_unpacked(server, body, encoding):
    server.will(Answer(200, body, {"Content-Encoding": encoding}))
    assert send(server.url).text == "a" * 1000


def test_an_answer_that_unpacks_without_end_is_given_up(server):
    bomb = gzip.compress(b"\0" * 20_000_000, mtime=0)
    server.will(Answer(200, bomb, {"Content-Encoding": "gzip"}))
    assert "larger than 100,000 bytes" in str(refused(server.url, most_bytes=100_000))


@pytest.mark.parametrize(
    ("body", "encoding", "expected"),
    [
        (b"x" * 100_000, "", "larger than 1,000 bytes: see `max_bytes`"),
        (b"no gzip", "gzip", "it is broken"),
        (gzip.compress(b"abc", mtime=0)[:-4], "gzip", "it is cut off"),
        (b"abc", "br", "packed with br, which was not asked for"),
    ],
)
def test_what_cannot_be_read_is_said(server, body, encoding, expected):
    server.will(Answer(200, body, {"Content-Encoding": encoding}))
    assert expected in str(refused(server.url, most_bytes=1000))


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"\xe4", "text/plain; charset=latin-1", "ä"),
        (b"\xef\xbb\xbfa", "text/plain", "a"),
        (b"\x89PNG\0\xff", "image/png", None),
        (b"abc", "text/plain; charset=zip", None),
        (b"abc", "text/plain; charset=no-such", None),
    ],
)
def test_text_is_what_the_server_says_that_it_is(server, body, content_type, text):
    server.will(Answer(200, body, {"Content-Type": content_type}))
    answer = send(server.url)
    assert (answer.text, answer.content) == (text, body)


# What goes wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "method", "kind", "retryable", "perhaps_done"),
    [
        (Answer(404, b"no such city"), "GET", "other", False, False),
        (Answer(500), "GET", "server_error", True, False),
        (Answer(500), "POST", "server_error", False, True),
        (Answer(400), "POST", "other", False, False),
        (Answer(429), "POST", "rate_limit", True, False),
        (Answer(503), "POST", "server_error", False, True),
        (Answer(503, headers={"Retry-After": "2"}), "POST", "server_error", True, False),
        (Answer(503, headers={"Retry-After": "7200"}), "GET", "server_error", False, False),
        (Answer(None), "GET", "connection", True, False),
        (Answer(None), "POST", "connection", False, True),
        (Answer(200, b"abc", hangs=True), "GET", "timeout", True, False),
        (Answer(200, b"abc", hangs=True), "POST", "timeout", False, True),
    ],
)
def test_a_failure_says_whether_to_send_it_again(
    server, answer, method, kind, retryable, perhaps_done
):
    server.will(answer)
    error = refused(server.url, method, timeout=0.3 if answer.hangs else 20)
    assert (error.kind, error.retryable, error.perhaps_done) == (kind, retryable, perhaps_done)
    assert ("Nobody knows" in str(error)) == perhaps_done


def test_a_failure_says_what_the_server_says(server):
    server.will(Answer(404, b"  no such\n city "))
    message = "127.0.0.1 answers GET with status 404 (Not Found). It says: no such city"
    assert str(refused(server.url)) == message


def test_a_status_may_be_accepted(server):
    server.will(Answer(404, b"none"))
    assert send(server.url, accepted=(404,)).text == "none"


@pytest.mark.parametrize(
    ("asks", "wait"),
    [("5", 5.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0), ("soon", None)],
)
def test_how_long_to_wait_is_a_number_or_a_date(server, asks, wait):
    server.will(Answer(429, headers={"Retry-After": asks}))
    assert refused(server.url).retry_after == wait


def test_a_server_that_is_not_there_has_done_nothing(server):
    request = WebRequest("POST", "http://127.0.0.1:1/", repeatable=False)
    with pytest.raises(ServiceError, match="cannot be reached") as caught:
        asyncio.run(service().send(replace(request)))
    assert (caught.value.retryable, caught.value.perhaps_done) == (True, False)


def test_a_name_that_nobody_knows_is_said():
    async def look_up(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    error = refused("http://nowhere.example.org/", web=service(look_up=look_up))
    assert (str(error)[:33], error.retryable) == ("Nobody knows nowhere.example.org.", True)


def test_a_server_without_tls_is_not_reached_by_https(server):
    error = refused(f"https://127.0.0.1:{server.port}/", "POST")
    assert "speaks no https there" in str(error)
    assert not error.perhaps_done
