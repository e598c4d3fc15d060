"""Metrics: what is counted, once, under few labels."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from dipeo_jupyter.app import build_engine
from dipeo_jupyter.engine.observing import Observers
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.cassettes import Cassette, CassetteLLM
from dipeo_jupyter.services.demo import DemoLLM
from dipeo_jupyter.services.journal import MemoryJournal
from dipeo_jupyter.services.observing import metrics
from dipeo_jupyter.services.observing.metrics import Instruments, LoopLag, Metrics
from dipeo_jupyter.settings import Settings
from tests.observing import ASKING, DEMO, FAILING, KEY, NESTED, TALK, watched
from tests.running import diagram_of, run
from tests.steering import REAL_MODELS


class Seen:
    """What one registry shows."""

    def __init__(self):
        self.registry = CollectorRegistry()
        self.instruments = Instruments(self.registry)

    def __call__(self, name, **labels):
        return self.registry.get_sample_value(name, labels)

    def run(self, diagram, **options):
        about = {
            name: options.pop(name) for name in ("settings", "journal", "llm") & options.keys()
        }
        observers = Observers(Metrics(self.instruments))
        return run(diagram, engine=watched(observers, **about), **options)


@pytest.fixture
def seen():
    return Seen()


def test_runs_are_counted_by_how_they_ended(seen):
    seen.run(DEMO)
    seen.run(DEMO)
    seen.run(FAILING)

    assert seen("dipeo_executions_total", status="completed") == 2
    assert seen("dipeo_executions_total", status="failed") == 1
    assert seen("dipeo_executions_total", status="cancelled") == 0


def test_parts_of_a_run_are_no_runs_but_have_nodes(seen):
    seen.run(NESTED)

    assert seen("dipeo_executions_total", status="completed") == 1
    assert seen("dipeo_node_duration_seconds_count", type="start") == 2
    assert seen("dipeo_node_duration_seconds_count", type="person_job") == 1


def test_nodes_that_failed_took_their_time_too(seen):
    seen.run(FAILING)

    assert seen("dipeo_node_duration_seconds_count", type="job") == 1
    assert seen("dipeo_node_duration_seconds_sum", type="job") > 0
    assert seen("dipeo_errors_total", type="NodeError") == 1


@REAL_MODELS
def test_tokens_and_dollars_are_counted_by_model(seen, openai_server):
    openai_server.usage(prompt_tokens=1000, completion_tokens=500, total_tokens=1500)
    openai_server.reply("R")
    environ, bases = {"OPENAI_API_KEY": KEY}, {"openai": openai_server.url}
    seen.run(TALK, settings=Settings(root=Path(), environ=environ, api_bases=bases))

    model = "openai/gpt-4.1-nano"
    assert seen("dipeo_llm_tokens_total", model=model, direction="input") == 1000
    assert seen("dipeo_llm_tokens_total", model=model, direction="output") == 500
    assert seen("dipeo_llm_cost_usd_total", model=model) == pytest.approx(0.0003)
    assert seen("dipeo_llm_unpriced_calls_total", model=model) == 0


def test_what_is_reused_was_spent_before(seen):
    journal = MemoryJournal()
    seen.run(DEMO, journal=journal)
    before = seen("dipeo_llm_tokens_total", model="demo", direction="input")
    outcome = seen.run(DEMO, journal=journal)

    assert outcome.completed("say")[0].cached
    assert before > 0
    assert seen("dipeo_llm_tokens_total", model="demo", direction="input") == before
    assert seen("dipeo_node_duration_seconds_count", type="person_job") == 1


def test_what_is_replayed_was_spent_before(seen, tmp_path):
    def taped(mode):
        return CassetteLLM(DemoLLM(), Cassette(tmp_path / "tape.yaml"), mode, str)

    seen.run(DEMO, llm=taped("record"))
    before = seen("dipeo_llm_tokens_total", model="demo", direction="output")
    seen.run(DEMO, llm=taped("replay"))

    assert seen("dipeo_llm_tokens_total", model="demo", direction="output") == before > 0
    assert seen("dipeo_node_duration_seconds_count", type="person_job") == 2


def test_runs_that_go_on_are_counted_while_they_do(seen):
    counts = []

    async def look(engine, entry):
        if isinstance(entry.event, e.InputRequired):
            counts.append(seen("dipeo_executions_running"))
            await engine.send(c.PauseExecution(execution_id=entry.execution_id))
            counts.append(seen("dipeo_executions_running"))
            await engine.send(c.ResumeExecution(execution_id=entry.execution_id))
            counts.append(seen("dipeo_executions_running"))

    seen.run(ASKING, answers={"ask": "Ada"}, steer=look)

    assert counts == [1, 0, 1]
    assert seen("dipeo_executions_running") == 0


def test_a_closed_engine_leaves_no_run_that_goes_on(seen):
    async def main():
        engine = watched(Observers(Metrics(seen.instruments)))()
        await engine.send(c.ExecuteDiagram(diagram=diagram_of(ASKING)))
        assert seen("dipeo_executions_running") == 1
        await engine.close()

    asyncio.run(main())
    assert seen("dipeo_executions_running") == 0


def test_several_engines_of_a_process_share_their_metrics(tmp_path):
    settings = Settings(root=tmp_path, metrics=True)
    name, labels = "dipeo_executions_total", {"status": "completed"}
    before = REGISTRY.get_sample_value(name, labels) or 0
    run(DEMO, engine=lambda: build_engine(settings))
    run(DEMO, engine=lambda: build_engine(settings))

    assert REGISTRY.get_sample_value(name, labels) == before + 2
    assert generate_latest(REGISTRY).count(b"# TYPE dipeo_executions_total") == 1


def test_without_the_setting_nothing_is_counted(tmp_path):
    name, labels = "dipeo_executions_total", {"status": "completed"}
    before = REGISTRY.get_sample_value(name, labels)
    run(DEMO, engine=lambda: build_engine(Settings(root=tmp_path)))

    assert REGISTRY.get_sample_value(name, labels) == before


def test_no_label_names_a_run_or_a_node(seen):
    outcome = seen.run(NESTED)

    shown = generate_latest(seen.registry).decode()
    assert outcome.entries[0].execution_id not in shown
    assert "review" not in shown
    assert "think" not in shown


def test_labels_are_limited(seen, monkeypatch):
    monkeypatch.setattr(metrics, "MOST_VALUES", 2)

    named = [seen.instruments.model(name) for name in ("a", "b", "c", "a", "d")]
    assert named == ["a", "b", "other", "a", "other"]


class Loop:
    """An event loop whose clock the test owns."""

    def __init__(self):
        self.now, self.next = 0.0, None

    def time(self):
        return self.now

    def call_later(self, delay, call, *arguments):
        self.next = lambda: call(*arguments)
        return asyncio.TimerHandle(self.now + delay, call, arguments, self)

    def get_debug(self):
        return False

    def _timer_handle_cancelled(self, handle):
        self.next = None


def test_a_loop_that_is_late_is_seen(seen, monkeypatch):
    loop = Loop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    lag = LoopLag(seen.instruments.lag)
    lag.start()
    loop.now += metrics.BETWEEN_LOOKS + 0.2
    loop.next()
    lag.stop()

    assert seen("dipeo_loop_lag_seconds_count") == 1
    assert seen("dipeo_loop_lag_seconds_sum") == pytest.approx(0.2)
    assert seen("dipeo_loop_lag_seconds_bucket", le="0.1") == 0


def test_an_observer_that_fails_is_no_reason_for_a_run_to(caplog):
    class Broken:
        def handlers(self):
            return {e.NodeStarted: lambda *_: 1 / 0}

        def close(self):
            pass

    outcome = run(DEMO, engine=watched(Observers(Broken())))

    assert outcome.outputs
    assert "nobody could be told" in caplog.text
