"""Texts that are small, and would take minutes if a loop ran inside of another one."""

import time

import pytest

from dipeo_jupyter.diagram.files import survey_text
from dipeo_jupyter.engine.compile import examine
from dipeo_jupyter.nodes import load_node_types

MANY = 6_000
NUMBERS = range(MANY)
SAME = "- {label: a, type: start}\n" * MANY
TEXTS = {
    "keys that are lists": "? [a]\n: b\n" * MANY,
    "merged maps": "nodes:\n- label: x\n" + "".join(f"  <<: {{k{i}: 1}}\n" for i in NUMBERS),
    "a list of merged maps": f"<<: [{','.join(f'{{k{i}: 1}}' for i in NUMBERS)}]\nnodes: []\n",
    "labels that are taken": "nodes:\n"
    + "".join(f"- {{label: a~{i}, type: start}}\n" for i in NUMBERS)
    + SAME,
    "edges of one name": "nodes:\n- {label: end, type: endpoint}\n"
    + "".join(f"- {{label: n{i}, type: start}}\n" for i in NUMBERS)
    + "connections:\n"
    + "".join(f"- n{i} -> end as x\n" for i in NUMBERS),
    "a key of many parts": f'nodes:\n- label: x\n  ? "{"a." * 50_000}b"\n  : 1\n',
    "an end of many brackets": "nodes:\n- {label: x, type: start}\nconnections:\n"
    f'- {{from: x, to: "{"[" * 50_000}]"}}\n',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_no_small_text_takes_long(text):
    node_types = load_node_types()
    start = time.thread_time()  # a busy machine is nobody's fault
    reading = survey_text(text)
    examine(reading.diagram, node_types, partial=bool(reading.errors))
    assert time.thread_time() - start < 4


def test_of_merged_maps_the_first_counts():
    text = "nodes: []\n<<: {a: 1, b: 1}\nb: 0\n<<: [{a: 2, c: 2}, {c: 3, d: 3}]\n"
    assert survey_text(text).diagram.extra == {"a": 1, "b": 0, "c": 2, "d": 3}


def test_a_handle_may_have_brackets_in_its_name():
    text = 'nodes:\n- {label: x, type: start}\nedges:\n- {from: "x[a[]b]", to: x}\n'
    (edge,) = survey_text(text).checked().diagram.edges
    assert (edge.source, edge.source_handle) == ("x", "a[]b")
