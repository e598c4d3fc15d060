"""What people call parts of a run: places to stop at, and things to change."""

from __future__ import annotations

import pytest

from dipeo_jupyter.client import breakpoints, changed, place_of, when
from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.protocol.events import Breakpoint
from tests.running import diagram_of

DIAGRAM = diagram_of("""
persons:
  Ada: {service: demo, temperature: 0.5}
  same: {service: demo}
nodes:
- {label: start, type: start, custom_data: {topic: {name: tea}}}
- {label: argue, type: person_job, person: Ada, prompt: Why?}
- {label: same, type: person_job, person: same, prompt: Why?}
- {label: v1.2, type: endpoint}
connections: [{from: start, to: argue}, {from: argue, to: same}, {from: same, to: v1.2}]
""")


def node(diagram, label):
    return next(spec for spec in diagram.nodes if spec.label == label).props


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("argue", Breakpoint(node="argue")),
        ("argue[2]", Breakpoint(node="argue", visit=2)),
        ("before argue", Breakpoint(node="argue")),
        ("after argue[3]", Breakpoint(node="argue", when="after", visit=3)),
        ("argue if n > 1", Breakpoint(node="argue", condition="n > 1")),
        ("v1.2", Breakpoint(node="v1.2")),
    ],
)
def test_a_place_is_read_as_people_write_it(text, point):
    assert breakpoints([text], DIAGRAM) == (point,)
    assert breakpoints([place_of(point)], DIAGRAM) == (point,)


def test_a_condition_makes_a_place_narrower():
    point = when("argue[2]", "len(output) > 3", after=True)

    assert breakpoints([point], DIAGRAM) == (point,)
    assert place_of(point) == "after argue[2] if len(output) > 3"


@pytest.mark.parametrize("text", ["argeu", "after argeu[2]", "argue[0]"])
def test_a_place_that_is_not_there_names_the_nearest(text):
    with pytest.raises(CommandError) as caught:
        breakpoints([text], DIAGRAM)

    assert caught.value.hint == "Did you mean 'argue'?"
    assert str(caught.value).endswith(" Did you mean 'argue'?")


def test_a_condition_that_is_none_is_refused_at_once():
    with pytest.raises(CommandError, match="The condition 'n >' cannot be"):
        when("argue", "n >")


def test_a_property_a_field_and_an_output_are_set():
    diagram, values = changed(
        DIAGRAM, {"argue.prompt": "How?", "Ada.model": "x/y", "argue[2]": {"a": 1}}
    )

    assert node(diagram, "argue")["prompt"] == "How?"
    assert (diagram.persons["Ada"].model, diagram.persons["Ada"].parameters) == (
        "x/y",
        {"temperature": 0.5},
    )
    assert values == {"argue[2]": {"a": 1}}


def test_the_original_stays_as_it_is():
    changed(DIAGRAM, {"start.custom_data.topic.name": "milk"})

    assert node(DIAGRAM, "start")["custom_data"] == {"topic": {"name": "tea"}}


def test_what_is_inside_of_a_property_is_set_alone():
    diagram, _ = changed(DIAGRAM, {"start.custom_data.topic.name": "milk"})

    assert node(diagram, "start")["custom_data"] == {"topic": {"name": "milk"}}


def test_labels_with_dots_are_found():
    diagram, _ = changed(DIAGRAM, {"v1.2.save_to_file": True})

    assert node(diagram, "v1.2") == {"save_to_file": True}


def test_of_a_node_and_a_person_of_one_name_the_field_decides():
    diagram, _ = changed(DIAGRAM, {"same.model": "x/y", "same.prompt": "How?"})

    assert (diagram.persons["same"].model, node(diagram, "same")["prompt"]) == ("x/y", "How?")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("argeu.prompt", "Did you mean 'argue'?"),
        ("argeu[2]", "Did you mean 'argue'?"),
        ("Ada.modle", "Did you mean 'model'?"),
    ],
)
def test_a_name_that_is_not_there_names_the_nearest(path, words):
    with pytest.raises(CommandError) as caught:
        changed(DIAGRAM, {path: "x"})

    assert caught.value.hint == words


@pytest.mark.parametrize("path", ["argue", "argue.", "argue.label", "argue.type"])
def test_what_cannot_be_set_is_refused(path):
    with pytest.raises(CommandError) as caught:
        changed(DIAGRAM, {path: "x"})

    assert caught.value.code == "bad_change"
