"""What a run has cost, as a notebook shows it, and budgets from the cell and from Python."""

from __future__ import annotations

import pytest

from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.notebook.session import Session
from dipeo_jupyter.protocol.events import Budget
from dipeo_jupyter.settings import Settings
from tests.openai_server import OpenAIServer
from tests.steering import REAL_MODELS

TALK = """
version: light
persons:
  Ada: {service: openai, model: gpt-4o-mini}
  Eve: {service: openai, model: a-model-of-my-own}
nodes:
- {label: start, type: start}
- {label: one, type: person_job, person: Ada, prompt: one, memory: GOLDFISH}
- {label: two, type: person_job, person: Ada, prompt: two, memory: GOLDFISH}
- {label: own, type: person_job, person: Eve, prompt: own, memory: GOLDFISH}
connections: [{from: start, to: one}, {from: one, to: two}, {from: two, to: own}]
"""
CENTS = "$0.0003"
"""A call to gpt-4o-mini with 1,000 tokens in and 200 out: 0.15 and 0.60 dollars for a million."""


@pytest.fixture(scope="module")
def server():
    server = OpenAIServer()
    server.usage(prompt_tokens=1000, completion_tokens=200, total_tokens=1200)
    yield server
    server.close()


@pytest.fixture
def session(tmp_path, server):
    environ = {"OPENAI_API_KEY": "sk-canary-0123456789abcdef"}
    session = Session(Settings(root=tmp_path, environ=environ, api_bases={"openai": server.url}))
    yield session
    session.close()


@REAL_MODELS
def test_the_costs_of_a_run_by_node_and_person(session):
    run = session.start(TALK).wait()
    assert (run["one"].cost, run["own"].cost, run.cost) == (CENTS, "≥ $0.00", "≥ $0.0005")
    assert run.usage.nano_usd == 2 * 270_000
    assert repr(run.costs).splitlines() == [
        "of      name  calls  input tokens  output tokens  cached tokens  cost",
        "node    one       1         1,000            200              0  $0.0003",
        "node    two       1         1,000            200              0  $0.0003",
        "node    own       1         1,000            200              0  ≥ $0.00",
        "person  Ada       2         2,000            400              0  $0.0005",
        "person  Eve       1         1,000            200              0  ≥ $0.00",
        "run               3         3,000            600              0  ≥ $0.0005",
    ]
    assert "The price of 1 call is not known." in run.costs._repr_mimebundle_()["text/html"]
    rows = run.costs.to_records()
    assert [row["name"] for row in rows] == ["one[1]", "two[1]", "own[1]"]
    assert sum(row["usd"] for row in rows) == pytest.approx(run.usage.usd)
    assert list(run.costs.to_frame()["calls"]) == [1, 1, 1]


@REAL_MODELS
def test_a_run_that_stands_for_money_goes_on_with_more(session, server):
    asked = len(server.requests)
    limited = session.start(TALK, budget=Budget(calls=2), fresh=True).wait()
    assert (limited.status, limited.stopped_at) == ("paused", "budget")
    assert "2 calls" in limited.standing
    assert len(server.requests) - asked == 2
    limited.resume(max_calls=3)
    assert limited.wait().status == "completed"
    assert len(server.requests) - asked == 3


def test_a_budget_that_is_none_is_refused(session):
    run = session.start("nodes:\n- {label: a, type: endpoint}\n")
    with pytest.raises(CommandError, match="0 or more, not -1"):
        run.resume(budget_usd=-1)
