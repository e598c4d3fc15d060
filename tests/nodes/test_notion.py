"""`notion`: settings are checked, filled in, and handed to the service."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import ValidationError

from dipeo_jupyter.engine.call import attempt
from dipeo_jupyter.engine.call import call as engine_call
from dipeo_jupyter.engine.node import Inputs
from dipeo_jupyter.engine.ports import Steps
from dipeo_jupyter.errors import NodeError, ServiceError
from dipeo_jupyter.nodes.notion import Notion
from dipeo_jupyter.services.notion import NotionService
from tests.clock import FakeClock
from tests.nodes.context import FakeContext, services
from tests.notion_server import TOKEN, Fault, running

PAGE = "11111111111111111111111111111111"


@dataclass
class Recorder:
    """A Notion that keeps what it was asked."""

    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    async def call(self, operation: str, arguments: Mapping[str, Any], _: Steps) -> Any:
        self.calls.append((operation, arguments))
        return {"object": operation}


def run(settings: dict[str, Any], **names: Any) -> dict[str, Any]:
    """The arguments that reach the service, without the limit."""
    notion = Recorder()
    ctx = FakeContext(services=services(notion=notion), names=names)
    result = asyncio.run(Notion.model_validate(settings).run(Inputs(), ctx))
    operation, arguments = notion.calls[0]
    assert result.outputs == {"default": {"object": operation}}
    return {name: value for name, value in arguments.items() if name != "limit"}


def invalid(settings: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        Notion.model_validate(settings)
    return str(caught.value)


COMPLETE: list[dict[str, Any]] = [
    {"operation": "read_page", "page_id": "p"},
    {"operation": "list_blocks", "block_id": "b"},
    {"operation": "list_blocks", "page_id": "p"},
    {"operation": "append_blocks", "page_id": "p", "blocks": [{"a": 1}]},
    {"operation": "update_block", "block_id": "b", "block_data": {"a": 1}},
    {"operation": "query_database", "database_id": "d", "filter": {"a": 1}, "sorts": [{"b": 1}]},
    {"operation": "create_page", "parent": {"page_id": "p"}, "properties": {}, "children": [{}]},
    {"operation": "extract_text", "page_id": "p"},
]


@pytest.mark.parametrize("settings", COMPLETE)
def test_settings_reach_the_service_as_written(settings: dict[str, Any]) -> None:
    given = {name: value for name, value in settings.items() if name != "operation"}
    assert run(settings) == given


def test_older_names_mean_the_same() -> None:
    older = {"pageId": "p", "blockId": "b", "databaseId": "d", "blockData": {"x": 1}}
    older |= {"parentConfig": {"y": 1}, "pageProperties": {"z": 1}}
    assert run({"operation": "read_page", **older}) == {
        "page_id": "p",
        "block_id": "b",
        "database_id": "d",
        "block_data": {"x": 1},
        "parent": {"y": 1},
        "properties": {"z": 1},
    }


def test_json_text_counts_as_its_value() -> None:
    settings = {"operation": "append_blocks", "page_id": "p", "blocks": '[{"a": "{{who}}"}]'}
    assert run(settings, who='Ann "the" {{x}}')["blocks"] == [{"a": 'Ann "the" {{x}}'}]


def test_a_template_may_stand_for_the_whole_value() -> None:
    settings = {"operation": "append_blocks", "page_id": "{{id}}", "blocks": "{{blocks}}"}
    assert run(settings, id=PAGE, blocks=[{"a": 1}]) == {"page_id": PAGE, "blocks": [{"a": 1}]}


def test_texts_deep_inside_are_filled_in() -> None:
    settings = {
        "operation": "create_page",
        "parent": {"page_id": "{{id}}"},
        "properties": {"title": [{"text": {"content": "For {{who}}"}}]},
    }
    found = run(settings, id=PAGE, who="Ann")
    assert found["parent"] == {"page_id": PAGE}
    assert found["properties"] == {"title": [{"text": {"content": "For Ann"}}]}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"operation": "read_page"}, "read_page needs `page_id`."),
        ({"operation": "list_blocks", "page_id": ""}, "list_blocks needs `block_id` or `page_id`."),
        (
            {"operation": "append_blocks", "page_id": "p"},
            "append_blocks needs `blocks` or `markdown`.",
        ),
        ({"operation": "update_block", "block_id": "b"}, "update_block needs `block_data`."),
        ({"operation": "query_database"}, "query_database needs `database_id`."),
        ({"operation": "create_page", "properties": {}}, "create_page needs `parent`."),
        ({"operation": "create_page", "parent": {}}, "create_page needs `properties`."),
        ({"operation": "extract_text"}, "extract_text needs `page_id` or `block_id`."),
        ({"operation": "delete_page"}, "operation"),
        ({}, "operation"),
        ({"operation": "read_page", "page_id": "p", "filter": "{a"}, "neither JSON nor a template"),
        ({"operation": "read_page", "page_id": "p", "filter": "[1]"}, "filter"),
        ({"operation": "read_page", "page_id": "p", "limit": 0}, "limit"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: Any, expected: str) -> None:
    assert expected in invalid(settings)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"page_id": "{{empty}}"}, "`page_id` is empty once it is filled in"),
        ({"page_id": "p", "filter": "{{text}}"}, "`filter`, filled in: The text is not valid JSON"),
        ({"page_id": "p", "filter": "{{list}}"}, "`filter` must be an object"),
        ({"page_id": "p", "sorts": "{{empty}}{}"}, "`sorts` must be a list"),
    ],
)
def test_what_is_wrong_once_filled_in_is_named(settings: Any, expected: str) -> None:
    with pytest.raises(NodeError) as caught:
        run({"operation": "read_page", **settings}, empty="", text="x", list=[1])
    assert expected in str(caught.value)
    assert caught.value.field in settings


@dataclass
class PatientContext(FakeContext):
    """Tries again as the engine does, on a clock of its own."""

    node_run: Notion = field(default_factory=lambda: Notion(operation="read_page", page_id=PAGE))
    clock: FakeClock = field(default_factory=FakeClock)

    async def attempt(self, work: Any) -> Any:
        return await attempt(work, self.node_run, self.clock, self.progressed.append)


def patient(settings: dict[str, Any], faults: list[Fault]) -> tuple[PatientContext, int, Any]:
    """The context, the number of requests, and the value or the error."""
    with running() as server:
        server.pages[PAGE], server.children[PAGE] = {"id": PAGE}, []
        server.faults += faults
        service = NotionService(lambda: TOKEN, server.base_url)
        node = Notion.model_validate(settings)
        ctx = PatientContext(services=services(notion=service), node_run=node)
        try:
            value = asyncio.run(engine_call(node, Inputs(), ctx)).outputs["default"]
        except ServiceError as error:
            value = error
        return ctx, len(server.requests), value


SLOW = Fault(429, "{}", {"Retry-After": "40"})
READS: dict[str, Any] = {"operation": "read_page", "page_id": PAGE}
ADDS: dict[str, Any] = {"operation": "append_blocks", "page_id": PAGE, "markdown": "- one\n- two"}


@pytest.mark.parametrize("settings", [READS, ADDS])
def test_who_is_asked_to_wait_waits_so_long(settings: dict[str, Any]) -> None:
    ctx, requests, _ = patient(settings, [SLOW, SLOW])
    assert (ctx.clock.pauses, requests) == ([40.0, 40.0], 3)


@pytest.mark.parametrize("settings", [READS, ADDS])
def test_patience_ends_where_the_node_says_so(settings: dict[str, Any]) -> None:
    _, requests, error = patient({**settings, "retry": {"max_attempts": 2}}, [SLOW] * 9)
    assert "Notion asks for fewer requests for 40 s." in str(error)
    assert requests == 2


def test_markdown_is_a_template() -> None:
    settings = {"operation": "append_blocks", "page_id": "p", "markdown": "# {{title}}"}
    assert run(settings, title="Plan")["markdown"] == "# Plan"


def test_the_name_of_a_key_is_ignored() -> None:
    assert {"api_key_id", "apiKeyId"} <= Notion.ignored


def test_page_text_comes_through_the_whole_way() -> None:
    text = [{"plain_text": "It is {{not}} a template."}]
    with running() as server:
        server.children[PAGE] = [{"type": "paragraph", "paragraph": {"rich_text": text}}]
        service = NotionService(lambda: TOKEN, server.base_url)
        node = Notion(operation="extract_text", page_id=f"https://notion.so/Plan-{PAGE}")
        result = asyncio.run(node.run(Inputs(), FakeContext(services=services(notion=service))))
    assert result.outputs["default"] == "It is {{not}} a template."
