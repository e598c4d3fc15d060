"""What is written to Notion: any length, any depth, in order, and never twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dipeo_jupyter.engine.ports import Write
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.services.notion import NotionService
from dipeo_jupyter.services.notion.blocks import fitted, fitted_blocks, portions
from tests.notion_server import (
    TOKEN,
    Fault,
    NotionServer,
    check_blocks,
    parts,
    running,
    text_of,
)

PAGE = "11111111111111111111111111111111"
DATABASE = "33333333333333333333333333333333"
SOURCE = "44444444444444444444444444444444"
CUT = Fault(None, late=True)
"""Notion obeys, and nobody hears of it."""


class Patience:
    """Fulfils `Steps`: each request is tried three times, and what was written is kept by name."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.waits: list[float | None] = []
        self.meanwhile: Callable[[], None] = lambda: None
        """What others do while it waits."""

    async def attempt(self, work: Callable[[], Any]) -> Any:
        for _ in range(2):
            try:
                return await work()
            except ServiceError as error:
                if not error.retryable:
                    raise
                self.waits.append(error.retry_after)
                self.meanwhile()
        return await work()

    async def once(self, write: Write) -> Any:
        self.writes.append(write)
        return await write.work(f"run/make[1]{write.name}")


class Desk:
    """A service with its Notion and its patience."""

    def __init__(self, notion: NotionServer) -> None:
        self.notion = notion
        self.steps = Patience()
        self.service = NotionService(lambda: TOKEN, notion.base_url)

    def call(self, operation: str, **arguments: Any) -> Any:
        return asyncio.run(self.service.call(operation, arguments, self.steps))

    def append(self, *blocks: Any) -> list[Any]:
        """What the page holds when these were added."""
        self.call("append_blocks", page_id=PAGE, blocks=list(blocks))
        return self.notion.tree(PAGE)

    def create(self, *children: Any, **more: Any) -> Any:
        parent = more.pop("parent", {"page_id": PAGE})
        wanted = {"parent": parent, "properties": title("Plan"), "children": list(children)}
        return self.call("create_page", **wanted, **more)


@pytest.fixture(scope="module")
def shared() -> Iterator[Desk]:
    with running() as notion, pytest.MonkeyPatch.context() as environment:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            environment.delenv(name, raising=False)
        yield Desk(notion)


@pytest.fixture
def desk(shared: Desk) -> Desk:
    notion = shared.notion
    notion.forget()
    notion.pages[PAGE] = {"object": "page", "id": PAGE}
    notion.children[PAGE] = []
    notion.databases[DATABASE] = [{"id": SOURCE, "name": "Plans"}]
    notion.rows[SOURCE] = []
    shared.steps = Patience()
    return shared


def title(text: str) -> dict[str, Any]:
    return {"title": {"title": [{"text": {"content": text}}]}}


def block(text: str, *below: Any, kind: str = "paragraph") -> dict[str, Any]:
    inside: dict[str, Any] = {"rich_text": [{"text": {"content": text}}]}
    return {"type": kind, kind: {**inside, **({"children": list(below)} if below else {})}}


def numbered(count: int, name: str = "") -> list[dict[str, Any]]:
    return [block(f"{name}{number}") for number in range(count)]


def names(count: int, name: str = "") -> list[str]:
    return [f"{name}{number}" for number in range(count)]


def table(rows: int) -> dict[str, Any]:
    cells = [[[{"text": {"content": f"r{number}"}}]] for number in range(rows)]
    lines = [{"type": "table_row", "table_row": {"cells": each}} for each in cells]
    return {"type": "table", "table": {"table_width": 1, "children": lines}}


def refused(status: int, code: str, **headers: str) -> Fault:
    return Fault(status, json.dumps({"object": "error", "code": code, "message": "no"}), headers)


# -- limits ---------------------------------------------------------------------------------------


def test_a_long_text_becomes_pieces_that_look_the_same(desk: Desk) -> None:
    text = "x" * 4_500
    piece = {"text": {"content": text, "link": {"url": "https://e.org"}}, "plain_text": text}
    desk.append({"paragraph": {"rich_text": [{**piece, "annotations": {"bold": True}}]}})
    (made,) = desk.notion.children[PAGE]
    pieces = made["paragraph"]["rich_text"]
    assert [len(each["text"]["content"]) for each in pieces] == [2000, 2000, 500]
    assert {json.dumps(each["text"]["link"]) for each in pieces} == {'{"url": "https://e.org"}'}
    assert all(each["annotations"] == {"bold": True} for each in pieces)
    assert not any("plain_text" in each for each in pieces)


def test_a_sign_that_counts_twice_is_never_cut(desk: Desk) -> None:
    text = "x" + "😀" * 2_500
    assert desk.append(block(text)) == [text]


