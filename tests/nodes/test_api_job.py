"""`api_job`: what is sent and what is handed on, and that no value decides where it goes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dipeo_jupyter.engine.node import Inputs
from dipeo_jupyter.errors import DipeoError, NodeError, ServiceError
from dipeo_jupyter.nodes.api_job import ApiJob
from dipeo_jupyter.nodes.url import filled_in, with_params
from dipeo_jupyter.services.files import LocalFiles
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.web import WebService
from tests.nodes.context import FakeContext, services
from tests.web_server import Answer, running

KEY = "key-canary-4711-0815"
KEYS = Keys({"LAB_API_KEY": KEY, "DIPEO_LAB_API_KEY_HOSTS": "127.0.0.1"})
WEB = WebService(KEYS.for_host, KEYS.redact, private=True)
AUTH = {"auth_config": {"api_key_id": "LAB_API_KEY", "username": "ann", "key_name": "k"}}


@pytest.fixture
def server():
    with running() as started:
        yield started


def run(url: str, root: Path | None = None, /, names: dict[str, Any] | None = None, **more: Any):
    node = ApiJob(url=url, **more)
    files = LocalFiles(root) if root else None
    ctx = FakeContext(services=services(files=files, web=WEB), names=names or {})
    return asyncio.run(node.run(Inputs(), ctx)).outputs["default"]


def invalid(**settings: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        ApiJob.model_validate({"url": "https://example.org", **settings})
    return str(caught.value)


# The address --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("Köln", "/a/K%C3%B6ln/b"),
        ("x/../../admin", "/a/x%2F..%2F..%2Fadmin/b"),
        ("x?admin=1", "/a/x%3Fadmin%3D1/b"),
        ("x#y", "/a/x%23y/b"),
        ("%2e%2e", "/a/%252e%252e/b"),
        ("@evil.example.com", "/a/%40evil.example.com/b"),
        ("\r\nHost: evil", "/a/%0D%0AHost%3A%20evil/b"),
        ("{{secret}}", "/a/%7B%7Bsecret%7D%7D/b"),
    ],
)
def test_a_value_stays_in_its_place(server, value, path):
    run(f"{server.url}/a/{{{{it}}}}/b", names={"it": value, "secret": "s"})
    assert [each.path for each in server.asked] == [path]


@given(st.text() | st.text("./\\?#@:%&=+ \ud800{}", max_size=6))
def test_whatever_a_value_is_the_rest_of_the_address_stays(value):
    try:
        url = filled_in("https://example.org/a/{{it}}/b?q={{it}}&z=1", {"it": value})
    except NodeError:
        assert value in (".", "..")
        return
    read = httpx.URL(with_params(url, {"p": value}))
    sent = value.encode("utf-8", "replace").decode()
    assert (read.scheme, read.host, read.port, read.userinfo) == ("https", "example.org", None, b"")
    assert [unquote(each) for each in read.raw_path.decode().split("?")[0].split("/")] == [
        *("", "a", sent, "b")
    ]
    assert dict(read.params) == {"q": sent, "z": "1", "p": sent}
    assert read.fragment == ""


@pytest.mark.parametrize(
    ("path", "value"),
    [("{{it}}/b", ".."), ("{{it}}", "."), (".{{it}}", "."), ("%2e%2e/{{it}}", "b"), ("../b", "")],
)
def test_an_address_climbs_to_no_folder_above(server, path, value):
    with pytest.raises(NodeError, match="folder above"):
        run(f"{server.url}/a/{path}", names={"it": value})
    assert server.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "{{url}}",
        "https://{{host}}/x",
        "https://{{host}}.example.org",
        "https://example.org{{path}}",
        "https://example.org:{{port}}/",
        "{{scheme}}://example.org/",
        "https:{{rest}}",
        "//example.org/{{x}}",
        "/local",
        "ftp://example.org/",
        "https://",
        "https:///x",
        "https://user:pw@example.org/",
        "https://{{user}}@example.org/",
        "https://example.org\\@evil.com/",
        "javascript:alert(1)",
        "",
    ],
)
def test_the_host_is_written_out(url):
    assert "`url`" in invalid(url=url)


def test_hosts_that_are_listed_may_be_filled_in(server):
    names = {"base": f"{server.url}/v1", "host": f"127.0.0.1:{server.port}", "q": "a b"}
    run("{{base}}/x?q={{q}}", names=names, hosts=["127.0.0.1"])
    run("http://{{host}}/y", names=names, hosts="127.0.0.1, api.example.org")
    assert [each.path for each in server.asked] == ["/v1/x?q=a%20b", "/y"]


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("{{it}}", "http://evil.example.com/"),
        ("{{it}}/x", "http://127.0.0.1.evil.example.com"),
        ("http://{{it}}/x", "evil.example.com"),
        ("http://{{it}}.example.org/", "evil.com/?"),
        ("http://{{it}}.example.org/", "evil.com#"),
        ("http://{{it}}.example.org/", "me@evil.com"),
        ("http://{{it}}.example.org/", "evil.com\\"),
        ("{{it}}", "file:///etc/passwd"),
        ("{{it}}", "http://127.0.0.1@evil.example.com/"),
    ],
)
def test_and_no_others(url, value):
    with pytest.raises(DipeoError):
        run(url, names={"it": value}, hosts=["127.0.0.1", "*.example.org"])


def test_params_are_added_to_the_query(server):
    names = {"tags": ["a", "b&c"], "n": 3}
    params = {"tag": "{{tags}}", "n": "{{n}}", "yes": True, "none": None}
    run(f"{server.url}/a?x=1#part", names=names, params=params)
    run(server.url, params='{"q": "ü"}')
    assert [each.path for each in server.asked] == [
        "/a?x=1&tag=a&tag=b%26c&n=3&yes=true",
        "/?q=%C3%BC",
    ]


# What is sent -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "content_type", "body"),
    [
        ({"body": {"a": "{{n}}", "b": "n={{n}}"}}, "application/json", '{"a": 3, "b": "n=3"}'),
        ({"body": '{"a": "{{quoted}}"}'}, "application/json", '{"a": "\\"}{{n}}"}'),
        ({"body": "{{all}}"}, "application/json", '{"x": [1]}'),
        ({"body": "n={{n}}"}, "text/plain; charset=utf-8", "n=3"),
        ({"body": "3", "body_format": "json"}, "application/json", '"3"'),
        ({"body": "[{{n}}]", "body_format": "text"}, "text/plain; charset=utf-8", "[3]"),
        (
            {"body": {"a": "{{quoted}}", "b": [1, 2]}, "bodyFormat": "form"},
            "application/x-www-form-urlencoded",
            "a=%22%7D%7B%7Bn%7D%7D&b=1&b=2",
        ),
    ],
)
def test_a_body_is_json_a_form_or_text(server, settings, content_type, body):
    names = {"n": 3, "quoted": '"}{{n}}', "all": {"x": [1]}}
    run(server.url, names=names, method="post", **settings)
    asked = server.asked[0]
    assert (asked.method, asked.headers["content-type"]) == ("POST", content_type)
    assert asked.body.decode() == body


def test_older_files_have_empty_text_for_nothing(server):
    empty = {"headers": "", "params": "", "body": "", "authConfig": "{}", "authType": "none"}
    run(server.url, **empty)
    assert (server.asked[0].path, server.asked[0].body) == ("/", b"")


def test_headers_are_filled_in(server):
    run(server.url, names={"x": "1"}, headers={"X-A": "{{x}}", "Content-Type": "a/b"})
    assert server.asked[0].headers["x-a"] == "1"
    with pytest.raises(NodeError, match="line breaks"):
        run(server.url, names={"x": "1\r\nHost: evil"}, headers={"X-A": "{{x}}"})


@pytest.mark.parametrize(
    ("kind", "more", "header", "value"),
    [
        ("bearer", {}, "authorization", f"Bearer {KEY}"),
        ("basic", {}, "authorization", "Basic YW5uOmtleS1jYW5hcnktNDcxMS0wODE1"),
        ("api_key", {}, "k", KEY),
    ],
)
def test_keys_are_sent_by_their_names(server, kind, more, header, value):
    run(server.url, auth_type=kind, **AUTH)
    assert server.asked[0].headers[header] == value


def test_a_key_may_be_sent_in_the_query(server):
    config = {"api_key_id": "LAB_API_KEY", "key_in": "query", "key_name": "appid"}
    value = run(server.url, auth_type="api_key", auth_config=config, response="full")
    assert server.asked[0].path == f"/?appid={KEY}"
    assert KEY not in json.dumps(value)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"headers": {"Authorization": "Bearer x"}}, "write `auth_type: bearer`"),
        ({"headers": {"Host": "evil"}}, "follows from the request"),
        ({"headers": {"X A": "b"}}, "no name of a header"),
        ({"auth_type": "bearer"}, "belong together"),
        ({"auth_config": {"api_key_id": "A_KEY"}}, "belong together"),
        ({"auth_type": "bearer", "auth_config": {"token": "x"}}, "`token` is a secret"),
        ({"auth_type": "basic", "auth_config": {"password": "x"}}, "`password` is a secret"),
        ({"auth_type": "digest"}, "auth_type"),
        (
            {"auth_type": "api_key", "auth_config": {"api_key_id": "A_KEY", "key_name": "Host"}},
            "follows from the request",
        ),
        ({"idempotency_header": "X\r\nY"}, "no name of a header"),
        ({"body": {"a": 1}}, "GET sends no `body`"),
        ({"method": "POST", "body": '{"a": {{x}}}'}, "begins like JSON and is none"),
        ({"method": "CONNECT"}, "method"),
        ({"max_bytes": 10**9}, "max_bytes"),
        ({"redirects": 100}, "redirects"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, expected):
    assert expected in invalid(**settings)


@pytest.mark.parametrize(
    ("settings", "field", "expected"),
    [
        ({"params": {"q": "{{all}}"}}, "params", "'q' is an object; only texts and numbers"),
        (
            {"method": "POST", "body": {"q": "{{all}}"}, "body_format": "form"},
            "body",
            "'q' is an object; only texts and numbers",
        ),
        ({"method": "POST", "body": "{{n}}", "body_format": "form"}, "body", "A form is an object"),
    ],
)
def test_values_that_have_no_place_in_a_request_are_refused(server, settings, field, expected):
    with pytest.raises(NodeError, match=expected) as caught:
        run(server.url, names={"n": 3, "all": {"x": [1]}}, **settings)

    assert (caught.value.field, server.asked) == (field, [])


# What comes back ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "response", "value"),
    [
        (b'{"a": 1}', "application/json", "auto", {"a": 1}),
        (b'{"a": 1}', "application/problem+json; charset=utf-8", "auto", {"a": 1}),
        (b'{"a": 1}', "text/plain", "auto", '{"a": 1}'),
        (b'{"a": 1}', "text/plain", "json", {"a": 1}),
        (b'{"a": 1}', "application/json", "text", '{"a": 1}'),
        (b"", "application/json", "auto", None),
        (b"{{x}}", "text/html", "auto", "{{x}}"),
    ],
)
def test_json_is_a_value_and_all_else_is_text(server, body, content_type, response, value):
    server.will(Answer(200, body, {"Content-Type": content_type}))
    assert run(server.url, response=response) == value


def test_the_full_answer_has_status_and_headers(server):
    server.will(Answer(404, b"none", {"X-A": "1"}))
    value = run(server.url, response="full", accept=[404])
    assert (value["status"], value["headers"]["x-a"], value["body"]) == (404, "1", "none")


def test_what_is_no_text_goes_into_a_file(server, tmp_path):
    picture = b"\x89PNG\0\xff"
    server.will(*[Answer(200, picture, {"Content-Type": "image/png"})] * 2)
    with pytest.raises(NodeError, match=r"no text \(image/png, 6 bytes\)"):
        run(server.url)
    assert run(server.url, tmp_path, names={"n": 1}, save_to="a/{{n}}.png") == "a/1.png"
    assert (tmp_path / "a" / "1.png").read_bytes() == picture


def test_json_that_is_none_is_said_with_its_place(server):
    server.will(Answer(200, b'{"a": }', {"Content-Type": "application/json"}))
    with pytest.raises(NodeError, match="What came back: The text is not valid JSON") as caught:
        run(server.url)
    assert caught.value.details == '{"a": }'


def test_a_status_that_is_none_of_success_is_a_failure(server):
    server.will(Answer(403, b"go away"))
    with pytest.raises(ServiceError, match=r"status 403 \(Forbidden\). It says: go away"):
        run(server.url)


def test_the_same_request_has_the_same_mark(server):
    for _ in range(2):
        run(server.url, method="POST", idempotency_header="Idempotency-Key")
    first, second = (each.headers["idempotency-key"] for each in server.asked)
    assert first == second


def test_a_check_says_where_it_goes():
    node = ApiJob(url="https://api.example.org/{{x}}")
    (power,) = node.powers()
    assert power.code == "uses_network"
    assert power.says == "sends a request to api.example.org"
