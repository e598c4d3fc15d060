"""Where boxes and lines stand."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.drawing.bands import PAGE
from dipeo_jupyter.diagram.layout import Box, Layout, Point, layout
from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Position

HAIR = 0.1
HANDLES = ("default", "default", "condtrue", "condfalse")
NAMES = (None, "topic", "a rather long name for a value")


def diagram(*chains: str, **positions: tuple[float, float]) -> Diagram:
    """`diagram("a b c", "c a:condfalse")`: chains of labels; a handle leaves the label before."""
    edges = []
    labels: dict[str, None] = {}
    for chain in chains:
        words = [word.partition(":") for word in chain.split()]
        labels |= dict.fromkeys(word[0] for word in words)
        for (source, _, _), (target, _, handle) in pairwise(words):
            edges.append(Edge(source=source, target=target, source_handle=handle or "default"))
    nodes = [
        NodeSpec(
            label=label,
            type="start" if label == "start" else "job",
            position=Position(x=positions[label][0], y=positions[label][1])
            if label in positions
            else None,
        )
        for label in labels
    ]
    return Diagram(nodes=tuple(nodes), edges=tuple(edges))


@st.composite
def diagrams(draw, placed: bool = False) -> Diagram:
    count = draw(st.integers(1, 30))
    coordinates = st.integers(0, 8).map(lambda step: step * 125.0) | st.floats(-900, 900)
    nodes = [
        NodeSpec(
            label=f"n{number}",
            type="job",
            position=Position(x=draw(coordinates), y=draw(coordinates)) if placed else None,
        )
        for number in range(count)
    ]
    ends = st.integers(0, count - 1).map("n{}".format)
    edge = st.builds(
        Edge,
        source=ends,
        target=ends,
        source_handle=st.sampled_from(HANDLES),
        label=st.sampled_from(NAMES),
    )
    edges = draw(st.lists(edge, max_size=count + count // 2))
    return Diagram(nodes=tuple(nodes), edges=tuple(edges))


steady = settings(max_examples=40)
any_diagram = diagrams() | diagrams(placed=True)


def overlap(one: Box, other: Box) -> bool:
    across = one.x < other.right - HAIR and other.x < one.right - HAIR
    return across and one.y < other.bottom - HAIR and other.y < one.bottom - HAIR


def around(start: Point, end: Point) -> Box:
    left, right = sorted((start.x, end.x))
    top, bottom = sorted((start.y, end.y))
    # Half a hair thick: a line has no area, and may touch a box.
    return Box(left - HAIR / 2, top - HAIR / 2, right - left + HAIR, bottom - top + HAIR)


def touches(point: Point, box: Box) -> bool:
    at_side = min(abs(point.x - box.x), abs(point.x - box.right)) < HAIR
    at_top = min(abs(point.y - box.y), abs(point.y - box.bottom)) < HAIR
    inside = box.x <= point.x <= box.right or box.y <= point.y <= box.bottom
    return inside and (at_side or at_top)


def rows(drawn: Layout) -> list[list[str]]:
    """The labels, as one reads them."""
    found: dict[float, list[str]] = {}
    for label, box in sorted(drawn.boxes.items(), key=lambda item: (item[1].y, item[1].x)):
        found.setdefault(box.y, []).append(label)
    return list(found.values())


@steady
@given(any_diagram)
def test_same_diagram_always_gets_same_layout(drawn):
    assert layout(drawn) == layout(Diagram.model_validate(drawn.model_dump()))


@steady
@given(any_diagram)
def test_boxes_never_overlap_whatever_the_edges(drawn):
    boxes = layout(drawn).boxes.values()
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))


@steady
@given(any_diagram)
def test_lines_begin_and_end_at_their_boxes(drawn):
    found = layout(drawn)
    for number, route in found.routes.items():
        assert touches(route.points[0], found.boxes[drawn.edges[number].source])
        assert touches(route.points[-1], found.boxes[drawn.edges[number].target])


@steady
@given(any_diagram)
def test_lines_never_lead_through_any_box(drawn):
    found = layout(drawn)
    for route in found.routes.values():
        for start, end in pairwise(route.points):
            piece = around(start, end)
            assert not any(overlap(piece, box) for box in found.boxes.values())


@steady
@given(any_diagram)
def test_lines_turn_only_at_right_angles(drawn):
    for route in layout(drawn).routes.values():
        for start, end in pairwise(route.points):
            assert min(abs(start.x - end.x), abs(start.y - end.y)) < HAIR


@steady
@given(any_diagram)
def test_words_on_lines_cover_no_box(drawn):
    found = layout(drawn)
    tags = [tag for route in found.routes.values() for tag in route.tags]
    for tag in tags:
        covered = Box(tag.x - tag.width / 2, tag.y - 6, tag.width, 12)
        assert not any(overlap(covered, box) for box in found.boxes.values())


@steady
@given(any_diagram)
def test_words_on_lines_cover_no_other_words(drawn):
    tags = {tag for route in layout(drawn).routes.values() for tag in route.tags}
    covered = [Box(tag.x - tag.width / 2, tag.y - 6, tag.width, 12) for tag in tags]
    assert not any(overlap(one, other) for one, other in combinations(covered, 2))


@steady
@given(any_diagram)
def test_everything_lies_within_the_size_given(drawn):
    found = layout(drawn)
    corners = [(box.right, box.bottom) for box in found.boxes.values()]
    corners += [point for route in found.routes.values() for point in route.points]
    assert all(x <= found.width + HAIR and y <= found.height + HAIR for x, y in corners)
    assert all(x >= -HAIR and y >= -HAIR for x, y in corners)


def test_short_chain_is_one_straight_line_rightwards():
    found = layout(diagram("start a b"))
    assert rows(found) == [["start", "a", "b"]]
    assert all(len(route.points) == 2 for route in found.routes.values())


def test_long_chain_goes_on_in_rows_like_text():
    found = layout(diagram("start b c d e f g h i j k l"))
    assert [label for row in rows(found) for label in row] == ["start", *"bcdefghijkl"]
    assert len(rows(found)) == 3
    assert found.width <= PAGE


def test_loop_does_not_change_the_order_of_reading():
    found = layout(diagram("start a check end", "check a:condfalse"))
    assert rows(found) == [["start", "a", "check", "end"]]


def test_line_that_goes_back_keeps_outside_the_loop():
    found = layout(diagram("start a b c", "c a:condfalse"))
    heights = {point.y for point in found.routes[3].points}
    assert max(heights) > max(box.bottom for box in found.boxes.values()) or min(heights) < min(
        box.y for box in found.boxes.values()
    )


def test_persons_who_argue_in_parallel_stand_side_by_side():
    found = layout(
        diagram("start pro check", "start con check", "check pro:condfalse", "check con:condfalse")
    )
    assert found.boxes["pro"].x == found.boxes["con"].x


def test_persons_who_argue_in_turn_stand_one_after_another():
    found = layout(diagram("start pro con check", "start con", "check pro:condfalse"))
    assert found.boxes["pro"].x < found.boxes["con"].x < found.boxes["check"].x


def test_node_that_only_feeds_stands_right_before_its_target():
    found = layout(diagram("start a b c", "source c"))
    assert found.boxes["source"].x == found.boxes["b"].x


def test_wide_fan_is_centred_on_its_source():
    found = layout(diagram("start a", "start b", "start c", "a end", "b end", "c end"))
    assert found.boxes["start"].y == found.boxes["b"].y == found.boxes["end"].y


def test_true_and_false_leave_at_different_places():
    found = layout(diagram("check yes:condtrue", "check no:condfalse"))
    assert found.routes[0].points[0] != found.routes[1].points[0]
    assert [found.routes[number].tags[0].text for number in (0, 1)] == ["true", "false"]


def test_edges_by_the_same_handle_leave_together():
    found = layout(diagram("start a", "start b"))
    assert found.routes[0].points[0] == found.routes[1].points[0]


def test_parallel_edges_arrive_at_different_places():
    found = layout(diagram("a b", "a b", "a b"))
    assert len({route.points[-1] for route in found.routes.values()}) == 3


def test_self_loop_comes_back_to_its_own_box():
    found = layout(diagram("a a"))
    points = found.routes[0].points
    assert points[0].x == found.boxes["a"].right
    assert points[-1].x == found.boxes["a"].x
    assert len(points) == 6


def test_many_edges_at_one_box_make_it_broader():
    found = layout(diagram(*(f"worker{number} join" for number in range(12))))
    assert found.boxes["join"].height > found.boxes["worker0"].height
    assert len({route.points[-1].y for route in found.routes.values()}) == 12


def test_edge_to_nowhere_has_no_route():
    drawn = diagram("a b").model_copy(update={"edges": (Edge(source="a", target="gone"),)})
    assert layout(drawn).routes == {}


def test_empty_diagram_has_an_empty_layout():
    assert layout(Diagram()) == Layout({}, {}, 0.0, 0.0)


def test_parts_that_nothing_joins_stand_apart():
    found = layout(diagram("a b", "x y", "lonely"))
    assert rows(found) == [["a", "b", "x", "y"], ["lonely"]]
    assert not any(overlap(one, other) for one, other in combinations(found.boxes.values(), 2))


def test_positions_in_the_file_decide_who_stands_where():
    found = layout(diagram("a b", "b c", a=(500, 0), b=(250, 0), c=(0, 250))).boxes
    assert found["c"].x < found["b"].x < found["a"].x
    assert found["a"].y == found["b"].y < found["c"].y


def test_positions_wide_enough_keep_their_distances():
    found = layout(diagram("a b", "a c", a=(0, 0), b=(300, 0), c=(300, 200))).boxes
    assert found["b"].x - found["a"].x == pytest.approx(300)
    assert found["c"].y - found["b"].y == pytest.approx(200)


def test_positions_that_flow_down_get_lines_that_flow_down():
    found = layout(diagram("a b c", a=(0, 0), b=(0, 120), c=(0, 240)))
    assert found.routes[0].points[0].y == found.boxes["a"].bottom
    assert all(len(route.points) == 2 for route in found.routes.values())


def test_wide_empty_stripes_are_not_kept():
    found = layout(diagram("a b", "a c", a=(0, 0), b=(300, 0), c=(300, 9000))).boxes
    assert found["a"].y < found["c"].y < 300


def test_row_as_wide_as_a_page_allows_stands_closer():
    places = {label: (400.0 * at, 0.0) for at, label in enumerate("abcde")}
    found = layout(diagram("a b c d e", **places))
    assert rows(found) == [["a", "b", "c", "d", "e"]]
    assert found.width < 1200


def test_positions_in_one_endless_row_are_not_kept():
    labels = [f"n{number}" for number in range(20)]
    places = {label: (300.0 * at, 0.0) for at, label in enumerate(labels)}
    found = layout(diagram(" ".join(labels), **places))
    assert found == layout(diagram(" ".join(labels)))
    assert found.width <= PAGE


def test_positions_against_which_most_lines_run_are_not_kept():
    places = {label: (-300.0 * at, 50.0 * (at % 2)) for at, label in enumerate("abcdef")}
    assert layout(diagram("a b c d e f", **places)) == layout(diagram("a b c d e f"))


def test_positions_of_a_tangle_are_not_kept():
    numbers = random.Random(0)
    labels = [f"n{number}" for number in range(400)]
    places = {label: (numbers.random() * 9000, numbers.random() * 9000) for label in labels}
    chain = " ".join(labels)
    assert layout(diagram(chain, **places)) == layout(diagram(chain))


def test_few_lines_that_lead_back_leave_positions_alone():
    places = {"a": (0.0, 0.0), "b": (300.0, 0.0), "c": (300.0, 120.0), "d": (0.0, 120.0)}
    found = layout(diagram("a b c d", "d a", **places)).boxes
    assert found["a"].x == found["d"].x < found["b"].x == found["c"].x


@pytest.mark.parametrize("type_", ["start", "START", "Start"])
def test_start_comes_first_however_its_type_is_written(type_):
    nodes = (NodeSpec(label="a", type="job"), NodeSpec(label="b", type=type_))
    edges = (Edge(source="a", target="b"), Edge(source="b", target="a"))
    assert rows(layout(Diagram(nodes=nodes, edges=edges))) == [["b", "a"]]


def test_no_node_stands_alone_in_a_row_of_a_long_flow():
    found = layout(diagram("start a b c d", "a c", "b d"))
    assert all(len(row) > 1 for row in rows(found))


@pytest.mark.parametrize(
    "positions",
    [
        {"a": (900, 900)},
        {"a": (50, 50), "b": (50, 50), "c": (50, 50)},
        {"a": (0, 0), "b": (float("nan"), 0), "c": (0, float("inf"))},
    ],
    ids=["partial", "all at one point", "no numbers"],
)
def test_positions_that_say_nothing_are_not_used(positions):
    assert layout(diagram("a b c", **positions)) == layout(diagram("a b c"))


def test_crossing_lines_never_seem_to_be_one():
    places = {"a": (0, 0), "b": (0, 100), "c": (250, 0), "d": (250, 100)}
    found = layout(diagram("a d", "b c", **places))
    assert found.routes[0].points[-1].y != found.routes[1].points[0].y
    assert found.routes[1].points[-1].y != found.routes[0].points[0].y


@pytest.mark.parametrize("seed", [0, 1, 4])
def test_thousand_nodes_are_laid_out_without_recursion(seed):
    numbers = random.Random(seed)
    chain = [f"n{number} n{number + 1}" for number in range(999)]
    tangle = [f"n{numbers.randrange(1000)} n{numbers.randrange(1000)}" for _ in range(500 * seed)]
    assert len(layout(diagram(*chain, *tangle)).boxes) == 1000


def dense(count: int, *, forward: bool = False, **edge: str) -> Diagram:
    """Every node joined to every other, or only to those after it."""
    pairs = [(a, b) for a in range(count) for b in range(count) if (a < b if forward else a != b)]
    nodes = tuple(NodeSpec(label=f"n{at}", type="job") for at in range(count))
    edges = tuple(Edge(source=f"n{a}", target=f"n{b}", **edge) for a, b in pairs)
    return Diagram(nodes=nodes, edges=edges)


@pytest.mark.parametrize("drawn", [dense(40), dense(60, forward=True)], ids=["all", "forward"])
def test_dense_lines_join_the_sides_of_their_boxes(drawn):
    found = layout(drawn)
    assert len(found.routes) == len(drawn.edges)
    for number, route in found.routes.items():
        assert touches(route.points[0], found.boxes[drawn.edges[number].source])
        assert touches(route.points[-1], found.boxes[drawn.edges[number].target])


def test_no_two_dense_lines_are_drawn_as_one():
    routes = layout(dense(40)).routes.values()
    assert len({route.points for route in routes}) == len(routes)


def test_boxes_with_dense_edges_stay_apart_and_inside():
    found = layout(dense(60))
    boxes = found.boxes.values()
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))
    points = [point for route in found.routes.values() for point in route.points]
    points += [Point(box.right, box.bottom) for box in boxes]
    assert all(0 <= x <= found.width and 0 <= y <= found.height for x, y in points)


def test_two_thousand_loops_at_one_node_all_have_lines():
    drawn = Diagram(
        nodes=(NodeSpec(label="a", type="job"),), edges=(Edge(source="a", target="a"),) * 2000
    )
    assert len({route.points for route in layout(drawn).routes.values()}) == 2000


def test_dense_diagram_always_gets_same_layout():
    assert layout(dense(40)) == layout(dense(40))


def test_line_named_as_its_handle_says_so_once():
    nodes = (NodeSpec(label="a", type="job"), NodeSpec(label="b", type="job"))
    edge = Edge(source="a", target="b", source_handle="error", label="error")
    (route,) = layout(Diagram(nodes=nodes, edges=(edge,))).routes.values()
    assert [tag.text for tag in route.tags] == ["error"]
