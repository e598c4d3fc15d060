"""Requests and hooks in whole runs: what is allowed where, what fails, and what is asked then."""

from __future__ import annotations

import asyncio

import pytest

from dipeo_jupyter.app import build_engine
from dipeo_jupyter.client import Conversation
from dipeo_jupyter.errors import NodeError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.sandbox.walls import Walls
from dipeo_jupyter.settings import Settings
from tests.running import diagram_of
from tests.running import run as run_diagram
from tests.web_server import Answer, running

KEY = "key-canary-4711-0815"
ENVIRON = {"LAB_API_KEY": KEY, "DIPEO_LAB_API_KEY_HOSTS": "127.0.0.1"}
WEATHER = """
nodes:
- {label: start, type: start, custom_data: {city: Bad Ems}}
- label: ask
  type: api_job
  url: "URL/weather/{{city}}"
  retry: {max_attempts: 3, initial_interval: 0}
  auth_type: bearer
  auth_config: {api_key_id: LAB_API_KEY}
- label: look
  type: json_schema_validator
  json_schema: {required: [degrees], properties: {degrees: {type: integer}}}
- {label: write, type: template_job, template_content: "{{city}}: {{ask.degrees}} °"}
- {label: end, type: endpoint}
edges: [start -> ask -> look -> write -> end]
"""
POST = """
nodes:
- {label: start, type: start, custom_data: {n: 1}}
- {label: make, type: api_job, method: POST, url: "URL/pages", body: {n: "{{n}}"}, response: text}
- {label: end, type: endpoint}
edges: [start -> make -> end]
"""
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def server():
    with running() as started:
        yield started


def engine(root, *, private=True):
    return build_engine(Settings(root=root, environ=ENVIRON, sandbox_private_network=private))


def test_a_request_is_sent_again_and_its_value_goes_on(server, tmp_path):
    server.will(Answer(503), Answer(None), Answer(200, b'{"degrees": 9}', JSON))
    text = WEATHER.replace("URL", server.url)
    outcome = run_diagram(text, engine=lambda: engine(tmp_path))
    assert outcome.outputs["end"] == "Bad Ems: 9 °"
    assert [each.path for each in server.asked] == ["/weather/Bad%20Ems"] * 3
    assert {each.headers["authorization"] for each in server.asked} == {f"Bearer {KEY}"}
    assert KEY not in str(outcome.entries)


def test_a_key_that_comes_back_is_in_no_event(server, tmp_path):
    server.will(Answer(200, f'{{"degrees": 9, "said": "{KEY}"}}'.encode(), JSON))
    text = WEATHER.replace("URL", server.url)
    outcome = run_diagram(text, engine=lambda: engine(tmp_path))
    assert "said" in str(outcome.entries)
    assert KEY not in str(outcome.entries)


def test_only_the_server_allows_what_is_around_it(server, tmp_path):
    text = WEATHER.replace("URL", server.url)
    outcome = run_diagram(text, engine=lambda: engine(tmp_path, private=False))
    assert "127.0.0.1 is not a public address" in outcome.error.message
    assert "DIPEO_SANDBOX_PRIVATE_NETWORK=on" in outcome.error.message
    assert server.asked == []


def test_a_check_says_which_key_is_not_there(tmp_path):
    async def main(url):
        running = engine(tmp_path)
        try:
            drawn = diagram_of(WEATHER.replace("URL", url))
            ack = await running.send(c.CheckDiagram(diagram=drawn))
        finally:
            await running.close()
        return [(x.code, x.severity) for x in ack.result if x.code == "missing_key"]

    assert asyncio.run(main("http://127.0.0.1:80")) == []
    assert asyncio.run(main("https://api.example.org")) == [("missing_key", "warning")]


def test_an_error_may_go_another_way(server, tmp_path):
    server.will(Answer(404, b"no such city"))
    text = WEATHER.replace("URL", server.url).replace("retry: {", "on_error: edge\n  retry: {")
    text = text.replace("-> end]", '-> end, "ask.error -> lost"]')
    text = text.replace("edges:", "- {label: lost, type: endpoint}\nedges:")
    outcome = run_diagram(text, engine=lambda: engine(tmp_path))
    assert "status 404 (Not Found). It says: no such city" in outcome.outputs["lost"]["message"]


@pytest.mark.parametrize(("answer", "sent"), [("repeat", 2), ("done", 1)])
def test_a_post_of_which_nobody_knows_is_sent_again_only_by_order(server, tmp_path, answer, sent):
    """The server hangs up, the run fails, and people go on with it."""
    server.will(Answer(None), Answer(201, b"made"))
    asked = []

    async def main():
        running = engine(tmp_path)
        try:
            drawn = diagram_of(POST.replace("URL", server.url))
            ack = await running.send(c.ExecuteDiagram(diagram=drawn))
            first = [x.event async for x in running.events(ack.execution_id)]
            await running.send(c.ResumeExecution(execution_id=ack.execution_id))
            talk = Conversation(running, ack.execution_id, {"make": answer})
            then = [x.event async for x in talk.entries()]
        finally:
            await running.close()
        asked.extend(x.question.prompt for x in then if isinstance(x, e.InputRequired))
        return first[-1], then[-1]

    failed, done = asyncio.run(main())
    assert "Nobody knows whether it was done" in failed.error.message
    assert "The request POST to 127.0.0.1" in asked[0]
    assert done.outputs == {"end": "made" if answer == "repeat" else None}
    assert len(server.asked) == sent


def test_a_command_runs_in_the_sandbox(tmp_path):
    walls = Walls("auto")
    try:
        asyncio.run(walls.find())
    except NodeError as error:
        pytest.skip(str(error))
    outcome = run_diagram(
        """
        nodes:
        - {label: start, type: start, custom_data: {n: "$(id); x"}}
        - {label: tell, type: hook, command: 'echo "got $INPUT_n"', args: ["a b"]}
        - {label: end, type: endpoint}
        edges: [start -> tell -> end]
        """,
        engine=lambda: build_engine(Settings(root=tmp_path)),
    )
    assert outcome.outputs["end"].strip() == "got $(id); x a b"
