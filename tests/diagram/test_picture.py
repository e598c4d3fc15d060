"""What a picture shows, and that it is safe to show."""

from __future__ import annotations

import re
import time
from itertools import permutations
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dipeo_jupyter.diagram.drawing.palette import PALETTE
from dipeo_jupyter.diagram.drawing.text import clean, fit, width_of, wrap
from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Person
from dipeo_jupyter.diagram.picture import NodeState, draw

SVG = "{http://www.w3.org/2000/svg}"
STATUSES = (
    "pending running waiting paused completed failed cancelled skipped cached".split()  # noqa: SIM905
)
TYPES = (
    "start condition job person_job person_batch_job db endpoint user_response notion api_job hook "  # noqa: SIM905
    "template_job json_schema_validator diff_patch".split()
)
HOSTILE = [
    "]]>",
    "<script>alert(1)</script>",
    "</title></svg><script>",
    "a & b \" ' `",
    "\x00\x07\x1b[31m\ud800\ufffe",
    "مرحبا\u202eبالعالم",
    "日本語" * 50,
    "👩‍👩‍👧 e\u0301" * 20,
    "x" * 10_000,
    "two\nlines\r\n",
    "",
]


def pair(first: str = "a", second: str = "b", **edge: str) -> Diagram:
    nodes = (NodeSpec(label=first, type="start"), NodeSpec(label=second, type="job"))
    return Diagram(nodes=nodes, edges=(Edge(source=first, target=second, **edge),))


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 -- our own text, which is what is being tested


def texts(svg: str, tag: str = "text") -> list[str]:
    return ["".join(each.itertext()) for each in parsed(svg).iter(SVG + tag)]


def uncoloured(svg: str) -> str:
    """What is left for somebody who sees shapes only."""
    body = svg[svg.index("</style>") :]
    return re.sub(r' (class|fill|stroke)="[^"]*"|<title>.*?</title>', "", body)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str, scheme: str) -> float:
    pair_ = (luminance(getattr(PALETTE[name], scheme)) for name in (one, other))
    dark, light = sorted(pair_)
    return (light + 0.05) / (dark + 0.05)


def test_same_arguments_always_give_the_same_text():
    states = {"a": NodeState("completed", 2)}
    assert draw(pair(), states, title="t") == draw(pair(), dict(states), title="t")


@pytest.mark.parametrize("label", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_anywhere_stay_mere_words(label):
    diagram = pair(label, label + "2", label=label, source_handle=label or "default")
    svg = draw(diagram, {label: NodeState("failed", note=label)}, title=label or None)
    allowed = "svg title desc style rect g path text circle".split()  # noqa: SIM905
    assert {each.tag.removeprefix(SVG) for each in parsed(svg).iter()} <= set(allowed)


@given(st.text(), st.text())
def test_any_unicode_text_makes_well_formed_xml(label, note):
    svg = draw(pair(label, label + "!", label=note), {label: NodeState("failed", note=note)})
    assert parsed(svg).tag == SVG + "svg"


def test_whole_label_is_in_the_tooltip_when_cut():
    label = "a label that is much too long for two lines in a box of this size"
    svg = draw(pair(label))
    assert any(text.startswith("a label") for text in texts(svg))
    assert label not in texts(svg)
    assert any(title.startswith(label) for title in texts(svg, "title"))


def test_long_label_is_broken_into_two_lines():
    shown = texts(draw(pair("check every answer again")))
    assert {"check every", "answer again"} <= set(shown)


@pytest.mark.parametrize("status", STATUSES)
def test_every_state_is_said_in_the_description(status):
    (description,) = texts(draw(pair(), {"a": NodeState(status, 3)}), "desc")
    assert f"a (start) {status}, 3 times" in description
    assert f"1 {status}." in description


def test_description_names_nodes_and_connections():
    (description,) = texts(draw(pair(label="topic", source_handle="condtrue")), "desc")
    assert description.startswith("2 nodes, 1 connection.")
    assert "a [condtrue] → b as topic" in description


def test_screen_readers_are_led_to_title_and_description():
    root = parsed(draw(pair(), title="My run"))
    ids = [each.get("id") for each in root if each.tag in (SVG + "title", SVG + "desc")]
    assert root.get("role") == "img"
    assert root.get("aria-labelledby").split() == ids
    assert root[0].text == "My run"


def test_states_can_be_told_apart_without_colours():
    pictures = {uncoloured(draw(pair(), {"a": NodeState(status)})) for status in STATUSES}
    assert len(pictures) == len(STATUSES)


def test_node_types_can_be_told_apart_without_words():
    nodes = [Diagram(nodes=(NodeSpec(label="a", type=each),)) for each in (*TYPES, "other")]
    pictures = {re.sub(r"<text.*?</text>", "", uncoloured(draw(each))) for each in nodes}
    assert len(pictures) == len(nodes)


@pytest.mark.parametrize(
    ("alias", "kind"),
    [
        ("PERSON_JOB", "person_job"),
        ("llm", "person_job"),
        ("code_job", "job"),
        ("If", "condition"),
        ("end", "endpoint"),
        ("person-batch-job", "person_batch_job"),
    ],
)
def test_type_by_another_name_has_the_same_sign(alias, kind):
    one, other = (
        uncoloured(draw(Diagram(nodes=(NodeSpec(label="a", type=each),)))) for each in (alias, kind)
    )
    assert re.sub(r"<text.*?</text>", "", one) == re.sub(r"<text.*?</text>", "", other)


def test_error_of_a_failed_node_is_in_its_tooltip():
    svg = draw(pair(), {"b": NodeState("failed", note="rate limit reached")})
    assert "b (job): failed: rate limit reached" in texts(svg, "title")


def test_number_of_runs_is_shown_from_two_on():
    once, twice = (draw(pair(), {"a": NodeState("completed", count)}) for count in (1, 2))
    assert "×2" in texts(twice)
    assert "×1" not in texts(once)


def test_edges_of_skipped_nodes_are_dashed():
    assert "stroke-dasharray" not in draw(pair(), {"b": NodeState("completed")})
    skipped = parsed(draw(pair(), {"b": NodeState("skipped")}))
    dashed = [each.tag for each in skipped.iter() if each.get("stroke-dasharray")]
    assert sorted(dashed) == [SVG + "path", SVG + "rect"]


def test_person_and_model_stand_below_the_label():
    node = NodeSpec(label="argue", type="person_job", props={"person": "Ann"})
    diagram = Diagram(nodes=(node,), persons={"Ann": Person(model="openai/gpt-5")})
    assert texts(draw(diagram)) == ["argue", "Ann · gpt-5"]


def test_words_of_handles_and_names_are_on_the_edge():
    shown = texts(draw(pair(source_handle="condfalse", target_handle="first", label="topic")))
    assert {"false", "first · topic"} <= set(shown)


def test_heading_is_drawn_only_when_asked_for():
    assert "My run" in texts(draw(pair(), title="My run"))
    assert "named" not in texts(draw(pair().model_copy(update={"name": "named"})))


def test_empty_diagram_says_that_it_is_empty():
    assert texts(draw(Diagram())) == ["No nodes yet"]


def test_names_inside_differ_between_different_pictures():
    pictures = [draw(pair()), draw(pair(), {"a": NodeState("failed")}), draw(pair(second="c"))]
    assert len({parsed(each)[0].get("id") for each in pictures}) == 3


def test_style_sheet_touches_nothing_but_its_own_picture():
    svg = draw(pair(), {"a": NodeState("failed")})
    scope = parsed(svg).get("class")
    rules = re.findall(r"([^{}]+)\{[a-z]+:#", svg.split("<style>")[1].split("</style>")[0])
    selectors = [rule.removeprefix("@media (prefers-color-scheme:dark){") for rule in rules]
    assert selectors
    assert all(selector.startswith(f".{scope} .") for selector in selectors)


def test_picture_needs_nothing_from_outside_itself():
    svg = draw(pair(label="x"), {"a": NodeState("running")}, title="t")
    for forbidden in ("href", "url(", "@import", "var(", "<script", "foreignObject", "onload"):
        assert forbidden not in svg


def test_every_coloured_thing_has_its_colour_for_the_dark():
    svg = draw(pair(), {"a": NodeState("failed")})
    used = set(re.findall(r'class="([fs]-[a-z-]+)(?: ([fs]-[a-z-]+))?"', svg))
    style = svg.split("<style>")[1].split("</style>")[0]
    assert all(f".{name}{{" in style for names in used for name in names if name)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["panel", "box"])
