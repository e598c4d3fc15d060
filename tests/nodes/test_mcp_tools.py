"""Tools of MCP servers in diagrams: told to models, used by them, part of the run."""

from __future__ import annotations

import json
import re
import sys
from contextlib import closing
from pathlib import Path

import pytest

from dipeo_jupyter.errors import ExecutionFailedError
from dipeo_jupyter.notebook.session import Session
from dipeo_jupyter.settings import Settings
from tests import mcp_server
from tests.steering import REAL_MODELS

pytestmark = REAL_MODELS

KEYS = {"OPENAI_API_KEY": "sk-canary-0123456789abcdef"}
HERE = {"command": sys.executable, "args": [str(Path(mcp_server.__file__))]}


def drawn(tools):
    return f"""
persons:
  P: {{service: openai, model: m}}
nodes:
- {{label: start, type: start}}
- {{label: p, type: person_job, person: P, prompt: How much?, tools: {tools}}}
- {{label: end, type: endpoint}}
connections: [{{from: start, to: p}}, {{from: p, to: end}}]
"""


@pytest.fixture
def settings(openai_server, tmp_path):
    """Of a root whose file names the server `here`."""
    (tmp_path / ".mcp.json").write_text(json.dumps({"mcpServers": {"here": HERE}}))
    bases = {"openai": openai_server.url}
    return Settings(root=tmp_path, home=tmp_path, environ=KEYS, api_bases=bases)


@pytest.fixture
def session(settings):
    with closing(Session(settings)) as session:
        yield session


def told(server, request=0):
    return {each["function"]["name"] for each in server.requests[request].body["tools"]}


def test_a_model_uses_a_tool_of_a_server_and_is_told_what_came_of_it(session, openai_server):
    openai_server.call(("add", {"a": 1, "b": 2}), ("fail", {}))
    openai_server.reply("It is 3.")
    outputs = session.start(drawn("['mcp:here']")).wait().outputs
    assert {"end": "It is 3."} == outputs
    assert {"add", "note", "files_read"} <= told(openai_server)
    added, failed = openai_server.requests[1].body["messages"][-2:]
    assert "3" == added["content"]
    assert "fail" in failed["content"]


def test_only_those_that_are_named_are_told(session, openai_server):
    session.start(drawn("[{mcp: here, only: [add, note]}]")).wait()
    assert {"add", "note"} == told(openai_server)


def test_an_image_of_a_tool_is_shown_to_the_model(session, openai_server):
    openai_server.call(("picture", {}))
    openai_server.reply("I see.")
    session.start(drawn("['mcp:here']")).wait()
    assert "data:image/png;base64," in json.dumps(openai_server.requests[1].body["messages"])


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        ("['mcp:her']", "no MCP server 'her' in .mcp.json. Did you mean 'here'?"),
        ("[{mcp: here, only: [ad]}]", "'here' has no tool 'ad'. Did you mean 'add'?"),
    ],
)
def test_what_is_not_there_fails_the_node_before_anybody_is_asked(
    session, openai_server, tools, said
):
    run = session.start(drawn(tools))
    with pytest.raises(ExecutionFailedError, match=re.escape(said)):
        run.wait()
    assert [] == openai_server.requests


def test_a_server_is_started_for_the_nodes_that_name_it_and_ended_with_the_session(
    settings,
):
    with closing(Session(settings)) as session:
        opened = session.engine._places.at("").tools._servers._open
        session.start(drawn("[]")).wait()
        assert not opened.any
        session.start(drawn("['mcp:here']")).wait()
        (connection,) = opened._connections.values()
        assert connection.alive
    assert connection.ended.done()
    assert not opened.any
