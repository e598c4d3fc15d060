"""What is wrong with a readable file is said at once, with its place and what to do."""

import pytest

from dipeo_jupyter.diagram.readable import survey

NODES = "version: readable\nnodes:\n- start: {type: start}\n- argue now: {type: person_job}\n"


def one_problem(text):
    (problem,) = survey(text).problems
    return problem


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "A diagram is a map"),
        ("- a", 1, "not a list. Begin with `version: readable`"),
        ("version: readable", 1, "There are no `nodes`"),
        ("name: x\nnodes: five", 2, "`nodes` must be a list, not text"),
        ("nodes: []\nversion: light", 2, "not the readable format, but `version: light`"),
        ("nodes: []\nformat: native", 2, "not the readable format, but `format: native`"),
        ("nodes: []\nworkflow: []", 2, "exclude each other"),
    ],
)
def test_text_that_is_no_readable_diagram_is_refused(text, line, words):
    problem = one_problem(text)
    assert (problem.code, problem.line) == ("not_a_diagram", line)
    assert words in str(problem)


@pytest.mark.parametrize("section", ["connections", "edges"])
def test_connections_of_the_light_format_are_not_lost_unnoticed(section):
    problem = one_problem(f"{NODES}{section}: [start -> argue now]")
    assert (problem.code, problem.line) == ("bad_connection", 5)
    assert "they stand in `flow`" in str(problem)


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ('go to "start"', '`go to "start"` is not understood'),
        ('to "start" for "x"', '`for "x"` is not understood'),
        ('to "start" form "x"', "Did you mean `from`?"),
        ('to "start", to "argue now"', '`, to "argue now"` is not understood'),
        ('to "start"x', "`x` is not understood"),
        ('to "start" "x"', '`"x"` is not understood'),
        ("to argue now as raw_text", "`now as raw_text` is not understood"),
        ("to argue now", "Names of several words need double quotes"),
        ('to "start" to "start"', "`to` stands twice"),
        ('from "_condtrue"', "`to` is missing"),
        ('to "start" as', "Nothing stands after `as`"),
        ('to "start', "The quote after `to` is not closed"),
        (r'to "C:\q"', "The text after `to` contains a backslash that means nothing"),
        (r'to "start" as "\ud800"', "The text after `as` contains a backslash"),
        ("{to: start, name: x}", "`name` is not understood in this connection. Did you mean `nam"),
        ("{to: start, label: x}", "Did you mean `naming`?"),
        ("{to: start, zzz: x}", "There is from, to, in, as, naming and data."),
        ("{in: _first}", "`to` is missing. Write"),
        ("12", "A connection is a sentence, not a number"),
        ("", "A connection is a sentence, not nothing"),
    ],
)
def test_part_of_a_sentence_that_is_not_understood_is_named(sentence, words):
    item = f"start: {sentence}" if sentence.startswith("{") else f"start: '{sentence}'"
    text = "start:" if not sentence else f"start: {sentence}" if sentence == "12" else item
    problem = one_problem(f'{NODES}flow:\n- start: to "start"\n- {text}')
    assert (problem.code, problem.line) == ("bad_connection", 7)
    assert words in str(problem)


@pytest.mark.parametrize(
    "sentence", ['"go to \\"start\\""', "{in: x}", '"to \\"start\\" as"', "{}"]
)
def test_every_refusal_of_a_connection_shows_the_right_form(sentence):
    assert 'Write `to "Target"`' in one_problem(f"{NODES}flow:\n- start: {sentence}").hint


@pytest.mark.parametrize(
    ("item", "code", "words"),
    [
        ('strat: to "start"', "unknown_node", "'strat', but no node has this label. Did you mean"),
        ('start: to "argue"', "unknown_node", "Did you mean 'argue now'?"),
        ("start: {to: argue}", "unknown_node", "Did you mean 'argue now'?"),
        ("start: argeu now_first (raw_text)", "unknown_node", "Did you mean 'argue now'?"),
        ("start -> stop", "unknown_node", "'stop'"),
        ("start", "bad_connection", "`start` does not say from where to where"),
        ("start -> ", "bad_connection", 'Write `- Source: to "Target"`'),
        ("start -> start -> stop", "unknown_node", "'stop'"),
        ("12", "bad_connection", "not a connection, but a number"),
        ("start: {to: start, as: 5}", "bad_value", "`as` must be text, not a number. Put it in"),
        ("start: {to: start, data: 5}", "bad_value", "`data` must be a map, not a number"),
        ("start: to argue_now_first in _x", "bad_connection", "is named twice: 'first', '_x'"),
        ("start_condtrue: from _x to start", "bad_connection", "named twice: 'condtrue', '_x'"),
    ],
)
def test_wrong_connection_is_named_with_its_line(item, code, words):
    problem = one_problem(f"{NODES}flow:\n- start -> argue now\n- {item}")
    assert (problem.code, problem.line) == (code, 7)
    assert words in str(problem)


def test_unknown_source_is_told_once_for_all_its_connections():
    problem = one_problem(f'{NODES}flow:\n- strat:\n  - to "start"\n  - to "argue now"')
    assert (problem.code, problem.line) == ("unknown_node", 6)


