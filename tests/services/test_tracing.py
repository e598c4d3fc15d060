"""Traces: the tree of spans, what they say, and what they keep to themselves."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from dipeo_jupyter.app import build_engine
from dipeo_jupyter.engine.observing import Observers
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.protocol.requests import BadFrameError, read_request
from dipeo_jupyter.services.journal import MemoryJournal
from dipeo_jupyter.services.observing import exporting, genai
from dipeo_jupyter.services.observing.tracing import Tracing
from dipeo_jupyter.settings import Settings
from tests.observing import ASKING, DEMO, FAILING, KEY, NESTED, TALK, TOOLS, watched
from tests.otlp_server import Collector
from tests.running import diagram_of, run
from tests.steering import REAL_MODELS

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Traced:
    """What engines of a test leave in memory."""

    def __init__(self, *, content=False):
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.content = content

    def engine(self, **about):
        observers = Observers(tracer=Tracing(self.provider, content=self.content))
        return watched(observers, **about)

    def run(self, diagram, *, settings=None, **options):
        return run(diagram, engine=self.engine(settings=settings), **options)

    @property
    def spans(self):
        return self.exporter.get_finished_spans()

    def named(self, name):
        (span,) = [each for each in self.spans if each.name == name]
        return span

    def tree(self):
        """Each span below its parent, in the order in which they began."""
        below = {}
        for each in sorted(self.spans, key=lambda each: each.start_time):
            below.setdefault(each.parent and each.parent.span_id, []).append(each)

        def grown(parent):
            return [
                (each.name, grown(each.context.span_id))
                if grown(each.context.span_id)
                else each.name
                for each in below.get(parent, [])
            ]

        return grown(None)


@pytest.fixture
def traced():
    return Traced()


def openai(server):
    environ, bases = {"OPENAI_API_KEY": KEY}, {"openai": server.url}
    return Settings(root=Path(), environ=environ, api_bases=bases)


# The tree -----------------------------------------------------------------------------------------


def test_a_model_is_asked_below_the_activation_of_a_run(traced):
    traced.run(DEMO)

    assert traced.tree() == [
        ("invoke_workflow talk", ["start start", ("invoke_agent P", ["chat demo"]), "endpoint end"])
    ]


def test_a_part_hangs_below_the_activation_it_works_for(traced):
    traced.run(NESTED)

    inner = ["start start", ("invoke_agent Q", ["chat demo"]), "endpoint end"]
    review = ("sub_diagram review", [("invoke_workflow inner", inner)])
    assert traced.tree() == [("invoke_workflow outer", ["start start", review, "endpoint end"])]
    assert len({each.context.trace_id for each in traced.spans}) == 1


def test_tools_are_used_between_two_answers(traced):
    traced.run(TOOLS)

    talk = ("invoke_agent P", ["chat demo", "execute_tool rate", "chat demo"])
    assert traced.tree() == [("invoke_workflow tools", ["start start", talk, "endpoint end"])]


def test_what_is_reused_asks_nobody(traced):
    journal = MemoryJournal()
    run(DEMO, engine=traced.engine(journal=journal))
    traced.exporter.clear()
    run(DEMO, engine=traced.engine(journal=journal))

    assert "chat demo" not in str(traced.tree())
    assert traced.named("invoke_agent P").attributes[genai.CACHED] is True


# What spans say -----------------------------------------------------------------------------------


@REAL_MODELS
def test_a_call_says_who_was_asked_and_what_it_took(traced, openai_server):
    openai_server.usage(prompt_tokens=1000, completion_tokens=500, total_tokens=1500)
    openai_server.reply("R")
    outcome = traced.run(TALK, settings=openai(openai_server))

    span = traced.named("chat gpt-4.1-nano")
    assert span.kind is SpanKind.CLIENT
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1-nano",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.conversation.id": outcome.entries[0].execution_id,
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 500,
        "dipeo.cost.usd": pytest.approx(0.0003),
    }


def test_a_run_and_its_activations_say_which_they_are(traced):
    outcome = traced.run(DEMO)

    execution_id = outcome.entries[0].execution_id
    assert dict(traced.named("invoke_workflow talk").attributes) == {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.agent.name": "talk",
        "gen_ai.conversation.id": execution_id,
        "dipeo.execution.id": execution_id,
        "dipeo.execution.status": "completed",
    }
    assert dict(traced.named("invoke_agent P").attributes) == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "P",
        "dipeo.node.label": "say",
        "dipeo.node.type": "person_job",
        "dipeo.node.activation": 1,
    }


def test_spans_begin_and_end_when_the_journal_says(traced):
    outcome = traced.run(DEMO)

    times = {entry.event.type: entry.time for entry in outcome.entries}
    span = traced.named("invoke_workflow talk")
    assert span.end_time == int(times["execution_completed"] * 1e9)
    assert span.start_time / 1e9 == pytest.approx(times["execution_started"], abs=0.1)


def test_an_error_is_the_status_of_the_node_and_of_the_run(traced):
    traced.run(FAILING)

    for name in ("job boom", "invoke_workflow failing"):
        span = traced.named(name)
        assert span.status.status_code is StatusCode.ERROR
        assert "no tea" in span.status.description
        assert span.attributes["error.type"] == "NodeError"
    assert traced.named("start start").status.status_code is StatusCode.UNSET


@REAL_MODELS
def test_each_attempt_is_a_call_and_says_what_failed(traced, openai_server):
    openai_server.fail(429, echo_key=True, retry_after="0.01")
    openai_server.reply("R")
    traced.run(TALK, settings=openai(openai_server))

    first, second = [each for each in traced.spans if each.name == "chat gpt-4.1-nano"]
    assert first.status.status_code is StatusCode.ERROR
    assert first.attributes["error.type"] == "rate_limit"
    assert second.status.status_code is StatusCode.UNSET
    assert not any(KEY in each.to_json() for each in traced.spans)


# Content ------------------------------------------------------------------------------------------


def test_what_is_said_is_not_in_any_span(traced):
    for diagram in (DEMO, NESTED, TOOLS):
        traced.run(diagram)

    everything = "".join(each.to_json() for each in traced.spans)
    for said in ("Say it", "You are P", "Think", "[demo]", "Rate?", "USD", "1.25"):
        assert said not in everything


def test_who_wants_to_sees_what_was_said():
    traced = Traced(content=True)
    outcome = traced.run(DEMO)

    said = traced.named("chat demo").attributes
    text = outcome.outputs["end"]
    assert json.loads(said["gen_ai.system_instructions"]) == [
        {"type": "text", "content": "You are P."}
    ]
    assert json.loads(said["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "Say it"}]}
    ]
    assert json.loads(said["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": text}], "finish_reason": "stop"}
    ]


def test_who_wants_to_sees_how_tools_were_used():
    traced = Traced(content=True)
    traced.run(TOOLS)

    use = traced.named("execute_tool rate").attributes
    assert json.loads(use["gen_ai.tool.call.arguments"]) == {"source": "USD"}
    assert use["gen_ai.tool.call.result"] == "1.25"
    asked, answered = [each for each in traced.spans if each.name == "chat demo"]
    (wanted,) = json.loads(asked.attributes["gen_ai.output.messages"])
    assert wanted["parts"][0]["name"] == "rate"
    last = json.loads(answered.attributes["gen_ai.input.messages"])[-1]
    assert last["parts"][0] == {"type": "tool_call_response", "id": "call_0", "response": "1.25"}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("true", True), ("SPAN_ONLY", True), ("span_and_event", True), ("event_only", False)],
)
def test_content_is_asked_for_as_elsewhere(value, wanted):
    name = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

    assert Settings.from_environment({name: value}).traced_content is wanted
    assert Settings.from_environment({}).traced_content is False


# Context ------------------------------------------------------------------------------------------


def test_a_run_is_part_of_the_trace_that_it_came_with(traced):
    outcome = traced.run(DEMO, traceparent=TRACEPARENT)

    span = traced.named("invoke_workflow talk")
    assert f"{span.parent.span_id:016x}" == PARENT
    assert {f"{each.context.trace_id:032x}" for each in traced.spans} == {TRACE}
    kept = outcome.events[0].traceparent
    assert kept == f"00-{TRACE}-{span.context.span_id:016x}-01"


def test_who_traces_nothing_keeps_what_the_run_came_with():
    outcome = run(DEMO, traceparent=TRACEPARENT)

    assert outcome.events[0].traceparent == TRACEPARENT


def test_the_context_is_taken_from_the_envelope():
    message = {"type": "execute_diagram", "payload": {"diagram": "version: light\n"}}
    request = read_request(json.dumps({**message, "traceparent": TRACEPARENT}))

    assert request.command.traceparent == TRACEPARENT
    assert read_request(json.dumps({"type": "ping", "traceparent": TRACEPARENT}))
    with pytest.raises(BadFrameError, match="traceparent"):
        read_request(json.dumps({**message, "traceparent": "00-1-2-01"}))


async def go_on_with(engine, execution_id):
    """Go on with a run that waits for an answer, and see it end."""
    await engine.send(c.ResumeExecution(execution_id=execution_id))
    await engine.send(c.UserResponse(execution_id=execution_id, node="ask", value="Ada"))
    async for _ in engine.events(execution_id):
        pass
    await engine.close()


def test_a_run_that_is_gone_on_with_stays_in_its_trace(traced):
    journal = MemoryJournal()

    async def main():
        first = traced.engine(journal=journal)()
        ack = await first.send(c.ExecuteDiagram(diagram=diagram_of(ASKING)))
        async for entry in first.events(ack.execution_id):
            if isinstance(entry.event, e.InputRequired):
                break
        await first.close()
        await go_on_with(traced.engine(journal=journal)(), ack.execution_id)

    asyncio.run(main())
    begun, again = [each for each in traced.spans if each.name == "invoke_workflow asking"]
    assert again.parent.span_id == begun.context.span_id
    assert len({each.context.trace_id for each in traced.spans}) == 1
    assert genai.STATUS not in begun.attributes
    assert again.attributes[genai.STATUS] == "completed"


def test_after_a_crash_there_are_spans_for_what_was_under_way(traced):
    crashed, entries = Traced(), []

    async def stop(engine, entry):
        entries.append(entry)
        if isinstance(entry.event, e.InputRequired):
            await engine.send(c.CancelExecution(execution_id=entry.execution_id))

    crashed.run(ASKING, steer=stop)
    journal = MemoryJournal()
    for entry in entries[:-1]:
        journal.append(entry)

    asyncio.run(go_on_with(traced.engine(journal=journal)(), entries[0].execution_id))
    lost = crashed.named("invoke_workflow asking")
    (root,) = [each for each in traced.spans if each.name == "invoke_workflow asking"]
    assert root.parent.span_id == lost.context.span_id
    assert traced.named("user_response ask").parent.span_id == root.context.span_id


def test_what_is_interrupted_says_so(traced):
    async def cancel(engine, entry):
        if isinstance(entry.event, e.InputRequired):
            await engine.send(c.CancelExecution(execution_id=entry.execution_id))

    traced.run(ASKING, steer=cancel)

    node, whole = traced.named("user_response ask"), traced.named("invoke_workflow asking")
    assert node.attributes[genai.INTERRUPTED] is True
    assert [each.name for each in node.events] == ["waits for an answer"]
    assert whole.attributes[genai.STATUS] == "cancelled"
    assert whole.status.status_code is StatusCode.UNSET


READING = """
name: reading
nodes:
- {label: start, type: start}
- {label: read, type: db, operation: read, file: tea.txt}
connections: [{from: start, to: read}]
"""


def test_a_failed_run_that_is_tried_again_has_a_span_for_that(traced, tmp_path):
    async def again(engine, entry):
        if isinstance(entry.event, e.ExecutionFailed):
            (tmp_path / "tea.txt").write_text("Assam")
            await engine.send(c.ResumeExecution(execution_id=entry.execution_id))

    outcome = traced.run(READING, settings=Settings(root=tmp_path), steer=again)

    assert outcome.outputs == {"read": "Assam"}
    failed, completed = [each for each in traced.spans if each.name == "invoke_workflow reading"]
    assert failed.status.status_code is StatusCode.ERROR
    assert completed.attributes[genai.STATUS] == "completed"
    assert completed.parent.span_id == failed.context.span_id


# Where spans go -----------------------------------------------------------------------------------


def test_a_provider_that_is_handed_in_gets_the_spans(tmp_path):
    traced = Traced()
    engine = lambda: build_engine(Settings(root=tmp_path), tracer_provider=traced.provider)  # noqa: E731
    run(DEMO, engine=engine)

    assert traced.named("chat demo")


SCRIPT = """
import asyncio
from dipeo_jupyter.app import build_engine
from dipeo_jupyter.diagram import light
from dipeo_jupyter.protocol.commands import ExecuteDiagram
from dipeo_jupyter.settings import Settings

