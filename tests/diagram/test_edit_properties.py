"""However a file is edited, it says afterwards what the edited diagram says."""

import difflib
import json
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from dipeo_jupyter.diagram import light
from dipeo_jupyter.diagram.edit import Document, apply
from dipeo_jupyter.diagram.edit.edits import (
    AddEdge,
    AddNode,
    AddPerson,
    MoveNode,
    RemoveEdge,
    RemoveNode,
    RemovePerson,
    RemovePersonField,
    RemoveProperty,
    RenameNode,
    RenamePerson,
    SetDescription,
    SetEdge,
    SetName,
    SetPersonField,
    SetProperty,
    SetType,
)
from dipeo_jupyter.diagram.edit.splicing import same
from dipeo_jupyter.diagram.edit.styles import write_flow
from dipeo_jupyter.diagram.files import survey_text
from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Person, Position
from dipeo_jupyter.errors import DiagramError

from .strategies import ALIKE, TRICKY

FILES = sorted((Path(__file__).parent / "diagrams").glob("*.light.yaml"))
IDS = [path.name.partition(".")[0] for path in FILES]
HEADERS = {"connections:", "edges:", "connections: []", "edges: []"}
"""Lines that change when nothing is left below, or when the first edge comes."""
OLD_FORMS = ("labels_as_keys",)
"""Files whose sections are written anew when their nodes or edges become others or more."""
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CHAINS = [
    Path(__file__).parent / "diagrams" / "chains.light.yaml",
    NOTEBOOKS / "review.light.yaml",
    NOTEBOOKS / "research.light.yaml",
]
CHAIN_IDS = [path.name.partition(".")[0] for path in CHAINS]
WORDS = ["tea", "two words", "a, b", "n > 10", "yes", "{{default}}", "it's", "x: y"]
WORDS += ["a\nb", "a\nb\n"]
ENDS = ["", "", "", ".first", ".false", "[condtrue]", "_default"]
SAID = ["", "", " as topic", " (raw_text)", " as it's (object)"]
LABELS = ["tea", "North Sea", "done?", "a_b", "x.y", "left, right"]
REMOVING = (RemoveProperty, RemoveNode, RemoveEdge, RemovePerson, RemovePersonField)


def text_of(path):
    return path.read_bytes().decode()


def values(draw, words):
    simple = [draw.choice(words), draw.choice(words), 7, 0, 2.5, True, False, None]
    value = draw.choice(simple)
    return draw.choice([value, value, value, [value, "x"], {"k": value, "l": [1]}, [], {}])


def edge(draw, labels):
    return Edge(
        source=draw.choice(labels),
        target=draw.choice(labels),
        source_handle=draw.choice(["default", "default", "condtrue", "error"]),
        target_handle=draw.choice(["default", "default", "first"]),
        label=draw.choice([None, "topic", "n"]),
        content_type=draw.choice([None, "raw_text", "object"]),
    )


def new_node(draw, words, labels):
    props = {"prompt": draw.choice(words), "limit": 3, "tools": ["a", {"b": draw.choice(words)}]}
    return NodeSpec(label=draw.choice(labels), type=draw.choice(["job", "db"]), props=props)


def random_edit(draw, diagram, words, new_labels):
    """Any edit; some cannot be made, and say so."""
    labels = [node.label for node in diagram.nodes] or ["nobody"]
    persons = list(diagram.persons) or ["nobody"]
    node = draw.choice(diagram.nodes or [NodeSpec(label="nobody", type="job")])
    name = draw.choice([*node.props, "prompt", "limit", "note"])
    path = [name]
    if isinstance(inner := node.props.get(name), dict) and inner:
        path += draw.choice([[], [draw.choice(list(inner))], ["more"]])
    person = draw.choice(persons)
    field = draw.choice([*_fields(diagram, person), "model", "temperature", "system_prompt"])
    index, x = draw.randrange(len(diagram.edges) + 1), draw.randrange(900)
    new, text = draw.choice(new_labels), draw.choice(words)
    old = diagram.edges[index] if index < len(diagram.edges) else edge(draw, labels)
    changes = {"label": draw.choice([None, "topic"]), "content_type": draw.choice([None, "object"])}
    makers = [
        lambda: SetProperty(node=node.label, path=path, value=values(draw, words)),
        lambda: SetProperty(node=node.label, path=path, value=text),
        lambda: RemoveProperty(node=node.label, path=path),
        lambda: RenameNode(node=node.label, label=new),
        lambda: SetType(node=node.label, node_type=draw.choice(["job", "db", text])),
        lambda: MoveNode(node=node.label, position=draw.choice([None, Position(x=x, y=0.5)])),
        lambda: AddNode(node=new_node(draw, words, new_labels), after=node.label),
        lambda: AddNode(node=new_node(draw, words, new_labels)),
        lambda: RemoveNode(node=node.label),
        lambda: AddEdge(edge=edge(draw, labels)),
        lambda: RemoveEdge(index=index),
        lambda: SetEdge(index=index, edge=edge(draw, labels)),
        lambda: SetEdge(index=index, edge=old.model_copy(update=changes)),
        lambda: AddPerson(label=new, person=Person(service="demo", system_prompt=text)),
        lambda: RemovePerson(person=person),
        lambda: RenamePerson(person=person, label=new),
        lambda: SetPersonField(person=person, field=field, value=text),
        lambda: RemovePersonField(person=person, field=field),
        lambda: SetName(name=draw.choice([None, text])),
        lambda: SetDescription(description=draw.choice([None, text])),
    ]
    return draw.choice(makers)()


