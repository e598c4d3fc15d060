"""What native JSON of all eras means, and what is wrong with it."""

import json
import re
from pathlib import Path

import pytest

from dipeo_jupyter.diagram.model import Edge, Position
from dipeo_jupyter.diagram.native import survey

EXAMPLES = Path(__file__).parent / "diagrams"
NODES = [
    {"id": "n_1", "type": "start", "data": {"label": "start"}},
    {"id": "n_2", "type": "condition", "data": {"label": "done"}},
]


def read(**parts):
    return survey(json.dumps({"nodes": NODES} | parts, indent=1))


def example(name):
    return survey((EXAMPLES / name).read_text()).checked().diagram


def one_edge(source, target="n_2", **parts):
    reading = read(arrows=[{"source": source, "target": target}], **parts).checked()
    return reading.diagram.edges[0]


def one_problem(text):
    (problem,) = survey(text).problems
    return problem


def test_maps_by_id_become_nodes_with_labels():
    nodes = example("canvas_loop.native.json").nodes
    assert [node.label for node in nodes] == ["Begin", "Guess", "Enough", "Guess~1"]
    assert nodes[0].position == Position(x=10, y=40.5)
    assert nodes[0].props == {"flipped": True}


def test_arrows_of_every_grammar_find_their_handles():
    edges = example("canvas_loop.native.json").edges
    assert edges == (
        Edge(
            source="Begin",
            target="Guess",
            target_handle="first",
            label="topic",
            content_type="raw_text",
        ),
        Edge(source="Guess", target="Enough"),
        Edge(source="Enough", source_handle="condtrue", target="Guess~1", data={"bend": 4}),
        Edge(source="Enough", source_handle="condfalse", target="Guess"),
    )


def test_person_s_forgetting_becomes_the_memory_of_its_jobs():
    diagram = example("canvas_loop.native.json")
    assert diagram.nodes[1].props["personId"] == "Guesser"
    assert diagram.nodes[1].props["memory"] == "on_every_turn"
    assert diagram.persons["Guesser"].model_dump(exclude_unset=True) == {
        "service": "openai",
        "model": "gpt-4.1-nano",
        "api_key_id": "K1",
        "system_prompt": "Be bold",
    }


def test_nodes_are_referred_to_by_label():
    assert example("canvas_loop.native.json").nodes[2].props["node_indices"] == ["Guess"]


def test_values_of_keys_are_never_kept():
    diagram = example("canvas_loop.native.json")
    assert diagram.extra["apiKeys"] == {"K1": {"label": "mine", "service": "openai"}}
    assert "sk-" not in diagram.model_dump_json()


def test_rest_of_the_metadata_is_extra():
    diagram = example("canvas_loop.native.json")
    assert (diagram.name, diagram.description) == ("Guessing", "Three tries")
    assert diagram.extra["metadata"] == {"author": "somebody"}


def test_newest_form_reads_with_lists_and_typenames():
    diagram = example("newest_form.native.json")
    assert diagram.nodes[1].props == {
        "person": "Ann",
        "ignore_person": "Ben, nobody",
        "memory_person": "Ben",
        "default_prompt": "Hello",
    }
    assert str(diagram.edges[0]) == "Begin -> Ask[first]"
    assert diagram.edges[0].data == {"packing": "pack"}
    assert diagram.persons["Ann"].model == "echo"


@pytest.mark.parametrize(
    ("source", "handle"),
    [
        ("n_1", "default"),
        ("n_1:output", "default"),
        ("n_1_default_output", "default"),
        ("n_1:true", "condtrue"),
        ("n_1_false_output", "condfalse"),
        ("n_1_my_own_output", "my_own"),
    ],
)
def test_source_without_listed_handle_is_split_from_the_right(source, handle):
    edge = one_edge(source)
    assert (edge.source, edge.source_handle) == ("start", handle)


def test_listed_handle_goes_before_what_its_id_looks_like():
    handles = [{"id": "n_1", "node_id": "n_2", "label": "condtrue", "direction": "output"}]
    assert one_edge("n_1", "n_2", handles=handles).source == "done"


def test_label_that_another_node_has_is_not_given_again():
    labels = ["a", "a", "a~1"]
    nodes = [{"id": str(i), "type": "x", "data": {"label": each}} for i, each in enumerate(labels)]
    assert [node.label for node in read(nodes=nodes).diagram.nodes] == ["a", "a~2", "a~1"]


def test_node_without_label_is_called_by_its_id():
    assert read(nodes=[{"id": "n", "type": "x", "data": {}}]).diagram.nodes[0].label == "n"


def test_unknown_top_level_entries_are_extra():
    assert read(theme="dark").diagram.extra == {"theme": "dark"}


def test_light_diagram_as_json_is_read_as_light():
    text = '{"version": "light", "nodes": [{"label": "a", "type": "start"}]}'
    assert survey(text).checked().diagram.nodes[0].label == "a"


def test_arrow_to_nowhere_is_named_with_the_nearest_node():
    reading = read(arrows=[{"source": "n_1", "target": "n_22"}])
    (problem,) = reading.problems
    assert problem.code == "unknown_node"
    assert "Did you mean 'n_2'?" in str(problem)
    assert '"target": "n_22"' in reading.source.text.splitlines()[problem.line - 1]
    assert reading.diagram.edges == ()