def test_a_very_long_text_becomes_several_blocks_of_its_kind(desk: Desk) -> None:
    text = "ü" * 450_000
    found = desk.append(block(text, block("below"), kind="quote"))
    assert all(each["type"] == "quote" for each in desk.notion.children[PAGE])
    assert "".join(each if isinstance(each, str) else each[0] for each in found) == text
    assert found[-1][1] == ["below"]


def test_a_long_title_is_cut_too(desk: Desk) -> None:
    made = desk.call("create_page", parent={"page_id": PAGE}, properties=title("x" * 2_001))
    assert len(made["properties"]["title"]["title"]) == 2


def test_a_long_text_of_an_update_is_cut_too(desk: Desk) -> None:
    desk.append(block("old"))
    name = desk.notion.children[PAGE][0]["id"]
    desk.call("update_block", block_id=name, block_data=block("x" * 3_000))
    assert desk.notion.tree(PAGE) == ["x" * 3_000]


def test_a_page_with_many_blocks_is_made_and_then_added_to(desk: Desk) -> None:
    page = desk.create(*numbered(250))
    assert desk.notion.tree(page["id"]) == names(250)
    sent = [len(each.body["children"]) for each in desk.notion.requests]
    assert sent == [100, 100, 50]


def test_what_is_too_deep_is_added_where_it_belongs(desk: Desk) -> None:
    deep = block("1", block("2", block("3", block("4", block("5", block("6")))), block("3b")))
    want = ("1", [("2", [("3", [("4", [("5", ["6"])])]), "3b"])])
    assert desk.append(deep, block("after")) == [want, "after"]


def test_many_children_of_one_block_stay_in_order(desk: Desk) -> None:
    assert desk.append(block("top", *numbered(250))) == [("top", names(250))]


def test_a_long_table_is_made_with_its_first_rows(desk: Desk) -> None:
    assert desk.append(table(250)) == [("table", names(250, "r"))]
    assert len(desk.notion.requests[0].body["children"][0]["table"]["children"]) == 100


def test_columns_are_made_with_what_they_hold(desk: Desk) -> None:
    columns = [
        {"type": "column", "column": {"children": [block("a", block("b"))]}},
        {"type": "column", "column": {"children": numbered(120)}},
    ]
    found = desk.append({"type": "column_list", "column_list": {"children": columns}})
    assert found == [("column_list", [("column", [("a", ["b"])]), ("column", names(120))])]


def test_a_request_holds_a_thousand_blocks_at_most(desk: Desk) -> None:
    wide = [block(f"t{number}", *numbered(30)) for number in range(60)]
    assert desk.append(*wide) == [(f"t{number}", names(30)) for number in range(60)]
    assert len(desk.notion.requests) == 2


def test_a_request_is_never_larger_than_notion_takes(desk: Desk) -> None:
    texts = [f"{number}" + "ü" * 9_000 for number in range(40)]
    assert desk.append(*(block(text) for text in texts)) == texts
    assert len(desk.notion.requests) > 4


TREES = st.recursive(
    st.builds(block, st.sampled_from(["a", "x" * 2_001])),
    lambda inner: (
        st.builds(lambda below: block("p", *below), st.lists(inner, max_size=5))
        | st.builds(lambda count: block("many", *numbered(count)), st.integers(98, 140))
    ),
    max_leaves=8,
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(TREES, max_size=6))
def test_every_portion_of_any_blocks_is_one_that_notion_takes(blocks: list[Any]) -> None:
    found: list[str] = []
    todo = [fitted_blocks(blocks)]
    while todo:
        for portion in portions(todo.pop()):
            check_blocks({"children": portion.blocks})
            todo += [each.children for each in portion.missing]
            found += texts_in(portion.blocks)
    assert sorted(found) == sorted(texts_in(fitted_blocks(blocks)))


def texts_in(blocks: Any) -> list[str]:
    return [text for each in blocks for text in [text_of(fitted(each)), *texts_in(parts(each)[2])]]


def test_nothing_is_asked_when_there_is_nothing_to_add(desk: Desk) -> None:
    assert desk.call("append_blocks", page_id=PAGE, blocks=[])["results"] == []
    assert desk.notion.requests == []


# -- patience -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [refused(429, "rate_limited"), refused(529, "service_overload")])
def test_who_is_asked_to_wait_does_so_and_goes_on_from_there(desk: Desk, fault: Fault) -> None:
    slow = Fault(fault.status, fault.body, {"Retry-After": "7"})
    desk.notion.faults += [None, slow, None, refused(409, "conflict_error"), slow]
    assert desk.append(*numbered(350)) == names(350)
    assert desk.steps.waits == [7.0, None, 7.0]