def _fields(diagram, person):
    if person not in diagram.persons:
        return []
    return list(diagram.persons[person].model_dump(exclude_unset=True))


def sprinkled(text, draw):
    """The text with comments wherever they are only comments."""
    before = survey_text(text).diagram
    lines = text.split("\n")
    for number in range(len(lines) - 1, 0, -1):
        if draw.random() < 0.5:
            continue
        beside = f"{lines[number]}  # beside {number}"
        indent = re.match(" *", lines[number])[0]
        own = f"{indent}# above {number}\n{lines[number]}"
        for changed in draw.sample([beside, own], 2):
            again = [*lines[:number], *changed.split("\n"), *lines[number + 1 :]]
            reading = survey_text("\n".join(again))
            if not reading.errors and reading.diagram == before:
                lines = again
                break
    return "\n".join(lines)


def comments(text):
    return set(re.findall(r"# (?:beside|above) \d+", text))


def edited(document, draw, rounds, words=WORDS, labels=LABELS):
    """The documents after each of some random edits, with the edit and the one before."""
    done = 0
    while done < rounds:
        edit = random_edit(draw, document.diagram, words, labels)
        try:
            expected = apply(document.diagram, edit)
        except DiagramError:
            continue
        after = document.apply(edit)
        reading = survey_text(after.text, document.name)
        assert not reading.errors, (edit, after.text)
        assert same(reading.diagram, expected), (edit, document.text, after.text)
        yield document, edit, after
        document = after
        done += 1


def show(before, edit, after):
    lines = difflib.unified_diff(before.text.split("\n"), after.text.split("\n"), lineterm="", n=3)
    return "\n".join([repr(edit), after.rewritten, *lines])


def check_comments(before, edit, after):
    """All comments are there, but those beside or inside of what was removed."""
    lost = comments(before.text) - comments(after.text)
    if isinstance(edit, SetName | SetDescription | SetEdge):
        lost = {each for each in lost if "above" in each}
    old = edit_value(before, edit)
    removing = isinstance(edit, REMOVING) or (isinstance(old, dict | list) and old)
    assert removing or after.rewritten != "value" or not lost, show(before, edit, after)


def edit_value(document, edit):
    if not isinstance(edit, SetProperty):
        return None
    node = next(node for node in document.diagram.nodes if node.label == edit.node)
    return node.props.get(edit.path[0])


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_edited_example_files_say_what_the_edited_diagrams_say(path):
    draw = random.Random(path.name)
    extents = Counter()
    for ending in ("\n", "\r\n"):
        text = sprinkled(text_of(path), draw).replace("\n", ending)
        for start in (text, text.rstrip()):
            for before, edit, after in edited(Document(start, path.name), draw, 18):
                check_comments(before, edit, after)
                extents[after.rewritten] += 1
                assert ("\r\n" in after.text) == (ending == "\r\n")
    if not path.name.startswith(OLD_FORMS):
        # An edge inside of a node that goes must go elsewhere when it is another one's.
        assert path.name.startswith("edges_inside") or not extents["section"]
        assert extents["file"] == 0
        assert extents["value"] >= 0.9 * extents.total(), extents


