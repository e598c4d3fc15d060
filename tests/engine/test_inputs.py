"""What arrives at a node: by which name, and in which form."""

from __future__ import annotations

import pytest

from tests.running import run

PERSONS = """
persons:
  P: {service: demo, answers: [said]}
"""


def arrives(value, content_type=None, label=None):
    """What one edge brings from a node that has this value."""
    ways = {"content_type": content_type, "label": label}
    given = "".join(f", {name}: {way}" for name, way in ways.items() if way)
    outcome = run(
        f"""
nodes:
- {{label: load, type: user_response, prompt: "?"}}
- {{label: end, type: endpoint}}
connections: [{{from: load, to: end{given}}}]
""",
        answers={"load": value},
    )
    return outcome.inputs("end")


@pytest.mark.parametrize("value", [1, "a", [1], {"a": None}, None, True])
def test_an_edge_without_a_type_brings_the_value_itself(value):
    assert {"default": value} == arrives(value)


def test_the_label_of_an_edge_names_the_value():
    assert {"rows": [1]} == arrives([1], label="rows")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (None, ""),
        (True, "true"),
        (1.5, "1.5"),
        (["ä", 1], '[\n  "ä",\n  1\n]'),
        ({"default": "inner", "b": 1}, "inner"),
        ({"default": {"default": 7}}, "7"),
    ],
)
def test_raw_text_is_text_whatever_the_value_is(value, text):
    assert {"default": text} == arrives(value, "raw_text")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("[1, 2]", [1, 2]),
        ("no json", {"text": "no json"}),
        ("", {"text": ""}),
        ({"a": 1}, {"a": 1}),
        (3, 3),
    ],
)
def test_object_reads_text_as_json_if_it_is(value, expected):
    assert {"default": expected} == arrives(value, "object")


def test_a_value_becomes_a_conversation_of_one_message():
    said = {"id": "load[1]", "sender": None, "recipient": None, "content": "hello"}
    expected = {"messages": [said], "last_message": "hello"}
    assert {"default": expected} == arrives("hello", "conversation_state")


@pytest.mark.parametrize("value", [None, "", {}, []])
def test_nothing_becomes_a_conversation_without_messages(value):
    nothing = {"messages": [], "last_message": None}
    assert {"default": nothing} == arrives(value, "conversation_state")


@pytest.mark.parametrize(
    "value", [{"messages": "all read"}, {"messages": [{"role": "user"}], "last_message": 1}]
)
def test_what_only_looks_like_a_conversation_is_a_value(value):
    said = arrives(value, "conversation_state")["default"]["messages"]
    assert ["load[1]"] == [message["id"] for message in said]


SPEAK = """
nodes:
- {label: start, type: start}
- {label: speak, type: person_job, person: P, prompt: say it}
- {label: pass, type: condition, expression: 1 < 2}
- {label: end, type: endpoint}
connections:
- {from: start, to: speak}
- {from: speak, to: pass, content_type: conversation_state}
- {from: "pass[condtrue]", to: end, content_type: FORM}
"""
SAID = [
    {"id": "speak[1].0", "sender": None, "recipient": "P", "content": "say it"},
    {"id": "speak[1].1", "sender": "P", "recipient": None, "content": "said"},
]


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("conversation_state", {"messages": SAID, "last_message": "said"}),
        ("object", {"messages": SAID, "last_message": "said"}),
        ("raw_text", "said"),
        ("generic", {"messages": SAID, "last_message": "said"}),
    ],
)
def test_a_conversation_that_is_passed_on_keeps_all_its_forms(form, value):
    assert {"end": value} == run(SPEAK.replace("FORM", form) + PERSONS).outputs


JOIN = """
nodes:
- {label: start, type: start}
- {label: small, type: condition, expression: n < 5}
- {label: a, type: user_response, prompt: "?"}
- {label: b, type: user_response, prompt: "?"}
- {label: both, type: endpoint}
connections:
- {from: start, to: small}
- {from: "small[condtrue]", to: a}
- {from: "small[WAY]", to: b}
- {from: a, to: both}
- {from: b, to: both}
"""


def joined(text):
    return run(text, {"n": 1}, answers={"a": "A", "b": "B"}).inputs("both")


def test_the_only_live_one_of_several_edges_is_the_default():
    assert {"default": "A"} == joined(JOIN.replace("WAY", "condfalse"))


def test_unlabelled_pairs_arrive_under_their_sources_labels():
    assert {"a": "A", "b": "B"} == joined(JOIN.replace("WAY", "condtrue"))


def test_a_label_beside_an_unlabelled_edge_leaves_it_the_default():
    text = JOIN.replace("WAY", "condtrue")
    text = text.replace("{from: b, to: both}", "{from: b, to: both, label: x}")
    assert {"default": "A", "x": "B"} == joined(text)


ROUND = """
nodes:
- {label: start, type: start, custom_data: topic}
- {label: step, type: user_response, prompt: "?", max_iteration: 2}
- {label: done, type: condition, condition_type: detect_max_iterations}
connections:
- {from: start, to: step}
- {from: step, to: done}
- {from: "done[condfalse]", to: step}
"""


def test_in_a_loop_the_default_is_what_came_round():
    outcome = run(ROUND, answers={"step": "one"})
    assert {"default": "topic"} == outcome.inputs("step", 1)
    assert {"start": "topic", "done": "one", "default": "one"} == outcome.inputs("step", 2)


def test_a_node_out_of_turns_hands_on_what_it_said():
    outcome = run(
        """
nodes:
- {label: start, type: start}
- {label: once, type: person_job, person: P, prompt: one, max_iteration: 1}
- {label: twice, type: person_job, person: P, prompt: two, max_iteration: 2, memory: GOLDFISH}
- {label: done, type: condition, condition_type: detect_max_iterations}
connections:
- {from: start, to: once}
- {from: once, to: twice, content_type: conversation_state}
- {from: twice, to: done}
- {from: "done[condfalse]", to: once}
"""
        + PERSONS
    )
    carried = [each["id"] for each in outcome.inputs("twice", 2)["default"]["messages"]]
    assert ["once[1].0", "once[1].1"] == carried
