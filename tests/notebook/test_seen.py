"""`run["x"].seen` is what reached the provider, byte for byte, whatever the view."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

import dipeo_jupyter as dipeo
from dipeo_jupyter.nodes.views import VIEWS
from dipeo_jupyter.notebook.session import Session
from dipeo_jupyter.settings import Settings
from tests.steering import REAL_MODELS

pytestmark = REAL_MODELS

PERSONS = """
persons:
  P: {service: openai, model: m, system_prompt: "You are P: “{{kind}}”, ümläut."}
  Q: {service: openai, model: m}
"""
SYSTEM = {"P": [{"role": "system", "content": "You are P: “{{kind}}”, ümläut."}], "Q": []}
TALK = """
nodes:
- {label: start, type: start}
- {label: p1, type: person_job, person: P, prompt: "one\\n  <two> \\"three\\" é 🙂"}
- {label: q1, type: person_job, person: Q, prompt: "two: {{p1}}", memory: ALL_MESSAGES}
- {label: p2, type: person_job, person: P, prompt: three}
- {label: x, type: person_job, person: P, prompt: four, SETTINGS}
connections:
- {from: start, to: p1}
- {from: p1, to: q1}
- {from: q1, to: p2}
- {from: p2, to: x}
"""
LOOP = """
nodes:
- {label: start, type: start}
- label: p
  props: {person: P, first_only_prompt: a, prompt: b, max_iteration: 3, SETTINGS}
  type: person_job
- {label: q, type: person_job, person: Q, prompt: c, max_iteration: 3, SETTINGS}
- {label: done, type: condition, condition_type: detect_max_iterations}
connections:
- {from: start, to: p}
- {from: p, to: q, content_type: conversation_state}
- {from: q, to: done}
- {from: "done[condfalse]", to: p}
"""
BATCH = """
nodes:
- {label: start, type: start, custom_data: {rows: [a, b]}}
- {label: p, type: person_job, person: P, prompt: before}
- {label: x, type: person_batch_job, person: P, items: rows, prompt: "of {{item}}", parallel: false}
connections: [{from: start, to: p}, {from: p, to: x}]
"""
PART = """
nodes:
- {label: start, type: start}
- {label: p, type: person_job, person: P, prompt: before}
- label: part
  type: sub_diagram
  diagram_data:
    nodes: [{label: x, type: person_job, person: P, prompt: inside, SETTINGS}]
    persons: {P: {service: openai, model: m, system_prompt: "You are P: “{{kind}}”, ümläut."}}
