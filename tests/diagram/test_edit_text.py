"""What an edit changes in a file, and what it leaves as it was."""

import difflib
import re
from pathlib import Path
from textwrap import dedent, indent

import pytest

from dipeo_jupyter.diagram.edit import Document, apply
from dipeo_jupyter.diagram.edit.edits import (
    AddEdge,
    AddNode,
    AddPerson,
    MoveNode,
    RemoveEdge,
    RemoveNode,
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
from dipeo_jupyter.diagram.files import dumps, survey_text
from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Person, Position
from dipeo_jupyter.errors import DiagramError

FILES = sorted((Path(__file__).parent / "diagrams").glob("*.light.yaml"))
# A file whose nodes are a map gets a list with the first edit.
FILES = [path for path in FILES if not path.name.startswith("labels_as_keys")]
IDS = [path.name.partition(".")[0] for path in FILES]

TALK = dedent("""\
    # The evening talk.
    version: light

    nodes:
      # It begins.
      - label: start
        type:  start        # aligned
      - {label: ask, type: person_job, person: Kim}  # in one line

      - label: "tell"
        type: 'person_job'
        prompt: |  # what is said
          Tell {{ask}} all.

          Slowly.
        note: >
          folded text
          goes on
        config:
          # how often
          times: 3   # thrice
          words: [a,  b]
        person: Kim
    # The way.
    connections:
      - {from: start,  to: ask}
      - from: ask  # asked
        to: tell
        content_type: raw_text
    persons:
      Kim: &kim
        service: demo
        model: "demo"  # cheap
      Lu: *kim
    """)


def change(edit, text=TALK):
    """The lines that an edit removes (-) and adds (+)."""
    after = Document(text).apply(edit)
    assert survey_text(after.text).checked().diagram == apply(Document(text).diagram, edit)
    lines = difflib.ndiff(text.splitlines(), after.text.splitlines())
    return [line[0] + line[2:] for line in lines if line[0] in "-+"]


def prop(node, path, value):
    return SetProperty(node=node, path=path.split("."), value=value)


@pytest.mark.parametrize(
    ("edit", "lines"),
    [
        (
            prop("tell", "config.times", 4),
            ["-      times: 3   # thrice", "+      times: 4   # thrice"],
        ),
        (
            prop("tell", "config.words", ["a", "c"]),
            ["-      words: [a,  b]", "+      words: [a,  c]"],
        ),
        (prop("tell", "config.more", "x: y"), ['+      more: "x: y"']),
        (prop("tell", "person", "Lu"), ["-    person: Kim", "+    person: Lu"]),
        (prop("tell", "limit", 0), ["+    limit: 0"]),
        (
            prop("tell", "prompt", "Tell {{ask}} all.\n\nFast.\n"),
            ["-      Slowly.", "+      Fast."],
        ),
        (
            prop("tell", "note", "folded words goes on\n"),
            ["-      folded text", "+      folded words"],
        ),
        (
            prop("tell", "note", "folded text\n"),
            ["-      goes on"],
        ),
        (
            SetType(node="start", node_type="job"),
            ["-    type:  start        # aligned", "+    type:  job        # aligned"],
        ),
        (
            SetType(node="tell", node_type="it's"),
            ["-    type: 'person_job'", "+    type: 'it''s'"],
        ),
        (
            prop("ask", "person", "a, b"),
            [
                "-  - {label: ask, type: person_job, person: Kim}  # in one line",
                '+  - {label: ask, type: person_job, person: "a, b"}  # in one line',
            ],
        ),
        (
            prop("ask", "tools", ["x", 1]),
            [
                "-  - {label: ask, type: person_job, person: Kim}  # in one line",
                "+  - {label: ask, type: person_job, person: Kim, tools: [x, 1]}  # in one line",
            ],
        ),
        (
            RemoveProperty(node="ask", path=["person"]),
            [
                "-  - {label: ask, type: person_job, person: Kim}  # in one line",
                "+  - {label: ask, type: person_job}  # in one line",
            ],
        ),
        (RemoveProperty(node="tell", path=["person"]), ["-    person: Kim"]),
        (
            RemoveProperty(node="tell", path=["config", "times"]),
            ["-      times: 3   # thrice"],
        ),
        (
            RenameNode(node="tell", label="say"),
            ['-  - label: "tell"', '+  - label: "say"', "-    to: tell", "+    to: say"],
        ),
        (
            MoveNode(node="start", position=Position(x=1, y=2.5)),
            ["+    position: {x: 1, y: 2.5}"],
        ),
        (
            AddNode(node=NodeSpec(label="end", type="endpoint"), after="start"),
            ["+  - label: end", "+    type: endpoint"],
        ),
        (
            AddNode(node=NodeSpec(label="end", type="endpoint"), after="ask"),
            ["+  - {label: end, type: endpoint}"],
        ),
        (
            RemoveNode(node="start"),
            [
                "-  - label: start",
                "-    type:  start        # aligned",
                "-  - {from: start,  to: ask}",
            ],
        ),
        (
            AddEdge(edge=Edge(source="tell", target="ask", target_handle="first")),
            ["+  - from: tell", "+    to: ask[first]"],
        ),
        (RemoveEdge(index=0), ["-  - {from: start,  to: ask}"]),
        (
            SetEdge(index=1, edge=Edge(source="ask", target="tell", label="it")),
            ["-    content_type: raw_text", "+    label: it"],
        ),
        (
            SetEdge(index=0, edge=Edge(source="start", target="tell")),
            ["-  - {from: start,  to: ask}", "+  - {from: start,  to: tell}"],
        ),
        (
            AddPerson(label="Mo", person=Person(service="demo")),
            ["+  Mo:", "+    service: demo"],
        ),
        (
            RenamePerson(person="Lu", label="two words"),
            ["-  Lu: *kim", "+  two words: *kim"],
        ),
        (SetName(name="talk"), ["+name: talk"]),
        (SetDescription(description="on: off"), ['+description: "on: off"']),
    ],
)
def test_an_edit_changes_its_own_lines_only(edit, lines):
    assert sorted(change(edit)) == sorted(lines)


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
@pytest.mark.parametrize("last", [True, False])
def test_line_breaks_stay_as_they_are(ending, last):
    text = TALK.replace("\n", ending)
    text = text if last else text.removesuffix(ending)
    for edit in (prop("tell", "x", "a\nb"), AddPerson(label="Mo", person=Person(model="m"))):
        after = Document(text).apply(edit).text
        assert after.endswith(ending) is last
        assert after.count("\n") == after.count(ending) > text.count(ending)


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("p: plain  # c", "other", "p: other  # c"),
        ("p: plain  # c", "yes", 'p: "yes"  # c'),
        ("p: 'it''s'", "isn't", "p: 'isn''t'"),
        ('p: "a\\tb"', "a\tc", 'p: "a\\tc"'),
        ("p: 012", 12, "p: 12"),
        ("p:   # nothing", "some", "p: some   # nothing"),
        ("p: x  # c", "a\nb\n", "p: |  # c\n  a\n  b"),
        ("p: x  # c", {"a": 1}, "p:  # c\n  a: 1"),
        ("p:\n    a: 1\n    # c\n    b: 2", {"a": 1, "b": 3}, "p:\n    a: 1\n    # c\n    b: 3"),
        ("p:\n- a\n- b # c", ["a", "b", "x"], "p:\n- a\n- b # c\n- x"),
        ("p:\n- a\n- b # c", ["b"], "p:\n- b # c"),
        ("p: [a, b,  c]", ["a", "c"], "p: [a, c]"),
        ("p: |-\n     a\n     b", "a", "p: |-\n     a"),
        ("p: |  # c\n  a", " odd \n", 'p: " odd \\n"  # c'),
        ("p: >-\n  a\n  b", "c\nd", "p: >-\n  c\n\n  d"),
        ("p: {a: 1, # c\n  b: 2}", {"a": 5, "b": 2}, "p: {a: 5, # c\n  b: 2}"),
        ("q: &v old\np: *v", "new", "q: &v old\np: new"),
    ],
)
def test_values_keep_the_style_they_had(old, value, new):
    frame = "base: &base {p: 1}\nnodes:\n  - label: a\n    type: job\n{}\n    end: 1\n"
    before, after = (frame.replace("{}", indent(each, "    ")) for each in (old, new))
    assert Document(before).apply(prop("a", "p", value)).text == after


