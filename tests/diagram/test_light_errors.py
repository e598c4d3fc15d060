"""What is wrong with a light file is said at once, with its line and what to do."""

import pytest

from dipeo_jupyter.diagram.light import loads
from dipeo_jupyter.errors import DiagramError

NODES = "nodes:\n- {label: start, type: start}\n- {label: argue, type: person_job}\n"


def problems_of(text):
    with pytest.raises(DiagramError) as caught:
        loads(text)
    return caught.value.problems


def one_problem(text):
    (problem,) = problems_of(text)
    return problem


@pytest.mark.parametrize("text", ["", "# only a comment", "- a\n- b", "just text", "12"])
def test_diagram_must_be_a_map(text):
    problem = one_problem(text)
    assert (problem.code, problem.line) == ("not_a_diagram", 1)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("version: light", 1, "There are no `nodes`"),
        ("version: light\nnodes:", 2, "There are no `nodes`"),
        ("version: light\nnodes: five", 2, "not text"),
        ("version: light\nnodes:\n -label: a", 2, "space after each dash"),
    ],
)
def test_nodes_must_be_a_list_in_the_light_format(text, line, words):
    problem = one_problem(text)
    assert (problem.code, problem.line) == ("not_a_diagram", line)
    assert words in str(problem)


@pytest.mark.parametrize("version", ["readable", "99", "[]"])
def test_version_of_another_format_is_unknown(version):
    problem = one_problem(f"name: x\nversion: {version}\nnodes: []")
    assert (problem.code, problem.line) == ("unknown_version", 2)
    assert "not the light format" in problem.message


@pytest.mark.parametrize(
    ("node", "code", "words"),
    [
        ("{type: job}", "missing_label", "Write `label: …`"),
        ("{label: , type: job}", "missing_label", "no `label`"),
        ("{label: '  ', type: job}", "missing_label", "no `label`"),
        ("{label: x}", "missing_type", "The node 'x' has no `type`"),
        ("{label: x, type: ''}", "missing_type", "has no `type`"),
        ("{label: 5, type: job}", "bad_value", "`label` must be text, not a number. Put it in qu"),
        ("{label: 0, type: job}", "bad_value", "`label` must be text, not a number"),
        ("{label: x, type: [job]}", "bad_value", "`type` must be text, not a list"),
        ('{label: "a\\nb", type: job}', "bad_label", "contains a control character"),
        ('{label: "a\\u202eb", type: job}', "bad_label", "contains a control character"),
        (f"{{label: {'x' * 201}, type: job}}", "bad_label", "more than 200 characters"),
        ("{label: x, type: job, position: 5}", "bad_value", "`position` must be a map"),
        ("{label: x, type: job, position: {x: 1}}", "bad_value", "`position.y` is missing"),
        (
            "{label: x, type: job, position: {x: a, y: 1}}",
            "bad_value",
            "must be a number, not text",
        ),
        ("{label: x, type: job, props: 5}", "bad_value", "`props` must be a map, not a number"),
        ("{label: x, type: job, a: 1, a.b: 2}", "bad_value", "`a.b` and another entry exclude"),
        ("label:x", "bad_value", "Put a space after the colon"),
    ],
)
def test_wrong_node_is_named_with_its_line(node, code, words):
    problem = one_problem(f"{NODES}- {node}")
    assert (problem.code, problem.line) == (code, 4)
    assert words in str(problem)


def test_colon_without_space_in_a_position_is_explained():
    *_, problem = problems_of(f"{NODES}- {{label: x, type: job, position: {{x: 1, y: 2, z:3}}}}")
    assert str(problem) == "line 4: `position.z:3` is unknown here. Put a space after the colon."


def test_duplicate_label_names_both_lines_and_a_free_one():
    problem = one_problem(f"{NODES}- {{label: argue~1, type: job}}\n- {{type: job, label: argue}}")
    assert (problem.code, problem.line, problem.column) == ("duplicate_label", 5, 15)
    assert "on line 3" in problem.message
    assert "'argue~2'" in problem.hint


