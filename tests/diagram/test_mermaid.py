"""Diagrams as Mermaid text."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given

from dipeo_jupyter.diagram.mermaid import MARKS, STATES, mermaid
from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Person
from dipeo_jupyter.diagram.picture import NodeState

from .strategies import TRICKY, diagrams

WORDS = r'"[^"\\`\[\]{}<>|]*"'
NODE = re.compile(
    r'n\d+(\(\[|\[\(|\[\[|\[/|\(|\[|\{)"([^"\w]*(×\d+ )?)<b>([^"<>\[\]{}|`]*)</b><br/>'
    r'<small>([^"<>\[\]{}|`]*)</small>"(\]\)|\)\]|\]\]|/\]|\)|\]|\})'
)
EDGE = re.compile(rf"n\d+ -->(\|{WORDS}\|)? n\d+")
CLASS = re.compile(r"classDef \w+ [a-z]+:#[0-9a-f]{6}[\w,:# -]*|class n\d+(,n\d+)* \w+")
SHAPES = [
    ("start", "([", "])"),
    ("END", "([", "])"),
    ("if", "{", "}"),
    ("condition", "{", "}"),
    ("code_job", "[", "]"),
    ("PERSON_JOB", "(", ")"),
    ("db", "[(", ")]"),
    ("user_response", "[/", "/]"),
    ("sub_diagram", "[[", "]]"),
    ("who knows", "[", "]"),
]


def pair(first: str = "a", second: str = "b", **edge: str) -> Diagram:
    nodes = (NodeSpec(label=first, type="start"), NodeSpec(label=second, type="condition"))
    return Diagram(nodes=nodes, edges=(Edge(source=first, target=second, **edge),))


def read(text: str) -> str:
    """Labels as a reader sees them."""
    return unescape(re.sub(r"#(\d+);", r"&#\1;", text)).replace("\u2060", "")


def shown(diagram: Diagram) -> list[str]:
    found = (NODE.fullmatch(line.strip()) for line in mermaid(diagram).splitlines())
    return [read(match[4]) for match in found if match]


@given(diagrams())
def test_every_line_is_a_node_an_edge_or_a_class(diagram):
    first, *rest = mermaid(diagram).splitlines()
    assert first in {"flowchart LR", "flowchart TD"}
    wrong = [
        line
        for line in rest
        if not any(each.fullmatch(line.strip()) for each in (NODE, EDGE, CLASS))
    ]
    assert not wrong


def test_small_diagram_reads_as_a_person_would_write_it():
    text = mermaid(pair("begin", "done?", label="topic"))
    assert text.splitlines()[:4] == [
        "flowchart LR",
        '    n0(["<b>begin</b><br/><small>start</small>"])',
        '    n1{"<b>done?</b><br/><small>condition</small>"}',
        '    n0 -->|"topic"| n1',
    ]


def test_empty_diagram_is_an_empty_flowchart():
    assert mermaid(Diagram()) == "flowchart LR\n"


@pytest.mark.parametrize(("type_", "opening", "closing"), SHAPES)
def test_shape_tells_the_kind_of_node(type_, opening, closing):
    text = mermaid(Diagram(nodes=(NodeSpec(label="a", type=type_),)))
    match = NODE.fullmatch(text.splitlines()[1].strip())
    assert (match[1], match[6]) == (opening, closing)


@pytest.mark.parametrize("label", ["end", "graph", "click", "class", "o", "x", "style", "default"])
def test_keywords_may_be_labels(label):
    assert shown(pair(label)) == [label, "b"]


@pytest.mark.parametrize(
    "label",
    [
        *(
            'say "hi"',
            "a[b]{c}(d)",
            "a|b",
            "#quot;",
            "&amp;",
            "<script>",
            "**b** _i_ `c`",
            "1. one",
        ),
        *(
            "- item",
            "$$x^2$$",
            "fa:fa-car",
            "a;b",
            "%%{init}%%",
            "https://x.y",
            "日本語",
            "C:\\new",
        ),
    ],
)
def test_label_is_shown_as_it_is_written(label):
    assert shown(pair(label)) == [label, "b"]


@pytest.mark.parametrize("word", ["$$", "\\n", "fa:fa-car"])
def test_formulas_breaks_and_icons_are_kept_from_happening(word):
    seen = unescape(re.sub(r"#(\d+);", r"&#\1;", mermaid(pair(word))))
    assert word not in seen
    assert word in seen.replace("\u2060", "")


@pytest.mark.parametrize("text", TRICKY)
def test_text_never_makes_a_line_more(text):
    diagram = pair(text, f"z{text}", label=text, source_handle=text, target_handle=text)
    assert len(mermaid(diagram).splitlines()) == len(mermaid(pair(label="x")).splitlines())


def test_handles_and_name_stand_on_the_edge():
    diagram = pair(source_handle="condtrue", target_handle="first", label="topic")
    assert '-->|"true · first · topic"|' in mermaid(diagram)


def test_person_and_model_stand_in_the_second_line():
    node = NodeSpec(label="argue", type="person_job", props={"person": "Ann"})
    diagram = Diagram(nodes=(node,), persons={"Ann": Person(model="openai/gpt-5")})
    assert "<small>Ann · gpt-5</small>" in mermaid(diagram)


def test_edge_to_nowhere_is_left_out():
    diagram = pair().model_copy(update={"edges": (Edge(source="a", target="gone"),)})
    assert "-->" not in mermaid(diagram)


def test_long_labels_are_cut():
    assert shown(pair("word " * 50))[0].endswith("…")


def test_large_diagrams_flow_down_the_page():
    nodes = tuple(NodeSpec(label=str(at), type="job") for at in range(9))
    assert mermaid(Diagram(nodes=nodes)).startswith("flowchart TD\n")


@pytest.mark.parametrize("status", STATES)
def test_state_has_a_mark_and_an_outline_of_its_own(status):
    text = mermaid(pair(), {"a": NodeState(status, 2)})
    assert f'"{read(MARKS[status])} ×2 <b>a</b>' in text
    assert f"class n0 {status}\n" in text


def test_pending_nodes_look_like_those_without_a_state():
    assert mermaid(pair(), {"a": NodeState("pending")}) == mermaid(pair())


def test_outline_of_a_state_is_defined_after_the_colours():
    text = mermaid(pair(), {"b": NodeState("failed")})
    assert re.findall(r"classDef (\w+)", text) == ["amber", "green", "failed"]