def generated(draw):
    labels = draw.sample(sorted({*ALIKE, *LABELS, "start", "end"}), 5)
    words = [each for each in TRICKY if "\x00" not in each]
    nodes = [
        NodeSpec(
            label=label,
            type=draw.choice(["start", "job"]),
            props={draw.choice(["a", "b.c", "label", "prompt"]): values(draw, words)},
            position=draw.choice([None, Position(x=1, y=2)]),
        )
        for label in labels
    ]
    return Diagram(
        nodes=nodes,
        edges=[edge(draw, labels) for _ in range(draw.randrange(4))],
        persons={"P": Person(service="demo", system_prompt=draw.choice(words))},
        extra={"kept": values(draw, words)},
    )


@pytest.mark.parametrize("seed", range(20))
def test_edited_texts_say_what_the_edited_diagrams_say(seed):
    draw = random.Random(seed)
    words = [each for each in TRICKY if "\x00" not in each]
    text = light.dumps(generated(draw))
    for _ in edited(Document(text), draw, 15, words, [*ALIKE, *LABELS]):
        pass


def chained(draw):
    """A text in which edges are arrows, most of them chains, and in which comments stand."""
    diagram = generated(draw).model_copy(update={"edges": ()})
    text = light.dumps(diagram) + "edges:  # the ways\n"
    labels = [node.label for node in diagram.nodes]
    for number in range(draw.randrange(1, 5)):
        ends = [f"{draw.choice(labels)}{draw.choice(ENDS)}" for _ in range(draw.choice([2, 3, 5]))]
        arrow = draw.choice([" -> ", "->", "  -> "]).join(ends) + draw.choice(SAID)
        written = [arrow, f"'{arrow}'", json.dumps(arrow), write_flow({"from": "start", "to": "a"})]
        for each in draw.sample(written, len(written)):
            longer = f"{text}  # above {number}\n  - {each}  # beside {number}\n"
            if not survey_text(longer).errors:
                text = longer
                break
    return text


@pytest.mark.parametrize("seed", range(20))
def test_edited_chains_say_what_the_edited_diagrams_say(seed):
    draw = random.Random(seed)
    extents = Counter()
    for _ in range(2):
        for _, _, after in edited(Document(chained(draw)), draw, 10, WORDS, [*ALIKE, *LABELS]):
            extents[after.rewritten] += 1
    assert extents["section"] == extents["file"] == 0
    assert extents["value"] >= 0.8 * extents.total(), extents


@pytest.mark.parametrize("path", CHAINS, ids=CHAIN_IDS)
def test_files_with_chains_are_edited_in_place(path):
    draw = random.Random(path.name)
    extents = Counter()
    for _ in range(4):
        for before, edit, after in edited(Document(text_of(path), path.name), draw, 15):
            extents[after.rewritten] += 1
            if after.rewritten in ("value", "entry"):
                lost = set(before.text.split("\n")) - set(after.text.split("\n"))
                assert lost <= concerned(before, edit), show(before, edit, after)
    assert extents["value"] + extents["entry"] >= 0.9 * extents.total(), extents


def concerned(document, edit):
    """The lines that an edit may change."""
    lines, edges = document.text.split("\n"), document.diagram.edges
    match edit:
        case RenameNode() | RemoveNode():
            its = [i for i, each in enumerate(edges) if edit.node in (each.source, each.target)]
            of_edges = set[str]().union(*(lines_of(document, "edges", i) for i in its))
            naming = {line for line in lines if edit.node in line}
            return lines_of(document, "nodes", edit.node) | of_edges | naming | HEADERS
        case SetProperty() | RemoveProperty() | SetType() | MoveNode():
            return lines_of(document, "nodes", edit.node)
        case SetEdge() | RemoveEdge():
            return lines_of(document, "edges", edit.index) | HEADERS
        case RenamePerson() | RemovePerson() | SetPersonField() | RemovePersonField():
            return {*lines}
        case _:
            return HEADERS | {line for line in lines if line.startswith(("name:", "description:"))}


def lines_of(document, *path):
    """The lines of an item of a list."""
    lines, start = document.text.split("\n"), document.reading.source.line_of(*path)
    ends = (i for i in range(start, len(lines)) if re.match(r"  - |\w", lines[i]))
    return set(lines[start - 1 : next(ends, len(lines))])