@pytest.mark.parametrize("ink", ["ink", "soft"])
def test_words_are_readable_on_their_ground(ink, ground, scheme):
    assert contrast(ink, ground, scheme) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [name for name in PALETTE if f"{name}-ground" in PALETTE])
def test_signs_of_types_stand_out_from_their_ground(name, scheme):
    assert contrast(name, f"{name}-ground", scheme) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["done", "fail", "run", "wait", "pause", "idle", "reuse"])
def test_marks_stand_out_from_disc_and_disc_from_panel(name, scheme):
    assert contrast("white", name, scheme) >= 3
    assert contrast(name, "panel", scheme) >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["line", "faint", "border"])
def test_lines_stand_out_from_the_panel(name, scheme):
    assert contrast(name, "panel", scheme) >= 3


@given(st.text(), st.floats(20, 200))
def test_text_that_was_fitted_fits(text, room):
    shown = fit(clean(text), room, 13, bold=True)
    assert width_of(shown, 13, bold=True) <= room


@given(st.text(), st.floats(30, 200))
def test_text_is_wrapped_into_at_most_two_lines_that_fit(text, room):
    lines = wrap(clean(text), room, 13)
    assert 1 <= len(lines) <= 2
    assert all(width_of(line, 13) <= room for line in lines)


def test_thousand_nodes_are_drawn_without_recursion():
    nodes = tuple(NodeSpec(label=f"n{number}", type="job") for number in range(1000))
    edges = tuple(Edge(source=f"n{at}", target=f"n{at + 1}") for at in range(999))
    svg = draw(Diagram(nodes=nodes, edges=edges))
    assert "and 900 more" in texts(svg, "desc")[0]


@pytest.mark.parametrize(
    ("count", "forward", "bound"),
    [(60, False, 4), (200, True, 15)],
    ids=["60 all to all", "200 forward"],
)
def test_dense_diagrams_are_drawn_whole_within_seconds(count, forward, bound):
    nodes = tuple(NodeSpec(label=f"n{at}", type="job") for at in range(count))
    pairs = [(a, b) for a, b in permutations(range(count), 2) if a < b or not forward]
    edges = tuple(Edge(source=f"n{a}", target=f"n{b}") for a, b in pairs)
    begin = time.process_time()
    svg = draw(Diagram(nodes=nodes, edges=edges))
    assert time.process_time() - begin < bound  # a tenth of it on a machine of today
    assert svg.count(" → ") >= len(edges)