@pytest.mark.parametrize(
    ("arrow", "edge", "after"),
    [
        ("a -> b", Edge(source="a", target="b", label="x y"), "a -> b as x y"),
        (
            "a -> b",
            Edge(source="a", target="b", label="x (object)"),
            "{from: a, to: b, label: x (object)}",
        ),
        ("a->b.first  # c", Edge(source="b", target="b"), "b->b  # c"),
        (
            "a -> b",
            Edge(source="a", target="b", content_type="object"),
            "a -> b (object)",
        ),
    ],
)
def test_arrows_stay_arrows_while_they_can(arrow, edge, after):
    text = "nodes: [{label: a, type: job}, {label: b, type: job}]\nedges:\n  - {}\n"
    edited = Document(text.replace("{}", arrow)).apply(SetEdge(index=0, edge=edge))
    assert edited.text == text.replace("{}", after)


WAYS = dedent("""\
    # The review.
    nodes:
      - {label: start, type: start}
      - {label: draft, type: job}  # first
      - label: critique
        type: job
        prompt: "{{draft}}"
      - {label: done?, type: condition}
      - {label: end, type: endpoint}
    # The ways.
    edges:
      # in
      - start -> draft -> critique -> done? as verdict (raw_text)  # beside
      # back
      - 'done?.false -> draft  -> end'  # again
      - {from: done?.true,  to: end}
    """)