connections: [{from: start, to: p}, {from: p, to: part}]
"""


@pytest.fixture
def server(openai_server):
    for number in range(1, 20):
        openai_server.reply(f"R{number} “ok”\n")
    return openai_server


@pytest.fixture
def session(tmp_path, openai_server):
    environ = {"OPENAI_API_KEY": "sk-canary-0123456789abcdef"}
    settings = Settings(root=tmp_path, environ=environ, api_bases={"openai": openai_server.url})
    with closing(Session(settings)) as session:
        yield session


def as_bytes(messages):
    return json.dumps(messages, ensure_ascii=False, sort_keys=True).encode()


def sent(server):
    asked = (request.body.get("messages") for request in server.requests)
    return [as_bytes(messages) for messages in asked if messages is not None]


def as_sent(person, messages):
    """What must have been sent, so that the person saw these."""
    said = [each for message in messages for each in wired(person, message)]
    return as_bytes([*SYSTEM[person], *said])


def wired(person, message):
    """One message; with tools it is the call and its result for who used them, text for others."""
    if message.sender != person:
        used = [f"[used {x.name}({x.arguments}): {x.result}]" for x in message.uses]
        return [{"role": "user", "content": "\n".join(filter(None, [message.content, *used]))}]
    if not message.uses:
        return [{"role": "assistant", "content": message.content}]
    calls = [
        {
            "id": each.id,
            "type": "function",
            "function": {"name": each.name, "arguments": each.arguments},
        }
        for each in message.uses
    ]
    results = [
        {"role": "tool", "content": each.result, "tool_call_id": each.id} for each in message.uses
    ]
    return [
        {"role": "assistant", "content": message.content or None, "tool_calls": calls},
        *results,
    ]


def shown(run):
    """The same for every firing in which somebody was asked, in order."""
    said = {each.id: each for each in run.messages}
    activations = (each for node in run for each in node.activations if each.person)
    return [
        as_sent(each.person, [said[name] for name in each.seen])
        for each in sorted(activations, key=lambda each: each.started)
    ]


@pytest.mark.parametrize("limits", ["", ", at_most: 1", ", at_most: 3, ignore_person: Q"])
@pytest.mark.parametrize("view", [*VIEWS, "goldfish", "conversation_pairs"])
def test_what_a_view_shows_is_what_was_sent(session, server, view, limits):
    run = session.start(TALK.replace("SETTINGS", f"memory: {view}{limits}") + PERSONS).wait()

    assert sent(server)[-1] == as_sent("P", run["x"].seen)
    assert sent(server) == shown(run)


@pytest.mark.parametrize(
    "selector",
    ["memory_selector: lexical", "memory_model: openai/small", "memory_person: L, at_most: 2"],
)
def test_what_is_remembered_in_words_is_what_was_sent(session, server, selector):
    text = TALK.replace("SETTINGS", f"memory: who said two or three, {selector}") + PERSONS
    text += '  L: {service: demo, answers: ["[1, 3]"]}\n'
    run = session.start(text).wait()

    assert sent(server)[-1] == as_sent("P", run["x"].seen)
    assert len(run["x"].seen) > 1


@pytest.mark.parametrize("view", sorted(set(VIEWS.values())))
def test_in_every_turn_of_a_loop_seen_is_what_was_sent(session, server, view):
    run = session.start(LOOP.replace("SETTINGS", f"memory: {view}") + PERSONS).wait()

    assert sent(server) == shown(run)
    assert len(server.requests) == 6


def test_each_item_of_a_batch_sees_what_was_before_and_its_own_prompt(session, server):
    run = session.start(BATCH + PERSONS).wait()

    *before, first, second = run["x"].seen
    assert sent(server)[1:] == [as_sent("P", [*before, first]), as_sent("P", [*before, second])]


@pytest.mark.parametrize("view", sorted(set(VIEWS.values())))
def test_a_person_in_a_part_saw_what_was_sent(session, server, view):
    run = session.start(PART.replace("SETTINGS", f"memory: {view}") + PERSONS).wait()

    part = session.get(f"{run.id}/part[1]")
    assert sent(server)[-1] == as_sent("P", part["x"].seen)


@pytest.mark.parametrize("view", sorted(set(VIEWS.values())))
def test_what_a_thread_brings_is_what_was_sent(session, server, view):
    text = TALK.replace("SETTINGS", f"memory: {view}") + PERSONS
    session.start(text, thread="ours").wait()
    server.requests.clear()

    run = session.start(text, thread="ours", fresh=True).wait()
    assert sent(server)[-1] == as_sent("P", run["x"].seen)
    assert sent(server) == shown(run)


TOOLS = """
nodes:
- {label: start, type: start}
- {label: p1, type: person_job, person: P, prompt: one, tools: [halve]}
- {label: q1, type: person_job, person: Q, prompt: two, tools: [halve], memory: ALL_MESSAGES}
- {label: x, type: person_job, person: P, prompt: three, SETTINGS}
connections: [{from: start, to: p1}, {from: p1, to: q1}, {from: q1, to: x}]
"""


@pytest.mark.parametrize("limits", ["", ", at_most: 2"])
@pytest.mark.parametrize("view", [*VIEWS])
def test_tools_that_were_used_are_seen_as_they_were_sent(session, openai_server, view, limits):
    @dipeo.tool(repeatable=True)
    def halve(number: int) -> float:
        return number / 2

    for _ in range(2):
        openai_server.call(("halve", {"number": 3}), ("halve", {"number": 4}), text="Let me see.")
        openai_server.reply("“so”")
    run = session.start(TOOLS.replace("SETTINGS", f"memory: {view}{limits}") + PERSONS).wait()

    assert len(openai_server.requests) == 5
    _, p1, _, q1, x = sent(openai_server)
    assert p1 == as_sent("P", run["p1"].seen)
    assert q1 == as_sent("Q", run["q1"].seen)
    assert x == as_sent("P", run["x"].seen)
