"""A node type of a plug-in does what it likes with what it is given; nobody else sees that."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from dipeo_jupyter.engine.node import Context, Inputs, Node, Result
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.protocol import events as e
from tests.running import run
from tests.steering import engine


class Greedy(Node):
    """Changes all that arrives; the first time, with `fails`, for nothing."""

    type: ClassVar[str] = "greedy"
    tried: ClassVar[list[str]] = []

    fails: bool = False

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        rows = inputs.pop("default")["rows"]
        rows.append(ctx.node)
        self.tried.append(ctx.node)
        if self.fails and len(self.tried) == 1:
            raise ServiceError("not yet", retryable=True)
        return Result.value(rows)


TYPES: dict[str, Any] = {"greedy": Greedy}


@pytest.fixture
def outcome(request):
    Greedy.tried.clear()
    return run(
        f"""
nodes:
- {{label: start, type: start, custom_data: {{rows: [1]}}}}
- {{label: one, type: greedy{getattr(request, "param", "")}}}
- {{label: two, type: greedy}}
- {{label: end, type: endpoint}}
connections:
- {{from: start, to: one}}
- {{from: start, to: two}}
- {{from: one, to: end}}
- {{from: two, to: end}}
""",
        engine=engine(types=TYPES),
    )


def test_what_it_changes_in_place_is_its_own(outcome):
    assert outcome.outputs == {"end": {"one": [1, "one"], "two": [1, "two"]}}


def test_the_journal_tells_what_it_was_given(outcome):
    assert outcome.inputs("one") == {"default": {"rows": [1]}}
    assert outcome.of(e.NodeCompleted)[0].outputs == {"default": {"rows": [1]}}


@pytest.mark.parametrize(
    "outcome", [", fails: true, retry: {max_attempts: 2, initial_interval: 0.01}"], indirect=True
)
def test_its_next_attempt_is_given_the_same(outcome):
    assert outcome.outputs["end"]["one"] == [1, "one"]