def test_each_page_of_a_list_is_tried_again_alone(desk: Desk) -> None:
    desk.notion.children[PAGE] = [{"n": number} for number in range(500)]
    wait = refused(429, "rate_limited", **{"Retry-After": "1"})
    for _ in range(4):
        desk.notion.faults += [wait, refused(503, "service_unavailable"), None]
    assert len(desk.call("list_blocks", page_id=PAGE)["results"]) == 500
    assert len(desk.notion.requests) == 5 + 8


def test_every_write_is_a_step_with_a_name_of_its_own(desk: Desk) -> None:
    desk.create(*numbered(250), block("a", *numbered(130)))
    assert [each.name for each in desk.steps.writes] == ["", ".1", ".2", ".3"]
    assert json.dumps([dict(each.request) for each in desk.steps.writes])


# -- what was cut short ---------------------------------------------------------------------------


def test_what_was_added_before_an_answer_was_lost_is_not_added_again(desk: Desk) -> None:
    desk.notion.faults += [None, CUT]
    assert desk.append(*numbered(250)) == names(250)


def test_what_was_not_added_when_an_answer_was_lost_is_added(desk: Desk) -> None:
    desk.notion.faults += [None, Fault(None)]
    assert desk.append(*numbered(250)) == names(250)


def test_what_was_added_below_is_not_added_again(desk: Desk) -> None:
    desk.notion.faults += [None, CUT, None, CUT]
    assert desk.append(block("top", *numbered(250))) == [("top", names(250))]


def test_nobody_can_tell_whether_the_first_blocks_were_added(desk: Desk) -> None:
    desk.notion.faults.append(CUT)
    with pytest.raises(ServiceError, match="It is not known") as caught:
        desk.append(*numbered(3))
    assert caught.value.perhaps_done
    assert desk.steps.writes[0].look is None
    assert len(desk.notion.requests) == 1


def test_where_others_write_too_nobody_can_tell(desk: Desk) -> None:
    divider = {"id": "x", "type": "divider", "divider": {}}
    desk.steps.meanwhile = lambda: desk.notion.children[PAGE].append(divider)
    desk.notion.faults += [None, CUT]
    with pytest.raises(ServiceError, match="Somebody else has changed") as caught:
        desk.append(*numbered(130))
    assert caught.value.perhaps_done


@pytest.mark.parametrize("parent", [{"database_id": DATABASE}, {"data_source_id": SOURCE}])
@pytest.mark.parametrize("fault", [CUT, Fault(None)])
def test_a_page_with_a_marker_is_made_once(desk: Desk, parent: Any, fault: Fault) -> None:
    desk.notion.faults += [None] * ("database_id" in parent) + [fault]
    page = desk.create(parent=parent, marker_property="Made by")
    assert desk.notion.rows[SOURCE] == [page]
    (mark,) = page["properties"]["Made by"]["rich_text"]
    assert mark["text"]["content"] == "run/make[1]"


def test_a_page_without_a_marker_is_not_made_again(desk: Desk) -> None:
    desk.notion.faults.append(CUT)
    with pytest.raises(ServiceError, match="It is not known") as caught:
        desk.create(parent={"data_source_id": SOURCE})
    assert caught.value.perhaps_done
    assert len(desk.notion.rows[SOURCE]) == 1


def test_a_marker_needs_a_database(desk: Desk) -> None:
    with pytest.raises(ServiceError, match="A marker needs a database"):
        desk.create(marker_property="Made by")
    assert desk.notion.requests == []


def test_a_marker_that_is_no_property_is_refused_in_notions_words(desk: Desk) -> None:
    desk.notion.faults += [Fault(400, json.dumps({"code": "validation_error", "message": "Mark?"}))]
    with pytest.raises(ServiceError, match=r"Notion refuses \(status 400\): Mark\?"):
        desk.create(parent={"data_source_id": SOURCE}, marker_property="Mark")


# -- what is there --------------------------------------------------------------------------------


def test_what_is_in_the_trash_says_so(desk: Desk) -> None:
    desk.notion.trash.add(PAGE)
    with pytest.raises(ServiceError, match="in Notion's trash: restore it there first"):
        desk.append(block("x"))


def test_a_parent_that_is_not_shared_is_named(desk: Desk) -> None:
    with pytest.raises(ServiceError, match="the parent of the new page, or it is not shared"):
        desk.create(parent={"page_id": SOURCE})


def test_properties_that_hold_many_things_are_read_to_their_end(desk: Desk) -> None:
    everybody = [{"object": "page", "id": f"{number}"} for number in range(130)]
    held = {"id": "%3EQQn", "type": "relation", "relation": everybody[:25], "has_more": True}
    few = {"id": "title", "type": "title", "title": []}
    desk.notion.pages[PAGE]["properties"] = {"Name": few, "Others": held}
    desk.notion.items["%3EQQn"] = [{"type": "relation", "relation": each} for each in everybody]
    found = desk.call("read_page", page_id=PAGE)["properties"]
    assert found == {"Name": few, "Others": {**held, "relation": everybody, "has_more": False}}
