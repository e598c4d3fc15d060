"""What a node needs of the world beside models: Notion, and databases."""

from __future__ import annotations

import sys

import pytest

from dipeo_jupyter.services.demo import DemoLLM
from dipeo_jupyter.services.notion import NotionService

from .checking import check, flow, nothing_outside

READS_PAGE = "a: {type: notion, operation: read_page, page_id: x}"
READS_ROWS = "a: {type: db, operation: read, collection: facts}"


def found(node, **there):
    outside = nothing_outside(DemoLLM().check)._replace(**there)
    problems = check(flow(node, "start -> a"), outside=outside)
    return [each for each in problems if each.code == "missing_service"]


def test_notion_without_a_token_is_warned_of_with_what_to_do():
    (problem,) = found(READS_PAGE)

    assert (problem.severity, problem.line) == ("warning", 3)
    assert "Node 'a' needs what is not there. " in problem.message
    assert "set NOTION_TOKEN" in problem.message


def test_a_token_that_can_be_none_is_as_good_as_none():
    assert "is no token" in found(READS_PAGE, notion=NotionService(lambda: "a b").look)[0].message


def test_with_a_token_nothing_is_said():
    assert not found(READS_PAGE, notion=NotionService(lambda: "ntn_1").look)


def test_collections_without_their_library_are_warned_of(monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)

    (problem,) = found(READS_ROWS)

    assert "pip install 'dipeo_jupyter[sql]'" in problem.message


def test_a_database_that_nobody_has_named_is_warned_of():
    (problem,) = found("a: {type: db, operation: query, query: SELECT 1, database: sales}")

    assert "DIPEO_SALES_DATABASE_URL" in problem.message


@pytest.mark.parametrize("node", [READS_ROWS, "a: {type: db, operation: read, file: a.json}"])
def test_the_usual_database_and_files_need_nothing(node):
    assert not found(node)
