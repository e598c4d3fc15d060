"""A page is made once, whole, and in order, whenever the process dies that makes it."""

from __future__ import annotations

import pytest

from dipeo_jupyter.protocol import events as e
from tests.notion_server import running

from .child import NOTION, Kill
from .facts import kept

pytestmark = pytest.mark.crash

DATABASE = "0123456789abcdef0123456789abcdef"
SOURCE = "44444444444444444444444444444444"


def made(lab, kill):
    """The page's texts after a life that ended so and one that did not; how it was written."""
    with running() as notion, lab.trial("page") as trial:
        notion.databases[DATABASE] = [{"id": SOURCE, "name": "Reports"}]
        notion.rows[SOURCE] = []
        (trial.folder / NOTION).write_text(notion.base_url)
        killed = lab.live(trial, kill) if kill else False
        assert not lab.live(trial)
        assert not trial.faults
        kinds = [each.event for each in kept(trial.folder).runs["0"]]
        assert not [each for each in kinds if isinstance(each, e.InputRequired)]
        assert isinstance(kinds[-1], e.ExecutionCompleted)
        (page,) = notion.rows[SOURCE]
        writes = [x for x in notion.requests if x.method == "PATCH" or x.path == "/v1/pages"]
        return notion.tree(page["id"]), len(writes), trial.writes, killed


def test_a_page_whose_maker_dies_is_there_once_and_whole(lab, every_point):
    text, requests, writes, _ = made(lab, None)
    assert text[:230] == [f"line {number}" for number in range(230)]
    assert text[230:] == [("one", [("two", [("three", ["four"])])])]
    assert requests == 4

    kills = [
        Kill(where, x) for x in range(2, writes + 1) for where in ("after_commit", "before_commit")
    ]
    found = [made(lab, each) for each in kills[:: 1 if every_point else 3]]
    assert all(killed for *_, killed in found)
    assert [each[:2] for each in found] == [(text, requests)] * len(found)