CHAIN = "-  - start -> draft -> critique -> done? as verdict (raw_text)  # beside"
BACK = "-  - 'done?.false -> draft  -> end'  # again"
CRITIQUE = ["-  - label: critique", "-    type: job", '-    prompt: "{{draft}}"']
STEP = {"source": "draft", "target": "critique"}


def set_step(**changes):
    """Another edge in the place of the second of three in a chain."""
    return SetEdge(index=1, edge=Edge(**STEP | changes))


@pytest.mark.parametrize(
    ("edit", "lines"),
    [
        (
            RenameNode(node="start", label="go"),
            [
                "-  - {label: start, type: start}",
                "+  - {label: go, type: start}",
                CHAIN,
                "+  - go -> draft -> critique -> done? as verdict (raw_text)  # beside",
            ],
        ),
        (
            RenameNode(node="critique", label="remarks"),
            [
                "-  - label: critique",
                "+  - label: remarks",
                CHAIN,
                "+  - start -> draft -> remarks -> done? as verdict (raw_text)  # beside",
            ],
        ),
        (
            RenameNode(node="done?", label="it's fine"),
            [
                "-  - {label: done?, type: condition}",
                '+  - {label: "it\'s fine", type: condition}',
                CHAIN,
                "+  - start -> draft -> critique -> it's fine as verdict (raw_text)  # beside",
                BACK,
                "+  - 'it''s fine.false -> draft  -> end'  # again",
                "-  - {from: done?.true,  to: end}",
                '+  - {from: "it\'s fine.true",  to: end}',
            ],
        ),
        (RemoveNode(node="critique"), [*CRITIQUE, CHAIN, "+  - start -> draft  # beside"]),
        (
            RemoveNode(node="draft"),
            [
                "-  - {label: draft, type: job}  # first",
                CHAIN,
                "+  - critique -> done? as verdict (raw_text)  # beside",
                BACK,
            ],
        ),
        (
            RemoveNode(node="end"),
            [
                "-  - {label: end, type: endpoint}",
                BACK,
                "+  - 'done?.false -> draft'  # again",
                "-  - {from: done?.true,  to: end}",
            ],
        ),
        (
            set_step(label="text"),
            [
                CHAIN,
                "+  - start -> draft -> critique as text  # beside",
                "+  - critique -> done? as verdict (raw_text)",
            ],
        ),
        (
            set_step(content_type="object", target_handle="first"),
            [
                CHAIN,
                "+  - start -> draft -> critique.first (object)  # beside",
                "+  - critique -> done? as verdict (raw_text)",
            ],
        ),
        (
            set_step(data={"x": 1}),
            [
                CHAIN,
                "+  - start -> draft  # beside",
                "+  - {from: draft, to: critique, data: {x: 1}}",
                "+  - critique -> done? as verdict (raw_text)",
            ],
        ),
        (
            SetEdge(index=2, edge=Edge(source="critique", target="done?")),
            [CHAIN, "+  - start -> draft -> critique -> done?  # beside"],
        ),
        (
            SetEdge(index=3, edge=Edge(source="done?", target="draft", source_handle="condtrue")),
            [BACK, "+  - 'done?.true -> draft  -> end'  # again"],
        ),
        (
            SetEdge(index=4, edge=Edge(source="critique", target="end")),
            [BACK, "+  - 'done?.false -> draft'  # again", "+  - 'critique  -> end'"],
        ),
        (
            RemoveEdge(index=1),
            [
                CHAIN,
                "+  - start -> draft  # beside",
                "+  - critique -> done? as verdict (raw_text)",
            ],
        ),
        (
            RemoveEdge(index=0),
            [CHAIN, "+  - draft -> critique -> done? as verdict (raw_text)  # beside"],
        ),
        (RemoveEdge(index=4), [BACK, "+  - 'done?.false -> draft'  # again"]),
        (
            AddEdge(edge=Edge(source="end", target="draft")),
            ["+  - {from: end, to: draft}"],
        ),
    ],
)
def test_edges_of_chains_are_edited_where_they_stand(edit, lines):
    assert sorted(change(edit, WAYS)) == sorted(lines)
    assert Document(WAYS).apply(edit).rewritten == "value"