async def main(text):
    engine = build_engine(Settings.from_environment())
    ack = await engine.send(ExecuteDiagram(diagram=light.loads(text)))
    async for _ in engine.events(ack.execution_id):
        pass
    await engine.close()

asyncio.run(main({text!r}))
"""


@pytest.fixture
def collector():
    with closing(Collector()) as collector:
        yield collector


def python(script, tmp_path, **environ):
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OTEL_")},
        "DIPEO_ROOT": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        **environ,
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_spans_go_to_where_the_environment_says(collector, tmp_path):
    script = SCRIPT.replace("{text!r}", repr(NESTED))
    said = python(script, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)

    found = collector.spans()
    assert said == ""
    assert len(found) == 9
    assert {resource["service.name"] for resource, _ in found} == {"dipeo_jupyter"}
    by_id = {span.span_id: span for _, span in found}
    (chat,) = [span for span in by_id.values() if span.name == "chat demo"]
    path = []
    while chat is not None:
        path.append(chat.name)
        chat = by_id.get(chat.parent_span_id)
    assert path == [
        "chat demo",
        "invoke_agent Q",
        "invoke_workflow inner",
        "sub_diagram review",
        "invoke_workflow outer",
    ]


@pytest.mark.parametrize(
    "environ",
    [{}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}],
    ids=["no address", "disabled", "no exporter"],
)
def test_spans_go_nowhere_unless_they_are_asked_for(collector, tmp_path, environ):
    address = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url} if environ else {}
    check = "import sys; assert 'opentelemetry' not in sys.modules"
    python(f"{SCRIPT.replace('{text!r}', repr(DEMO))}\n{check}", tmp_path, **address, **environ)

    assert collector.spans() == []


def test_the_provider_of_the_application_comes_first(collector, tmp_path):
    script = f"""
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
import sys
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr)))
trace.set_tracer_provider(provider)
{SCRIPT.replace("{text!r}", repr(DEMO))}
"""
    said = python(script, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)

    assert '"name": "chat demo"' in said
    assert collector.spans() == []


def test_an_export_that_cannot_be_says_how_it_can(caplog, monkeypatch):
    environ = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    assert exporting.provider_for(exported=True, environ=environ) is None
    assert "4318" in caplog.text
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    exporting._exporting.cache_clear()
    assert exporting.provider_for(exported=True, environ={}) is None
    assert "pip install 'dipeo_jupyter[otel]'" in caplog.text
