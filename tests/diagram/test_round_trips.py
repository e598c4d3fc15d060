"""A diagram written in any format, and read, is the same; so is one carried through all three."""

from itertools import permutations

import pytest
from hypothesis import given, settings

from dipeo_jupyter.diagram.files import FORMATS, SUFFIXES, dumps, survey_text
from dipeo_jupyter.diagram.model import Diagram

from .strategies import diagrams


def carried(diagram, *formats):
    for each in formats:
        diagram = survey_text(dumps(diagram, each), f"x{SUFFIXES[each]}").checked().diagram
    return diagram


@pytest.mark.parametrize("format_", FORMATS)
@settings(max_examples=100)
@given(diagram=diagrams())
def test_every_diagram_reads_back_in_each_format(format_, diagram):
    assert carried(diagram, format_) == diagram


@pytest.mark.parametrize("way", list(permutations(FORMATS)), ids="-".join)
@settings(max_examples=12)
@given(diagram=diagrams())
def test_every_diagram_survives_all_formats_in_turn(way, diagram):
    assert carried(diagram, *way, way[0]) == diagram


def test_a_changed_copy_has_another_version():
    diagram = Diagram(name="one")
    assert len({diagram.version, diagram.model_copy(update={"name": "two"}).version}) == 2