def test_pieces_of_a_chain_follow_each_other():
    nodes = "nodes: [{label: a, type: job}, {label: b, type: job}]\n"
    text = f"{nodes}edges:\n- a -> b -> a -> b\n- b -> b\n"
    after = Document(text).apply(RemoveEdge(index=1))
    assert after.text == text.replace("- a -> b -> a -> b", "- a -> b\n- a -> b")


def test_a_new_edge_is_an_arrow_below_an_arrow():
    text = "nodes:\n- {label: a, type: job}\nedges:\n- 'a -> a -> a'  # c\n# end\n"
    edit = AddEdge(edge=Edge(source="a", target="a", target_handle="first", label="x"))
    assert change(edit, text) == ["+- 'a -> a.first as x'"]


def test_an_edge_put_back_into_its_chain_makes_it_whole():
    before = Document("nodes: [{label: a, type: job}]\nedges:\n  - a -> a.first -> a -> a  # c\n")
    edges = before.diagram.edges
    other = before.diagram.model_copy(update={"edges": (edges[0], *edges[2:])})
    split = before.replaced(other)
    assert split.text.endswith("edges:\n  - a -> a.first  # c\n  - a -> a\n")
    longer = before.diagram.model_copy(update={"edges": (*edges[:2], edges[1], *edges[2:])})
    assert before.replaced(longer).rewritten == "value"


def test_chains_in_one_line_stay_in_it():
    text = (
        "nodes: [{label: a, type: job}, {label: b, type: job}]\nedges: [a -> b -> a, b -> b] # c\n"
    )
    renamed = Document(text).apply(RenameNode(node="b", label="c d"))
    assert renamed.text.splitlines()[1] == "edges: [a -> c d -> a, c d -> c d] # c"
    named = Document(text).apply(SetEdge(index=0, edge=Edge(source="a", target="b", label="x")))
    assert named.text.splitlines()[1] == "edges: [a -> b as x, b -> a, b -> b] # c"


INSIDE = dedent("""\
    nodes:
      # one
      - label: begin
        type: start
        arrows:
          # mail
          - {to: sort, label: mail}  # beside
          - begin -> sort -> end
      - label: sort  # them
        type: job
        connections:
          - to: end
      - {label: end, type: endpoint}
    """)


@pytest.mark.parametrize(
    ("edit", "lines", "rewritten"),
    [
        (
            RenameNode(node="begin", label="go"),
            [
                "-  - label: begin",
                "+  - label: go",
                "-      - begin -> sort -> end",
                "+      - go -> sort -> end",
            ],
            "value",
        ),
        (prop("sort", "limit", 1), ["+    limit: 1"], "value"),
        (
            SetEdge(index=0, edge=Edge(source="end", target="sort")),
            [
                "-      - {to: sort, label: mail}  # beside",
                "+      - {to: sort, from: end}  # beside",
            ],
            "value",
        ),
        (
            SetEdge(index=3, edge=Edge(source="sort", target="end", data={"x": 1})),
            [
                "-      - to: end",
                "+      - from: sort",
                "+        to: end",
                "+        data:",
                "+          x: 1",
            ],
            "entry",
        ),
        (
            RemoveEdge(index=3),
            ["-    connections:", "-      - to: end"],
            "value",
        ),
        (
            AddEdge(edge=Edge(source="end", target="sort")),
            ["+connections:", "+  - from: end", "+    to: sort"],
            "value",
        ),
    ],
)
def test_edges_inside_of_nodes_stay_there(edit, lines, rewritten):
    assert sorted(change(edit, INSIDE)) == sorted(lines)
    assert Document(INSIDE).apply(edit).rewritten == rewritten


