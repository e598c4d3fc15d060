"""Any drawing ends, as the slow reference says, whoever finishes first."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.model import Diagram
from dipeo_jupyter.engine.schedule import decide
from dipeo_jupyter.engine.state import ExecutionState
from dipeo_jupyter.protocol import events as e

from .graphs import behave, diagrams, program_of
from .reference import OverrunError, Reference

MAX_ROUNDS = 5


def simulate(
    diagram: Diagram, seed: str, order: int, max_concurrency: int = 20, *, stepwise: bool = False
) -> tuple[ExecutionState, dict[str, list[Any]] | None, list[e.AnyEvent]]:
    """Run the pure core alone; nodes finish in a random order. The log is None after an overrun."""
    program = program_of(diagram)
    state = ExecutionState(program)
    dice = random.Random(order)
    log: dict[str, list[Any]] = {label: [] for label in program.labels}
    events: list[e.AnyEvent] = []
    running: dict[int, e.NodeStarted] = {}

    def record(event: e.AnyEvent) -> None:
        events.append(event)
        state.apply(event)

    record(
        e.ExecutionStarted(diagram=diagram, max_concurrency=max_concurrency, max_rounds=MAX_ROUNDS)
    )
    if stepwise:
        record(e.ExecutionResumed(steps=1))
    while True:
        while (event := decide(state)) is not None:
            record(event)
            match event:
                case e.NodeStarted():
                    running[program.index[event.node]] = event
                    assert len(running) <= max_concurrency
                case e.NodeSkipped():
                    log[event.node].append(
                        "skipped" if event.reason == "no_live_input" else "passed"
                    )
                case e.ExecutionPaused():
                    record(e.ExecutionResumed(steps=1))
                case e.ExecutionCompleted():
                    return state, log, events
                case e.ExecutionFailed():
                    return state, None, events
        assert running, "nothing runs, and nothing can be decided"
        node = dice.choice(sorted(running))
        start = running.pop(node)
        outputs = behave(
            seed, start.node, start.activation, start.inputs, program.nodes[node].handles
        )
        log[start.node].append((start.activation, dict(start.inputs), outputs))
        record(e.NodeCompleted(node=start.node, activation=start.activation, outputs=outputs))


def expected(diagram: Diagram, seed: str) -> dict[str, list[Any]] | None:
    handles = {
        spec.label: program_of(diagram).nodes[i].handles for i, spec in enumerate(diagram.nodes)
    }
    reference = Reference(
        diagram, lambda label, n, inputs: behave(seed, label, n, inputs, handles[label]), MAX_ROUNDS
    )
    try:
        return reference.run()
    except OverrunError:
        return None


SEEDS = st.integers(0, 999).map(str)


@settings(max_examples=400)
@given(diagrams(), SEEDS, st.integers(0, 99), st.integers(1, 4))
def test_any_diagram_runs_as_the_slow_reference_says(diagram, seed, order, concurrency):
    _, log, _ = simulate(diagram, seed, order, concurrency)

    assert expected(diagram, seed) == log


@settings(max_examples=200)
@given(diagrams(), SEEDS, st.integers(0, 99), st.integers(100, 199))
def test_outcome_never_depends_on_who_finishes_first(diagram, seed, one, other):
    assert simulate(diagram, seed, one)[1] == simulate(diagram, seed, other)[1]


@settings(max_examples=100)
@given(diagrams(), SEEDS)
def test_stepping_gives_the_same_run_as_running(diagram, seed):
    assert simulate(diagram, seed, 1)[1] == simulate(diagram, seed, 1, stepwise=True)[1]


@settings(max_examples=100)
@given(diagrams(), SEEDS)
def test_every_edge_is_settled_when_a_run_completes(diagram, seed):
    state, log, _ = simulate(diagram, seed, 1)

    if log is not None:
        assert None not in state.settled
        assert not state.leaving


@settings(max_examples=100)
@given(diagrams(), SEEDS)
def test_reading_the_events_again_gives_the_same_state(diagram, seed):
    state, _, events = simulate(diagram, seed, 1)
    again = ExecutionState(state.program)
    for event in events:
        again.apply(event)

    facts = ("status", "live", "fired", "turns", "rounds", "stage", "unsettled", "missing")
    assert [getattr(state, fact) for fact in facts] == [getattr(again, fact) for fact in facts]