@pytest.mark.parametrize(
    ("connection", "code", "words"),
    [
        ("{to: argue}", "bad_connection", "A connection without `from`"),
        ("{from: argue}", "bad_connection", "A connection without `to`"),
        ("12", "bad_connection", "not a connection"),
        ("start", "bad_connection", "not a connection"),
        ("start -> -> argue", "bad_connection", "not a connection"),
        ("start -> argue -> strat", "unknown_node", "Did you mean 'start'?"),
        ("start --> argue", "unknown_node", "An arrow is written `->`."),
        ("{source: start, target: argue/first/x}", "unknown_node", "no node has this label"),
        ("{from: start, to: argeu}", "unknown_node", "'argeu', but no node has this label"),
        ("{from: start, to: argeu}", "unknown_node", "Did you mean 'argue'?"),
        ("{from: 'stat[default]', to: argue}", "unknown_node", "Did you mean 'start'?"),
        ("{from: Start_first, to: argue}", "unknown_node", "'Start'"),
        ("start -> nobody", "unknown_node", "There is 'start', 'argue'."),
        ("{from: first, to: argue}", "unknown_node", "'first', but"),
        ("{from: 5, to: argue}", "bad_value", "`from` must be text, not a number"),
        ("{from: start, to: argue, label: 5}", "bad_value", "`label` must be text. not a number"),
        ("{from: start, to: argue, type: []}", "bad_value", "`content_type` must be text"),
        ("{from: start, to: argue, data: 5}", "bad_value", "`data` must be a map, not a number"),
    ],
)
def test_wrong_connection_is_named_with_its_line(connection, code, words):
    problem = one_problem(f"{NODES}connections:\n- start -> argue\n- {connection}")
    assert (problem.code, problem.line) == (code, 6)
    assert words.replace(". not", ", not") in str(problem)


def test_connections_must_be_a_list():
    problem = one_problem(f"{NODES}connections: {{from: start, to: argue}}")
    assert (problem.code, problem.line) == ("bad_value", 4)


def test_edge_to_a_node_with_another_fault_is_no_fault():
    text = "nodes:\n- {label: start, type: start}\n- {label: x}\nedges: [start -> x]"
    assert one_problem(text).code == "missing_type"


def test_misplaced_field_among_persons_blames_the_indentation():
    text = f"{NODES}persons:\n  Ann:\n    service: demo\n  api_key_id: KEY"
    problem = one_problem(text)
    assert (problem.code, problem.line) == ("bad_person", 7)
    assert "'api_key_id' must be a map of fields, not text. Its indentation" in str(problem)


@pytest.mark.parametrize(
    ("persons", "code", "line"),
    [
        ("\n- {service: demo}", "bad_person", 5),
        ("\n- Ann", "bad_person", 5),
        ("\n- Ann: {model: demo}\n- {name: Ann}", "bad_person", 6),
        (" 5", "bad_value", 4),
        ("\n  Ann:", "bad_person", 5),
        ("\n  Ann: {service: demo, model: 4}", "bad_value", 5),
        ("\n  Ann:\n    service: demo\n    model:\n    - x", "bad_value", 7),
        ('\n  "a\\tb": {model: demo}', "bad_person", 5),
    ],
)
def test_wrong_persons_are_named_with_their_line(persons, code, line):
    problem = one_problem(f"{NODES}persons:{persons}")
    assert (problem.code, problem.line) == (code, line)


@pytest.mark.parametrize("key", ["name", "description"])
def test_name_and_description_must_be_text(key):
    problem = one_problem(f"{NODES}{key}: 2024")
    assert str(problem) == f"line 4: `{key}` must be text, not a number. Put it in quotes."


def test_all_problems_are_told_at_once_in_order():
    text = f"persons: {{Ann: x}}\n{NODES}- {{label: start}}\n- 7\nconnections:\n- to: argeu"
    codes = ["bad_person", "duplicate_label", "missing_type", "bad_value"]
    found = [(problem.line, problem.code) for problem in problems_of(text)]
    assert [code for _, code in found] == [*codes, "bad_connection", "unknown_node"]
    assert [line for line, _ in found] == [1, 5, 5, 6, 8, 8]


def test_problem_leads_to_the_node_and_property():
    problem = one_problem(f"{NODES}- {{label: x, type: job, position: {{x: 1, y: down}}}}")
    assert problem.node == "x"
    assert problem.path == ("nodes", "x", "position", "y")
    assert (problem.line, problem.column) == (4, 42)


def test_a_thousand_problems_are_not_all_told():
    connections = "\n".join(f"- a{i} -> b{i}" for i in range(500))
    assert len(problems_of(f"{NODES}edges:\n{connections}")) == 50
