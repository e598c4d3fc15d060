"""What is written can be read, and means the same."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.light import dumps, survey
from dipeo_jupyter.diagram.light.endpoints import read_endpoint, write_endpoint
from dipeo_jupyter.diagram.model import Diagram
from dipeo_jupyter.diagram.source import read

from .strategies import ALIKE, HANDLES, LABELS, VALUES, diagrams


@settings(max_examples=60)
@given(diagrams())
def test_every_diagram_reads_back_as_itself(diagram):
    text = dumps(diagram)
    again = survey(text).checked().diagram
    assert again == diagram
    assert again.version == diagram.version
    assert dumps(again) == text


@settings(max_examples=200)
@given(VALUES)
def test_every_value_reads_back_with_its_type(value):
    text = dumps(Diagram(extra={"value": value}))
    assert json.dumps(read(text)[0]["value"]) == json.dumps(value)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(ALIKE) | LABELS, unique=True, min_size=1), st.sampled_from(HANDLES))
def test_every_end_reads_back_among_labels_that_look_alike(labels, handle):
    for label in labels:
        assert read_endpoint(write_endpoint(label, handle, labels), labels) == (label, handle)
