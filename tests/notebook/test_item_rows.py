"""`run["ask"].to_records()`: what came of each item of a batch."""

from __future__ import annotations

from contextlib import closing

import pandas as pd
import pytest

from dipeo_jupyter.errors import ExecutionFailedError
from dipeo_jupyter.notebook.session import Session
from dipeo_jupyter.settings import Settings
from tests.steering import REAL_MODELS

BOTH_MODES = True

pytestmark = REAL_MODELS

COLUMNS = ["index", "item", "prompt", "result", "error", "input_tokens", "output_tokens", "usd"]
TEXT = """
persons: {P: {service: openai, model: gpt-4.1-nano}}
nodes:
- {label: start, type: start, custom_data: {rows: [a, {b: 1}, c], deep: {rows: [x]}}}
- {label: ask, type: person_batch_job, person: P, prompt: "{{index}}!", parallel: false, SETTINGS}
connections: [{from: start, to: ask}]
"""
PARTS = """
nodes:
- {label: start, type: start, custom_data: {rows: [a, b]}}
- label: ask
  type: sub_diagram
  batch: true
  items: rows
  diagram_data:
    nodes:
    - {label: start, type: start}
    - {label: end, type: endpoint, content_format: "<{{item}}>"}
    connections: [{from: start, to: end}]
connections: [{from: start, to: ask}]
"""


@pytest.fixture
def session(openai_server, tmp_path):
    openai_server.usage(prompt_tokens=5, completion_tokens=2)
    environ = {"OPENAI_API_KEY": "sk-canary-0123456789abcdef"}
    settings = Settings(root=tmp_path, environ=environ, api_bases={"openai": openai_server.url})
    with closing(Session(settings)) as session:
        yield session


def ran(session, settings="items: rows", text=TEXT):
    run = session.start(text.replace("SETTINGS", settings))
    try:
        return run.wait()
    except ExecutionFailedError:
        return run


def column(run, name):
    return [each[name] for each in run["ask"].to_records()]


def test_each_item_has_a_row_with_its_prompt_result_and_cost(session):
    frame = ran(session)["ask"].to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert COLUMNS == list(frame.columns)
    first = [0, "a", "0!", "0!", None, 5, 2]
    assert first == frame.iloc[0].tolist()[:-1]
    assert [{"b": 1}, "c"] == frame["item"].tolist()[1:]
    assert sum(frame["usd"]) == pytest.approx(3 * (5 * 1e-7 + 2 * 4e-7))


@pytest.mark.parametrize(
    ("settings", "items"),
    [
        ("over: deep.rows", ["x"]),
        ("batch_input_key: default.rows", ["a", {"b": 1}, "c"]),
        ("items: 'start.rows[1:]'", [{"b": 1}, "c"]),
    ],
)
def test_items_are_found_by_whatever_names_them(session, settings, items):
    assert items == column(ran(session, settings), "item")


def test_the_only_list_that_arrives_needs_no_name(session):
    data = "{rows: [a, {b: 1}, c], deep: {rows: [x]}}"
    run = ran(session, "partial: false", TEXT.replace(data, "[p, q]"))
    assert ["p", "q"] == column(run, "item")


def test_failed_items_say_why_and_the_others_what_they_gave(session, openai_server):
    openai_server.fail(400)
    run = ran(session, "items: rows, partial: true")
    (first, *others) = column(run, "error")
    assert "refused (400)" in first
    assert ([None, None], [None, "1!", "2!"]) == (others, column(run, "result"))
    assert [None, 5, 5] == column(run, "input_tokens")


def test_answers_of_a_batch_that_failed_are_there_all_the_same(session, openai_server):
    openai_server.reply("A")
    openai_server.fail(400)
    run = ran(session)
    assert ("failed", ["A", None, "2!"]) == (run.status, column(run, "result"))


def test_items_of_parts_have_their_results(session):
    run = ran(session, text=PARTS)
    rows = [(each["item"], each["result"]) for each in run["ask"].to_records()]
    assert [("a", "<a>"), ("b", "<b>")] == rows


def test_other_nodes_have_a_row_for_each_firing(session):
    (row,) = ran(session)["start"].to_records()
    assert ("start", 1, "completed") == (row["node"], row["activation"], row["status"])


def test_a_node_that_did_not_run_has_an_empty_table(session):
    text = TEXT.replace("{from: start, to: ask}", '{from: "no[condtrue]", to: ask}').replace(
        "- {label: ask", '- {label: no, type: condition, expression: "1 > 2"}\n- {label: ask'
    )
    assert ran(session, "items: '[1]'", text)["ask"].to_frame().empty


def test_an_item_that_was_asked_again_has_the_tokens_of_all_tries(session, openai_server):
    for answer in ("Hm.", "[1]", "[2]", "[3]"):
        openai_server.reply(answer)
    run = ran(session, "items: rows, output_schema: {type: array}")
    assert column(run, "result") == [[1], [2], [3]]
    assert column(run, "input_tokens") == [10, 5, 5]