def test_a_node_written_anew_takes_its_edges_along():
    # `arrows` is a property here, and so has to stand in `props`.
    after = Document(INSIDE).apply(prop("begin", "arrows", 1))
    assert after.rewritten == "entry"
    assert after.text.startswith("nodes:\n  # one\n  - label: begin\n")
    assert "    arrows:\n      - to: sort\n        label: mail\n" in after.text
    assert after.text.partition("  - label: sort")[2] == INSIDE.partition("  - label: sort")[2]


def test_each_part_is_written_as_finely_as_it_can_be():
    # The edge cannot be renamed where it stands: the list is another one's.
    text = dedent("""\
        ways: &ways [{from: a, to: b}]
        nodes:
          # one
          - {label: a, type: job}  # first
          - {label: b, type: job}
        edges: *ways
        persons:
          # all
          Kim: {service: demo}
        """)
    after = Document(text).apply(RenameNode(node="a", label="c"))
    assert after.rewritten == "section"
    assert after.text == text.replace("label: a,", "label: c,").replace(
        "edges: *ways", "edges:\n  - from: c\n    to: b"
    )


def test_arrows_that_a_new_label_would_change_are_spelled_otherwise():
    text = dedent("""\
        nodes:
          - {label: a, type: job}
        edges:  # all
          - a -> a.first -> a  # one
          - a -> a  # two
          - {from: a.first, to: a}  # three
        """)
    after = Document(text).apply(AddNode(node=NodeSpec(label="a.first", type="job")))
    assert after.rewritten == "entry"
    assert after.text.partition("edges:")[2].splitlines() == [
        "  # all",
        "  - a -> a[first] -> a  # one",
        "  - a -> a  # two",
        '  - {from: "a[first]", to: a}  # three',
    ]


def test_a_name_of_some_lines_leaves_comments_below_it():
    text = "name: tea  # c\n  # below\nnodes: []\n"
    after = Document(text).apply(SetName(name="a\nb"))
    assert after.text == text.replace("tea", '"a\\nb"')


PROPS = """\
nodes:
  - label: a
    type: job
    props:  # all of them
      one: 1
      two: 2
"""


def test_new_properties_stand_where_the_others_do():
    assert change(prop("a", "three", 3), PROPS) == ["+      three: 3"]
    assert change(prop("a", "one", 5), PROPS) == ["-      one: 1", "+      one: 5"]


def test_dotted_keys_stay_dotted():
    text = "nodes:\n  - {label: a, type: job}\n  - label: b\n    type: job\n    x.y: 1\n"
    assert change(prop("b", "x.y", 2), text) == ["-    x.y: 1", "+    x.y: 2"]
    assert change(prop("b", "x.z", 2), text) == ["+    x.z: 2"]


def test_a_property_whose_name_has_dots_is_changed_where_it_stands():
    text = "nodes:\n  - label: a\n    type: job\n    props:\n      x.y: 1  # c\n"
    edit = SetProperty(node="a", path="x.y", value=2)
    assert change(edit, text) == ["-      x.y: 1  # c", "+      x.y: 2  # c"]


def test_maps_on_the_way_are_written_below_the_other_properties():
    text = "nodes:\n  # one\n  - label: a\n    type: job\n    n: 'q'  # c\n"
    edit = SetProperty(node="a", path=("retry", "max_attempts"), value=5)
    assert change(edit, text) == ["+    retry:", "+      max_attempts: 5"]


BESIDE = dedent("""\
      - label: other  # beside
        type: 'job'
        # above
        prompt: "{{con}}"
        config: {k: 'v',  l: [a,  b]}
      - {label: con, type: job}
    edges:
      - con -> other  # way
    """)


