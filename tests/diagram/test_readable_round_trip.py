"""What is written can be read, and means the same; whatever is read, nothing is raised."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.model import Edge
from dipeo_jupyter.diagram.readable import dumps, survey
from dipeo_jupyter.diagram.readable.keys import Key, read_key, write_key
from dipeo_jupyter.diagram.readable.reading import RESERVED
from dipeo_jupyter.diagram.readable.sentences import WORDS, read_sentence, write_sentence

from .strategies import LABELS, MAPS, POSITIONS, TEXTS, VALUES, diagrams

HANDLES = st.sampled_from(["default", "true", "_x", "_", "", "condtrue", 'a"b', "_default"]) | TEXTS
NAMES = st.sampled_from(["person", "personId", "connections", "arrows", "position", "label", "id"])
LOOKALIKES = st.sampled_from(
    ["a @(1,2)", "a [job]", '"a"', '"a" @(1,2)', "a @(", "a @(x,y)", "[job]", "to b", 'to "b"']
)
PIECES = st.sampled_from(
    [
        *("version: readable\n", "nodes:\n", "flow:\n", "workflow:\n", "persons:\n", "\n"),
        *("- a @(1,2):", "- ", " {type: job}\n", ' to "a"', " in ", " -> ", ": ", "(x)"),
        *('"', "\\", "a", "  ", "[", "]"),
    ]
)
CHECKED = settings(max_examples=60)


@st.composite
def collisions(draw):
    """Diagrams whose parts are called as if they were parts of the format."""
    diagram = draw(diagrams())
    persons = st.sampled_from([f"person_{label}" for label in diagram.persons] or ["person_x"])
    odd = st.dictionaries(NAMES, persons | VALUES, max_size=2)
    nodes = [node.model_copy(update={"props": node.props | draw(odd)}) for node in diagram.nodes]
    edges = [
        Edge.model_validate(
            edge.model_dump()
            | {
                "source_handle": draw(HANDLES),
                "target_handle": draw(HANDLES),
                "data": draw(st.just({}) | MAPS),
            }
        )
        for edge in diagram.edges
    ]
    extra = draw(st.dictionaries(st.sampled_from(sorted(RESERVED)) | TEXTS, VALUES, max_size=3))
    update = {"nodes": tuple(nodes), "edges": tuple(edges), "extra": extra}
    return diagram.model_copy(update=update)


@CHECKED
@given(diagrams() | collisions())
def test_every_diagram_reads_back_as_itself(diagram):
    text = dumps(diagram)
    again = survey(text).checked().diagram
    assert again == diagram
    assert again.version == diagram.version
    assert dumps(again) == text


@settings(max_examples=300)
@given(LABELS | LOOKALIKES, POSITIONS)
def test_every_key_reads_back_as_label_and_position(label, position):
    assert read_key(write_key(label, position)) == Key(label, None, position)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(WORDS), TEXTS), TEXTS)
def test_every_sentence_reads_back_word_by_word(words, target):
    said = words | {"to": target}
    assert read_sentence(write_sentence(said)) == said


@settings(max_examples=300)
@given(st.lists(PIECES | st.text(max_size=5), max_size=25).map("".join))
def test_whatever_is_read_problems_have_places_and_nothing_is_raised(text):
    reading = survey(text)
    assert all(problem.line and problem.column for problem in reading.problems)
    if not reading.errors:
        assert survey(dumps(reading.diagram)).diagram == reading.diagram
