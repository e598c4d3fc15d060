"""Notion's service, against a small Notion on loopback."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.services.notion import NotionService
from tests.notion_server import TOKEN, Fault, NotionServer, running

PAGE = "11111111111111111111111111111111"
BLOCK = "22222222-2222-2222-2222-222222222222"
DATABASE = "33333333333333333333333333333333"
SOURCE = "44444444444444444444444444444444"
MISSING = "55555555555555555555555555555555"


class Desk:
    """A service and its Notion. It can be given another token."""

    def __init__(self, server: NotionServer) -> None:
        self.server = server
        self.signs_with: str | None = TOKEN
        self.service = NotionService(lambda: self.signs_with, server.base_url)


@pytest.fixture(scope="module")
def shared() -> Iterator[Desk]:
    """One for all tests: reading certificates takes longer than any of them."""
    with running() as notion, pytest.MonkeyPatch.context() as environment:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            environment.delenv(name, raising=False)
        yield Desk(notion)


@pytest.fixture
def desk(shared: Desk) -> Desk:
    shared.server.forget()
    shared.signs_with = TOKEN
    return shared


@pytest.fixture
def server(desk: Desk) -> NotionServer:
    notion = desk.server
    notion.pages[PAGE] = {"object": "page", "id": PAGE}
    notion.children[PAGE] = []
    notion.databases[DATABASE] = [{"id": SOURCE, "name": "Tasks"}]
    notion.rows[SOURCE] = [row(n) for n in range(500)]
    return notion


Call = Callable[..., Any]


@pytest.fixture
def call(desk: Desk, server: NotionServer) -> Call:
    return lambda operation, **arguments: asyncio.run(desk.service.call(operation, arguments))


@pytest.fixture
def failure(call: Call) -> Callable[..., ServiceError]:
    def failed(operation: str = "read_page", **arguments: Any) -> ServiceError:
        with pytest.raises(ServiceError) as caught:
            call(operation, **({"page_id": PAGE} | arguments))
        assert TOKEN not in str(caught.getrepr(chain=True))
        return caught.value

    return failed


def paragraph(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "paragraph", "paragraph": {"rich_text": [{"plain_text": text}]}, **more}


def written(text: str, *below: dict[str, Any]) -> dict[str, Any]:
    """A block as people write it."""
    inside: dict[str, Any] = {"rich_text": [{"text": {"content": text}}]}
    return {"type": "paragraph", "paragraph": {**inside, **({"children": below} if below else {})}}


def row(number: int) -> dict[str, Any]:
    done = {"checkbox": number % 2 == 1}
    return {"n": number, "properties": {"Done": done, "Number": {"number": number}}}


def refused(status: int, code: str, message: str = "no", **headers: str) -> Fault:
    body = {"object": "error", "status": status, "code": code, "message": message}
    return Fault(status, json.dumps(body), headers)


# -- operations -----------------------------------------------------------------------------------


def test_a_page_is_read(call: Call) -> None:
    assert call("read_page", page_id=PAGE) == {"object": "page", "id": PAGE}


@pytest.mark.parametrize(
    "written",
    [
        "11111111-1111-1111-1111-111111111111",
        f"https://www.notion.so/team/Cafe-Plan-{PAGE}",
        f"https://www.notion.so/{PAGE}?v={DATABASE}&pvs=4",
        f"https://www.notion.so/Plan-{PAGE}#{SOURCE}",
    ],
)
def test_the_id_may_be_a_link(call: Call, server: NotionServer, written: str) -> None:
    server.pages["11111111-1111-1111-1111-111111111111"] = {"id": PAGE}
    assert call("read_page", page_id=written)["id"] == PAGE


@pytest.mark.parametrize("written", ["../users/me", "", "abc", f"{PAGE}0", "x?" + PAGE])
def test_what_is_no_id_is_never_sent(failure: Call, server: NotionServer, written: str) -> None:
    assert "id" in str(failure(page_id=written))
    assert server.requests == []


def test_blocks_are_listed_over_all_pages(call: Call, server: NotionServer) -> None:
    server.children[PAGE] = [{"n": n} for n in range(250)]
    found = call("list_blocks", block_id=PAGE)
    assert [block["n"] for block in found["results"]] == list(range(250))
    assert found["has_more"] is False
    assert len(server.requests) == 3


def test_a_list_ends_at_its_limit_and_says_so(call: Call, server: NotionServer) -> None:
    server.children[PAGE] = [{"n": n} for n in range(10_000)]
    found = call("list_blocks", page_id=PAGE, limit=150)
    assert len(found["results"]) == 150
    assert found["has_more"] is True
    assert len(server.requests) == 2


def test_a_list_that_never_ends_is_left(call: Call, server: NotionServer) -> None:
    body = json.dumps({"results": [], "has_more": True, "next_cursor": "0"})
    server.faults.append(Fault(200, body))
    assert call("list_blocks", page_id=PAGE)["results"] == []


def test_blocks_are_appended_by_the_hundred(call: Call, server: NotionServer) -> None:
    blocks = [written(str(n)) for n in range(230)]
    found = call("append_blocks", page_id=PAGE, blocks=blocks)
    assert server.tree(PAGE) == [str(n) for n in range(230)]
    assert found["results"] == server.children[PAGE]
    assert [len(each.body["children"]) for each in server.requests] == [100, 100, 30]


def test_a_failure_half_way_says_what_was_added(failure: Call, server: NotionServer) -> None:
    server.faults += [None, refused(429, "rate_limited")]
    blocks = [written(str(n)) for n in range(230)]
    problem = failure("append_blocks", blocks=blocks)
    assert "The first 100 of 230 blocks were added." in str(problem)
    assert not problem.retryable


def test_a_block_is_updated(call: Call, server: NotionServer) -> None:
    server.children[PAGE] = [paragraph("old", id=BLOCK)]
    new = {"paragraph": {"rich_text": [{"text": {"content": "new"}}]}}
    assert call("update_block", block_id=BLOCK, block_data=new)["id"] == BLOCK
    assert server.children[PAGE][0]["paragraph"] == new["paragraph"]


def test_a_database_is_queried_through_its_data_source(call: Call, server: NotionServer) -> None:
    sought = {
        "filter": {"and": [{"property": "Done", "checkbox": {"equals": False}}]},
        "sorts": [{"property": "Number", "direction": "descending"}],
    }
    found = call("query_database", database_id=DATABASE, **sought)
    assert [row["n"] for row in found["results"]] == list(reversed(range(0, 500, 2)))
    assert all(each.body.items() >= sought.items() for each in server.requests[1:])
    assert server.paths()[0] == f"GET /v1/databases/{DATABASE}"
    assert server.paths()[1:] == [f"POST /v1/data_sources/{SOURCE}/query"] * 3


def test_the_id_of_a_data_source_is_taken_too(call: Call) -> None:
    assert len(call("query_database", database_id=SOURCE, limit=7)["results"]) == 7


def test_a_database_of_several_sources_lists_them(failure: Call, server: NotionServer) -> None:
    server.databases[DATABASE].append({"id": MISSING, "name": "Done"})
    said = str(failure("query_database", database_id=DATABASE))
    assert f"has 2 data sources: Tasks ({SOURCE}), Done ({MISSING})" in said


def test_a_page_is_created(call: Call, server: NotionServer) -> None:
    wanted = {"parent": {"page_id": PAGE}, "properties": {}, "children": [written("hi")]}
    made = call("create_page", **wanted)
    assert made == server.pages[made["id"]]
    assert (made["parent"], made["properties"]) == (wanted["parent"], {})
    assert server.tree(made["id"]) == ["hi"]


def test_the_version_of_the_api_is_named(call: Call, server: NotionServer) -> None:
    call("read_page", page_id=PAGE)
    assert server.requests[0].headers["Notion-Version"] == "2025-09-03"


# -- text -----------------------------------------------------------------------------------------


def test_text_is_extracted_in_order_with_nested_blocks(call: Call, server: NotionServer) -> None:
    row = {"cells": [[{"plain_text": "a"}], [{"plain_text": "b"}]]}
    server.children[PAGE] = [
        paragraph("one"),
        paragraph("two", id=BLOCK, has_children=True),
        {"type": "divider", "divider": {}},
        {"type": "column_list", "id": SOURCE, "has_children": True, "column_list": {}},
        {"type": "child_page", "id": MISSING, "has_children": True, "child_page": {"title": "Sub"}},
        {"type": "table_row", "table_row": row},
        {"type": "equation", "equation": {"expression": "x^2"}},
        {"type": "unsupported"},
    ]
    server.children[BLOCK] = [paragraph("two.one {{x}}")]
    server.children[SOURCE] = [paragraph("three")]
    said = call("extract_text", page_id=PAGE)
    assert said == "one\ntwo\n  two.one {{x}}\nthree\nSub\na | b\nx^2"


@pytest.mark.parametrize(("limit", "complete"), [(3, False), (4, True), (100, True)])
def test_extracted_text_says_when_there_is_more(
    call: Call, server: NotionServer, limit: int, complete: bool
) -> None:
    server.children[PAGE] = [paragraph("a", id=BLOCK, has_children=True), paragraph("b")]
    server.children[BLOCK] = [paragraph("c"), paragraph("d")]
    lines = call("extract_text", page_id=PAGE, limit=limit).split("\n")
    assert ("There is more" in lines[-1]) is not complete


# -- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "", " \n"])
def test_without_a_token_it_says_how_to_get_one(
    desk: Desk, failure: Call, token: str | None
) -> None:
    desk.signs_with = token
    assert "set NOTION_TOKEN (or NOTION_API_KEY)" in str(failure())
    assert "share the page" in str(failure())
    assert desk.server.requests == []


def test_a_token_with_odd_characters_is_not_shown(desk: Desk, failure: Call) -> None:
    desk.signs_with = "ntn_käse\nx"
    said = str(failure())
    assert "is no token" in said
    assert "käse" not in said


def test_a_new_token_counts_at_the_next_call(desk: Desk, call: Call, failure: Call) -> None:
    desk.signs_with = "wrong"
    assert "does not accept the token" in str(failure())
    desk.signs_with = TOKEN
    assert call("read_page", page_id=PAGE)


def test_a_wrong_token_is_not_worth_trying_again(failure: Call, server: NotionServer) -> None:
    server.faults.append(refused(401, "unauthorized", f"{TOKEN} is invalid"))
    problem = failure()
    assert "does not accept the token" in str(problem)
    assert not problem.retryable


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("soon", None), ("", None)])
def test_too_many_requests_say_how_long_to_wait(
    failure: Call, server: NotionServer, header: str, seconds: float | None
) -> None:
    fault = refused(429, "rate_limited", **{"Retry-After": header})
    for operation in ("read_page", "append_blocks"):
        server.faults.append(fault)
        problem = failure(operation, blocks=[{}])
        assert (problem.retryable, problem.retry_after) == (True, seconds)
    assert len(server.requests) == 2


FAULTS = [
    refused(500, "internal_server_error"),
    refused(503, "service_unavailable"),
    Fault(502, "<html>bad gateway</html>"),
    Fault(None),
    Fault(200, "<html>"),
    Fault(200, "[]"),
]
SAFE = [
    ("read_page", {}),
    ("update_block", {"block_id": BLOCK, "block_data": {"x": 1}}),
    ("query_database", {"database_id": DATABASE}),
]
UNSAFE = [
    ("append_blocks", {"blocks": [{}]}),
    ("create_page", {"parent": {}, "properties": {}}),
]


@pytest.mark.parametrize(("operation", "arguments"), SAFE)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_can_be_repeated_may_be_tried_again(
    failure: Call, server: NotionServer, operation: str, arguments: Any, fault: Fault
) -> None:
    server.faults.append(fault)
    assert failure(operation, **arguments).retryable
    assert len(server.requests) == 1


@pytest.mark.parametrize(("operation", "arguments"), UNSAFE)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_may_have_happened_is_not_repeated(
    failure: Call, server: NotionServer, operation: str, arguments: Any, fault: Fault
) -> None:
    server.faults.append(fault)
    problem = failure(operation, **arguments)
    assert "It is not known whether Notion did it" in str(problem)
    assert not problem.retryable
    assert len(server.requests) == 1


@pytest.mark.parametrize("operation", ["read_page", "append_blocks"])
def test_an_unreachable_notion_may_be_tried_again(operation: str) -> None:
    with running() as gone:
        service = NotionService(lambda: TOKEN, gone.base_url)
    with pytest.raises(ServiceError, match="cannot be reached") as caught:
        asyncio.run(service.call(operation, {"page_id": PAGE, "blocks": [{}]}))
    assert caught.value.retryable


def test_what_is_not_shared_is_named(failure: Call) -> None:
    said = str(failure(page_id=MISSING))
    assert f"does not find the page {MISSING}" in said
    assert "add the integration" in said


def test_a_missing_right_is_explained(failure: Call, server: NotionServer) -> None:
    server.faults.append(refused(403, "restricted_resource"))
    assert "has no right to do this" in str(failure())


def test_a_refusal_is_told_in_notions_words(failure: Call, server: NotionServer) -> None:
    server.faults.append(refused(400, "validation_error", f"body.x is wrong, says {TOKEN}"))
    said = str(failure())
    assert said == "Notion refuses (status 400): body.x is wrong, says …"


def test_a_redirect_is_not_followed(failure: Call, server: NotionServer) -> None:
    server.faults.append(Fault(302, "", {"Location": f"{server.base_url}/v1/pages/{PAGE}"}))
    assert "status 302" in str(failure())
    assert len(server.requests) == 1


def test_an_unknown_operation_names_the_nearest(failure: Call) -> None:
    assert "Did you mean 'read_page'?" in str(failure("read_pages"))


@pytest.mark.parametrize(
    ("operation", "name"), [("append_blocks", "blocks"), ("create_page", "parent")]
)
def test_a_missing_argument_is_named(failure: Call, operation: str, name: str) -> None:
    assert str(failure(operation)) == f"Notion needs `{name}`."


def test_nothing_secret_is_logged(
    call: Call, failure: Call, server: NotionServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults += [refused(500, "internal_server_error"), None]
    with caplog.at_level(logging.DEBUG):
        failure()
        call("read_page", page_id=PAGE)
    assert TOKEN not in caplog.text
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


def test_a_cancelled_call_closes_its_connection(desk: Desk, server: NotionServer) -> None:
    async def cancelled() -> None:
        wanted = {"page_id": PAGE, "limit": 10_000}
        task = asyncio.create_task(desk.service.call("list_blocks", wanted))
        assert await asyncio.to_thread(server.arrived.wait, 30)
        task.cancel()
        await task

    server.children[PAGE] = [{"n": n} for n in range(10_000)]
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