def with_node(*lines):
    node = ["- label: pro", "  type: 'job'  # pro", *(f"  {line}" for line in lines)]
    return "nodes:\n" + indent("\n".join(node), "  ") + "\n" + BESIDE


def contra(text):
    return re.sub(r"\bcon\b", "contra", text)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "lines",
    [
        ["default_prompt: |", "  Be short.   ", "  Then {{con}}."],
        ["default_prompt: |", "  Then {{con}}.", "  Be short.   "],
        ["default_prompt: |  # c", "  Then {{con}}.   ", "", "# below"],
        ["default_prompt: |-", "  Then {{con}}", "    "],
        ["default_prompt: |", "  {{con}}", "  ", "  and {{con}} ", "    ", " ", "n: 'q'"],
        ["default_prompt: >", "  Then", "  {{con}}", "    deeper  ", "  more   "],
        ["default_prompt: >-  # c", "  {{con}}, {{con}}", "  {{con}}   "],
        ["default_prompt: |2", "  Then {{con}}.  "],
        ["tools:", "  - |", "    {{con}}  ", "  - 'q'  # c"],
    ],
)
def test_a_renamed_node_changes_nothing_else_in_blocks_of_text(lines, ending):
    text = with_node(*lines).replace("\n", ending)
    after = Document(text).apply(RenameNode(node="con", label="contra"))
    assert after.text == contra(text)
    assert after.rewritten == "value"


def test_edges_that_name_a_changed_id_name_the_label_instead():
    text = dedent("""\
        nodes:
          - {id: a1, label: a, type: job}  # a
          - {id: b1, label: b, type: job}  # b
        connections:
          # way
          - {from: a, to: b1, label: x}  # w
          - {from: a,  to: a}  # v
        """)
    after = Document(text).apply(SetProperty(node="b", path="id", value="b2"))
    assert after.text == text.replace("id: b1", "id: b2").replace("to: b1", "to: b")
    assert after.rewritten == "entry"


def test_a_long_new_word_breaks_folded_lines_anew():
    label = (
        "a_label_that_takes_nearly_a_whole_line_by_itself_and_leaves_no_room_for_words_beside_it"
    )
    after = Document(with_node("note: >  # c", "  Then {{con}} and more.")).apply(
        RenameNode(node="con", label=label)
    )
    broken = with_node("note: >  # c", "  Then", "  {{con}}", "  and more.")
    assert after.text == re.sub(r"\bcon\b", label, broken)


def test_a_value_that_cannot_be_spliced_takes_its_own_entry_only():
    text = with_node("deep.er.most: '{{con}}'  # c", "n: 'q'")
    after = Document(text).apply(RenameNode(node="con", label="contra"))
    written = with_node("deep:", "  er:", '    most: "{{con}}"', '"n": q')
    assert after.text == contra(written).replace("'job'  # pro", "job")
    assert after.rewritten == "entry"


def test_other_users_of_an_anchor_keep_its_value():
    edited = Document(TALK).apply(SetPersonField(person="Kim", field="model", value="big"))
    persons = edited.diagram.persons
    assert (persons["Kim"].model, persons["Lu"].model) == ("big", "demo")
    assert edited.rewritten == "entry"
    assert edited.text.partition("persons:")[0] == TALK.partition("persons:")[0]


def test_aliases_of_a_removed_anchor_are_written_out():
    text = dedent("""\
        nodes:
          # first
          - label: a
            type: job
            config: &config {k: 1}
          # second
          - label: b
            type: job
            config: *config
        """)
    after = Document(text).apply(RemoveNode(node="a"))
    assert after.text.splitlines()[:3] == ["nodes:", "  # first", "  # second"]
    assert after.diagram.nodes[0].props == {"config": {"k": 1}}


def test_what_a_merge_brings_is_hidden_and_never_changed():
    text = "d: &d {type: job, n: 1}\nnodes:\n  - <<: *d\n    label: a\n  - {<<: *d, label: b}\n"
    assert change(prop("a", "n", 2), text) == ['+    "n": 2']
    after = Document(text).apply(RemoveProperty(node="a", path=["n"]))
    assert [node.props for node in after.diagram.nodes] == [{}, {"n": 1}]