ODD = {
    "flow": (
        "version: light\n"
        "nodes: [{label: a, type: job},\n"
        "  {label: b, type: job, p: [x, # c\n"
        " y]}]\n"
        "connections: [{from: a, to: b}, a -> b as x]  # c\n"
        "persons: {P: {model: m}}\n"
    ),
    "marks": ("? nodes\n: - ? label\n    : a\n    type: job\n  - label: b\n    type: job\n"),
    "document": (
        "\ufeff---\nversion: light\nnodes:\n- label: a\n  type: job\n  p: 'x\n\n    y'\n...\n"
    ),
    "dashes": (
        "nodes:\n"
        "-\n"
        "  label: a\n"
        "  type: job\n"
        "  l:\n"
        "  - x\n"
        "  -\n"
        "    - y\n"
        "-\n"
        "- # c\n"
        "  label: b\n"
        "  type: job\n"
    ),
    "anchors": (
        "x: &x {type: job, p: {q: &q 1}}\n"
        "nodes:\n"
        "  - &n {<<: *x, label: a}\n"
        "  - {<<: *n, label: b, r: *q}\n"
        "persons:\n"
        "  <<: &p {P: {model: m}}\n"
        "  Q: &k\n"
        "    model: &m |+\n"
        "      x\n"
        "\n"
        "  R: *k\n"
        "  S: {model: *m}\n"
    ),
    "quotes": (
        'name: "nodes:\n'
        '  - label: a"\n'
        "nodes:\n"
        "  - 'label': \"a\"\n"
        "    type: job\n"
        '    p: "x\n'
        '      - y"\n'
        "    q: plain\n"
        "      text\n"
    ),
    "tags": (
        "nodes:\n"
        "  - !!map\n"
        "    label: !!str a\n"
        "    type: job\n"
        "    p: !!str 1\n"
        "    q: &a !!str x # c\n"
        "    r: *a\n"
    ),
    "chains": (
        "nodes:\n"
        "  - {label: a, type: job}\n"
        "  - {label: b, type: job, arrows: [{to: a, label: x}, a -> b -> a]}\n"
        "  - label: c\n"
        "    type: job\n"
        "    connections:\n"
        "      # c\n"
        "      - c -> b -> a as y  # d\n"
        "      - to: b\n"
        "arrows: [a -> b -> c, &e b -> c]\n"
        "edges:\n"
        "- *e\n"
        "- &f 'a -> b -> c'\n"
        "- >-\n"
        "  a -> b ->\n"
        "  c\n"
        "-\n"
        "- *f\n"
        "- a -> b\n"
        "   -> c\n"
    ),
    "empty": (
        "nodes:\n"
        "  - {label: a, type: job, p: , q: {}, r: []}\n"
        "  - label: b\n"
        "    type: job\n"
        "    p:\n"
        "    q:\n"
        "      # c\n"
        "connections:\n"
        "persons:\n"
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_edited_texts_in_odd_styles_say_what_the_edited_diagrams_say(name):
    draw = random.Random(name)
    for text in (ODD[name], ODD[name].replace("\n", "\r\n"), ODD[name].rstrip()):
        for _ in range(4):
            for before, edit, after in edited(Document(text), draw, 8):
                assert after.diagram == apply(before.diagram, edit)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_lines_outside_of_an_edited_node_stay_as_they_are(path):
    draw = random.Random(path.name)
    for _, edit, after in one_by_one(path, draw):
        text, lines = after.reading.source, after.text.split("\n")
        labels = [node.label for node in after.diagram.nodes]
        starts = sorted({text.line_of("nodes", label) for label in labels} | {len(lines) + 1})
        start = text.line_of("nodes", edit.node)
        end = next(line for line in starts if line > start)
        before = text_of(path).split("\n")
        assert lines[: start - 1] == before[: start - 1]
        assert end > len(lines) or lines[end - 1 :] == before[end - 1 - len(lines) :]


def one_by_one(path, draw):
    """Edits of one node, each of the file as it is."""
    if path.name.startswith(OLD_FORMS):
        return
    document = Document(text_of(path), path.name)
    for node in document.diagram.nodes:
        for edit in (
            SetProperty(node=node.label, path=["prompt"], value=draw.choice(WORDS)),
            SetProperty(node=node.label, path=["limit"], value={"a": [1, "b"]}),
            MoveNode(node=node.label, position=Position(x=1, y=2)),
        ):
            yield document, edit, document.apply(edit)