def test_flow_must_be_a_list():
    problem = one_problem(f"{NODES}flow: start -> argue now")
    assert (problem.code, problem.line) == ("bad_value", 5)
    assert "must be a list, not text. Write `flow:` and below it" in str(problem)


@pytest.mark.parametrize(
    ("node", "code", "words"),
    [
        ("x: {flipper: 1}", "missing_type", "The node 'x' has no `type`"),
        ("start: {type: job}", "duplicate_label", "on line 3"),
        ("'@(1,2)': {type: job}", "missing_label", "no label"),
        ("[job]: {type: job}", "yaml_syntax", "A key must be text"),
        ("x @(1;2): {type: job}", "bad_value", "`@(1;2)` is not a position. Write two numbers"),
        ("x @(1,1e999): {type: job}", "bad_value", "is not a position"),
        ("x @(1,2): {type: job, position: {x: 1, y: 2}}", "bad_value", "The position of 'x' stan"),
        ("x [job]: {type: job}", "bad_value", "The type of 'x' stands in its key and below it"),
        ("x: {type: job, position: 5}", "bad_value", "`position` must be a map"),
        ("x: {type: [job]}", "bad_value", "`type` must be text, not a list"),
        ("x: job", "bad_value", "'x' must be a map of fields, not text. Its indentation"),
        ("12", "bad_value", "A node is a label with its fields, not a number"),
        ('"a\\tb": {type: job}', "bad_label", "contains a control character"),
        (f"{'x' * 201}: {{type: job}}", "bad_label", "more than 200 characters"),
        (f"? {'x ' * 600}\n  : {{type: job}}", "bad_label", "more than 200 characters"),
        ("x: {type: job, props: 5}", "bad_value", "`props` must be a map"),
        ("x: {type: job, a: 1, a.b: 2}", "bad_value", "exclude each other"),
    ],
)
def test_wrong_node_is_named_with_its_line(node, code, words):
    problem = one_problem(f"{NODES}- {node}")
    assert (problem.code, problem.line) == (code, 5)
    assert words in str(problem)


def test_fields_beside_their_label_blame_the_indentation():
    problem = one_problem(f'{NODES}- x @(1,2):\n  type: job\n  code: a\nflow: [start: to "x"]')
    assert (problem.code, problem.line) == ("bad_value", 6)
    assert "'type' stand side by side in one entry. Fields stand further in" in str(problem)


def test_label_of_a_wrong_position_is_known_to_the_flow():
    problem = one_problem(f'{NODES}- x @(left): {{type: job}}\nflow: [start: to "x"]')
    assert "`@(left)` is not a position" in str(problem)


@pytest.mark.parametrize(
    ("persons", "code", "line"),
    [
        (" 5", "bad_value", 5),
        ("\n- Ann", "bad_person", 6),
        ("\n- Ann:", "bad_person", 6),
        ("\n- Ann: {}\n- Ann: {}", "bad_person", 7),
        ("\n- Ann: {model: 4}", "bad_value", 6),
        ("\n- Ann:\n    service: demo\n    model:\n    - x", "bad_value", 8),
        ('\n- "a\\tb": {}', "bad_person", 6),
    ],
)
def test_wrong_persons_are_named_with_their_line(persons, code, line):
    problem = one_problem(f"{NODES}persons:{persons}")
    assert (problem.code, problem.line) == (code, line)


@pytest.mark.parametrize(
    ("connections", "words"),
    [
        ("5", "`connections` must be a list"),
        ("[5]", "A connection is a map, not a number"),
        ("[{label: x}]", "`to` is missing"),
        ("[{to: b:first}]", "'b', but no node"),
        ("[{to: 5}]", "`to` must be text"),
    ],
)
def test_wrong_connections_inside_of_nodes_are_named(connections, words):
    problem = one_problem(f"workflow:\n  a:\n    type: job\n    connections: {connections}")
    assert problem.line == 4
    assert words in str(problem)


def test_extra_entries_must_be_a_map():
    assert "`extra` must be a map" in str(one_problem(f"{NODES}extra: 5"))


def test_all_problems_are_told_at_once_in_order():
    text = (
        "persons: [5]\nnodes:\n- a: {flipper: 1}\n- a: {type: job}\n- {}\n- 7\n"
        'flow:\n- a:\n  - go\n  - to "a" at "b"\n- b: to "a"\nedges: []'
    )
    found = [(problem.line, problem.code) for problem in survey(text).problems]
    assert found == [
        (1, "bad_person"),
        (3, "missing_type"),
        (4, "duplicate_label"),
        (5, "bad_value"),
        (6, "bad_value"),
        (9, "unknown_node"),
        (10, "bad_connection"),
        (11, "unknown_node"),
        (12, "bad_connection"),
    ]


def test_a_thousand_problems_are_not_all_told():
    flow = "\n".join(f'- a{i}: to "b{i}"' for i in range(500))
    assert len(survey(f"{NODES}flow:\n{flow}").problems) == 50


def test_what_is_right_is_there_in_spite_of_what_is_wrong():
    reading = survey(f'{NODES}- x: {{type: [job]}}\nflow:\n- start: to "argue now"\n- start: go')
    assert [node.label for node in reading.diagram.nodes] == ["start", "argue now"]
    assert str(reading.diagram.edges[0]) == "start -> argue now"