def test_older_names_of_fields_stay():
    text = "nodes: []\npersons:\n  Kim:\n    systemPrompt: old\n    maxTokens: 3\n"
    edit = SetPersonField(person="Kim", field="system_prompt", value="new")
    assert change(edit, text) == ["-    systemPrompt: old", "+    systemPrompt: new"]
    edit = RemovePersonField(person="Kim", field="max_tokens")
    assert change(edit, text) == ["-    maxTokens: 3"]


def test_lists_that_empty_and_fill_keep_their_comments():
    text = "nodes:  # all\n  # one\n  - label: a\n    type: job\n# end\n"
    empty = Document(text).apply(RemoveNode(node="a"))
    assert empty.text == "nodes: []  # all\n  # one\n# end\n"
    full = empty.apply(AddNode(node=NodeSpec(label="a", type="job")))
    assert full.text == "nodes:  # all\n  - label: a\n    type: job\n  # one\n# end\n"


def test_missing_sections_are_added_at_the_end():
    text = "nodes: [{label: a, type: job}]  # one\n"
    document = Document(text).apply(
        AddEdge(edge=Edge(source="a", target="a")),
        AddPerson(label="Kim", person=Person(service="demo")),
    )
    added = "connections:\n  - from: a\n    to: a\npersons:\n  Kim:\n    service: demo\n"
    assert document.text == text + added


def test_ends_keep_their_spelling_with_a_new_label():
    text = (
        "nodes:\n- {label: a b, type: job}\nconnections:\n- {from: a_b_condtrue, to: a b.first}\n"
    )
    after = Document(text).apply(RenameNode(node="a b", label="c"))
    assert after.text.endswith('- {from: "c[condtrue]", to: c.first}\n')


def test_edges_whose_text_gets_another_meaning_are_written_anew():
    text = "nodes:\n- {label: a b, type: job}\nconnections:\n- {from: a_b, to: a b}\n"
    after = Document(text).apply(AddNode(node=NodeSpec(label="a_b", type="job")))
    assert str(after.diagram.edges[0]) == "a b -> a b"
    assert survey_text(after.text).checked().diagram == after.diagram


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_a_new_value_in_one_line_changes_one_line(path):
    document = Document(path.read_bytes().decode(), path.name)
    for node in document.diagram.nodes:
        for name, value in node.props.items():
            # Edges of older files name nodes by their ids.
            if isinstance(value, str) and "\n" not in value and name != "id":
                after = document.apply(SetProperty(node=node.label, path=[name], value="other"))
                counts = difflib.ndiff(document.text.splitlines(), after.text.splitlines())
                changed = "".join(line[0] for line in counts if line[0] in "-+")
                # What an anchor or merge brings is written beside it.
                assert changed in ("-+", "+"), (node.label, name)


def test_an_edit_that_changes_nothing_leaves_the_text():
    assert Document(TALK).apply(prop("tell", "person", "Kim")).text == TALK


def test_numbers_and_truths_that_compare_equal_are_different_values():
    text = "nodes:\n  - label: a\n    type: job\n    n: 1\n"
    assert change(prop("a", "n", True), text) == ["-    n: 1", "+    n: true"]


def test_several_edits_are_made_one_after_the_other():
    first, second = RenameNode(node="ask", label="q"), prop("q", "person", "Lu")
    assert Document(TALK).apply(first, second) == Document(TALK).apply(first).apply(second)


def test_a_text_with_errors_is_not_edited():
    with pytest.raises(DiagramError, match="has no `type`"):
        Document("nodes:\n  - label: a\n").apply(SetName(name="n"))


@pytest.mark.parametrize("format_", ["native", "readable"])
def test_other_formats_are_written_anew(format_):
    before = Diagram(
        nodes=[NodeSpec(label="a", type="start"), NodeSpec(label="b", type="endpoint")],
        edges=[Edge(source="a", target="b")],
    )
    name = {"native": "x.native.json", "readable": "x.readable.yaml"}[format_]
    document = Document(dumps(before, format_), name)
    after = document.apply(prop("b", "file_path", "out.txt"))
    assert survey_text(after.text, name).checked().diagram == after.diagram
    assert after.diagram == apply(document.diagram, prop("b", "file_path", "out.txt"))