def test_arrow_may_not_begin_at_an_input():
    handles = [{"id": "h", "node_id": "n_1", "label": "default", "direction": "input"}]
    (problem,) = read(arrows=[{"source": "h", "target": "n_2"}], handles=handles).problems
    assert (problem.code, problem.path) == ("bad_connection", ("edges", 0, "source"))


def test_unknown_person_is_a_warning_with_the_nearest_name():
    nodes = [{"id": "n", "type": "person_job", "data": {"label": "ask", "person": "Anna"}}]
    reading = read(nodes=nodes, persons=[{"id": "p", "label": "Ann"}])
    (problem,) = reading.problems
    assert (problem.code, problem.severity) == ("unknown_person", "warning")
    assert "'Ann'" in problem.hint
    assert reading.diagram.nodes[0].props["person"] == "Anna"


def test_two_nodes_with_one_id_are_refused():
    (problem,) = read(nodes=[NODES[0], NODES[0]]).problems
    assert problem.code == "duplicate_id"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_a_diagram"),
        ("[]", "not_a_diagram"),
        ('{"name": "a package"}', "not_a_diagram"),
        ('{"nodes": 5}', "not_a_diagram"),
        ('{"format": "executable", "nodes": []}', "unknown_version"),
    ],
)
def test_what_is_no_diagram_is_refused_with_a_place(text, code):
    problem = one_problem(text)
    assert (problem.code, problem.line) == (code, 1)
    assert problem.hint


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('{"nodes": [\n {"id": "a",\n', (2, 13), "`{` on line 2 is not closed. `}]}` is missing"),
        ('{"nodes": [\n {"id": "a', (2, 9), "never closed"),
        ('{"nodes": [],\n}', (1, 13), "comma stands after the last entry"),
        ('{"nodes": [1,]}', (1, 13), "comma stands after the last entry"),
        ("{'nodes': []}", (1, 2), "Single quotes"),
        ('{\n// here\n"nodes": []}', (2, 1), "no comments"),
        ('{"nodes": [] # here\n}', (1, 14), "no comments"),
        ("{nodes: []}", (1, 2), "double quotes"),
        ('{"nodes" []}', (1, 10), "colon is missing"),
        ('{"nodes": []\n "arrows": []}', (2, 2), "comma is missing"),
        ('{"nodes": True}', (1, 11), "`true`"),
        ('{"nodes": }', (1, 11), "value is missing"),
        ('{"nodes": 012}', (1, 12), "begin with a zero"),
        ('{"nodes": "a\nb"}', (1, 13), "line break"),
        (r'{"nodes": "\d"}', (1, 12), "no such escape"),
        ('{"nodes": []} {}', (1, 15), "after the end"),
        ('{"nodes": [],\n "x": [1, NaN]}', (2, 11), "NaN"),
        ('{"nodes": [],\n "x": [{}, "\\ud800"]}', (2, 12), "half a character"),
    ],
)
def test_wrong_json_is_explained_where_it_stands(text, place, words):
    problem = one_problem(text)
    assert (problem.code, problem.line, problem.column) == ("json_syntax", *place)
    assert words in str(problem)


def test_key_that_stands_twice_is_named_with_both_lines():
    problem = one_problem('{"nodes": [],\n "x": {"a": 1,\n  "b": {"a": 2},\n  "\\u0061": 3}}')
    assert (problem.code, problem.line, problem.column) == ("duplicate_key", 4, 3)
    assert "on line 2" in problem.message


@pytest.mark.parametrize("number", ["1e999999", "-1e999999", "9" * 5000])
def test_number_that_cannot_be_kept_is_refused(number):
    problem = one_problem(f'{{"nodes": [],\n"x": [0, {number}]}}')
    assert (problem.code, problem.line, problem.column) == ("bad_value", 2, 10)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000,
        '{"a":' * 10_000,
        '{"nodes": ' + "[" * 42 + "]" * 42 + "}",
        '{"nodes": [' + " " * 20_000_000 + "]}",
        '{"nodes": [' + "{}," * 1_000_001 + "{}]}",
    ],
    ids=["lists", "maps", "just", "long", "many"],
)
def test_too_deep_or_too_large_text_is_refused(text):
    assert one_problem(text).code == "too_large"


def test_hostile_ends_are_refused_without_delay():
    long = "_" * 1_000_000
    reading = read(arrows=[{"source": f"{long}_output", "target": long.replace("_", ":")}])
    assert [problem.code for problem in reading.problems] == ["unknown_node"] * 2


def test_places_of_parts_are_found_by_label():
    text = (EXAMPLES / "canvas_loop.native.json").read_text()
    source = survey(text).source
    for path, words in {
        ("nodes", "Guess~1"): '"n_4"',
        ("nodes", "Guess", "maxIteration"): '"maxIteration"',
        ("edges", 1, "source_handle"): '"source": "n:2"',
        ("persons", "Guesser", "system_prompt"): '"systemPrompt"',
        ("name",): '"name"',
    }.items():
        line, column = source.place_of(*path)
        assert re.match(re.escape(words), text.splitlines()[line - 1][column - 1 :])
