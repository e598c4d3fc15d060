"""A person knows what happened before, not what happened meanwhile, whatever the view is.

Three branches run at the same time, each held up by a question; the answers come in every order.
"""

from __future__ import annotations

from itertools import permutations

import pytest

from dipeo_jupyter.nodes.views import VIEWS
from dipeo_jupyter.protocol import events as e
from tests.running import run
from tests.steering import answering

ORDERS = [*permutations("abc")]
NAMES = [*sorted(set(VIEWS.values())), "who said that I am P"]
PERSONS = """
persons:
  P: {service: demo, answers: [I am P]}
  Q: {service: demo, answers: [I am Q]}
"""
SPEAKERS = {"a": "P", "b": "Q", "c": "P"}
BRANCHES = (
    "nodes:\n- {label: start, type: start}\n"
    "- {label: first, type: person_job, person: P, prompt: first}\n"
    + "".join(
        f'- {{label: {x}, type: user_response, prompt: "?"}}\n'
        f"- {{label: {x}1, type: person_job, person: {p}, prompt: {x}1, VIEW}}\n"
        f"- {{label: {x}2, type: person_job, person: Q, prompt: {x}2, VIEW}}\n"
        for x, p in SPEAKERS.items()
    )
    + "- {label: last, type: person_job, person: Q, prompt: last, VIEW}\n"
    "connections:\n- {from: start, to: first}\n"
    + "".join(
        f"- {{from: first, to: {x}}}\n- {{from: {x}, to: {x}1}}\n"
        f"- {{from: {x}1, to: {x}2}}\n- {{from: {x}2, to: last}}\n"
        for x in SPEAKERS
    )
)
LOOP = """
nodes:
- {label: start, type: start}
- {label: a, type: user_response, prompt: "?", max_iteration: 2}
- {label: b, type: user_response, prompt: "?", max_iteration: 2}
- {label: p, type: person_job, person: P, prompt: "{{a}}", VIEW}
- {label: q, type: person_job, person: Q, prompt: "{{b}}", VIEW}
- {label: done, type: condition, condition_type: detect_max_iterations}
- {label: after, type: person_job, person: P, prompt: end, VIEW}
connections:
- {from: start, to: a}
- {from: start, to: b}
- {from: a, to: p}
- {from: b, to: q}
- {from: p, to: done}
- {from: q, to: done}
- {from: "done[condfalse]", to: a}
- {from: "done[condfalse]", to: b}
- {from: "done[condtrue]", to: after}
"""


def seen(outcome):
    """The contents that each activation was shown, by its name."""
    ended = outcome.of(e.NodeCompleted)
    said = {x.id: x.content for each in ended for x in each.messages}
    return {f"{x.node}[{x.activation}]": [said[name] for name in x.seen] for x in ended if x.person}


@pytest.mark.parametrize("limits", ["", ", at_most: 2", ", ignore_person: P"])
@pytest.mark.parametrize("view", NAMES)
def test_what_everybody_sees_is_the_same_in_every_order(view, limits):
    text = BRANCHES.replace("VIEW", f"memory: {view}{limits}") + PERSONS

    first, *others = [seen(run(text, steer=answering(*order))) for order in ORDERS]
    assert all(first == other for other in others)
    assert len(first) == 8


@pytest.mark.parametrize("view", NAMES)
@pytest.mark.parametrize("order", ORDERS)
def test_no_branch_hears_another_one(view, order):
    text = BRANCHES.replace("VIEW", f"memory: {view}") + PERSONS

    shown = seen(run(text, steer=answering(*order)))
    for branch in "abc":
        heard = {x[0] for x in (*shown[f"{branch}1[1]"], *shown[f"{branch}2[1]"]) if x[1:] in "12"}
        assert heard <= {branch}


@pytest.mark.parametrize("view", NAMES)
def test_rounds_of_a_loop_are_seen_alike_in_every_order(view):
    text = LOOP.replace("VIEW", f"memory: {view}") + PERSONS
    orders = [(*one, *two) for one in ("ab", "ba") for two in ("ab", "ba")]

    first, *others = [seen(run(text, steer=answering(*order))) for order in orders]
    assert all(first == other for other in others)
    assert len(first) == 5
