"""Log lines: one run's story, by its id, without keys."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from dipeo_jupyter.engine.observing import Observers
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.observing.run_log import LOGGER, RunLog
from dipeo_jupyter.settings import Settings
from tests.observing import ASKING, DEMO, FAILING, KEY, NESTED, TALK, watched
from tests.running import run
from tests.steering import REAL_MODELS


@pytest.fixture
def lines(caplog):
    """Run a diagram, and give the records that this has left."""
    caplog.set_level(logging.INFO, LOGGER)

    def records(diagram, level=logging.INFO, **options):
        caplog.set_level(level, LOGGER)
        settings = options.pop("settings", None)
        outcome = run(diagram, engine=watched(Observers(RunLog()), settings=settings), **options)
        found = [each for each in caplog.records if each.name == LOGGER]
        return outcome.entries[0].execution_id, found

    return records


def told(records, execution_id):
    """What is said of a run, by somebody who looks for its id."""
    return [
        each.getMessage().removeprefix(f"{execution_id} ")
        for each in records
        if execution_id in each.getMessage()
    ]


def test_a_run_has_a_line_for_its_beginning_and_its_end(lines):
    execution_id, records = lines(DEMO)

    first, last = told(records, execution_id)
    assert first == "started: talk"
    assert last.startswith("completed after ")
    assert last.endswith(" ms")


def test_every_line_has_the_id_in_its_text_and_its_fields(lines):
    execution_id, records = lines(NESTED, logging.DEBUG)

    assert len(told(records, execution_id)) == len(records) > 10
    assert all(each.execution_id.startswith(execution_id) for each in records)
    assert f"{execution_id}/review[1]" in {each.execution_id for each in records}


def test_nodes_are_for_those_who_look_for_faults(lines):
    _, records = lines(DEMO, logging.DEBUG)

    (done,) = [x for x in records if x.node == "say" and x.duration_ms is not None]
    assert done.levelno == logging.DEBUG
    assert (done.activation, done.duration_ms > 0) == (1, True)
    assert "say[1] completed after" in done.getMessage()


def test_a_failure_is_a_warning_of_the_node_and_of_the_run(lines):
    _, records = lines(FAILING)

    node, ending = [x for x in records if x.levelno == logging.WARNING]
    assert (node.node, node.activation) == ("boom", 1)
    assert node.duration_ms > 0
    assert "ValueError: no tea" in node.getMessage()
    assert "failed after" in ending.getMessage()
    assert "boom[1]: " in ending.getMessage()


def test_questions_and_answers_are_told_without_what_was_said(lines):
    execution_id, records = lines(ASKING, answers={"ask": "Ada Lovelace"})

    said = told(records, execution_id)
    assert said[1:3] == ["ask[1] waits for an answer", "ask[1] was answered"]
    assert not any("Ada" in each for each in said)


def test_a_pause_says_why(lines):
    async def pause(engine, entry):
        if isinstance(entry.event, e.InputRequired):
            await engine.send(c.PauseExecution(execution_id=entry.execution_id))
            await engine.send(c.CancelExecution(execution_id=entry.execution_id))

    execution_id, records = lines(ASKING, steer=pause)

    said = told(records, execution_id)
    assert "paused (asked)" in said
    assert said[-1].startswith("cancelled after")


@REAL_MODELS
def test_what_is_tried_again_is_a_warning_without_the_key(lines, openai_server):
    openai_server.fail(429, echo_key=True, retry_after="0.01")
    openai_server.reply("R")
    settings = Settings(
        root=Path(), environ={"OPENAI_API_KEY": KEY}, api_bases={"openai": openai_server.url}
    )
    _, records = lines(TALK, logging.DEBUG, settings=settings)

    (again,) = [each for each in records if each.levelno == logging.WARNING]
    assert again.getMessage().split(" ", 1)[1].startswith("say[1] is tried again: attempt 1 failed")
    assert not any(KEY in each.getMessage() for each in records)


def test_a_line_is_one_line_whatever_is_in_it(lines):
    forged = FAILING.replace("no tea", r"no\\nexec_1 completed")
    _, records = lines(forged)

    assert not any("\n" in each.getMessage() for each in records)


def test_without_handlers_nothing_is_printed_below_a_cell(capsys):
    run(FAILING, engine=watched(Observers(RunLog())))

    assert capsys.readouterr().err == ""
