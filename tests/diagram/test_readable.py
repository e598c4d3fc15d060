"""The readable format as people, and the ancestor's writer, have written it over time."""

import re
from pathlib import Path

import pytest

from dipeo_jupyter.diagram import light
from dipeo_jupyter.diagram.files import load
from dipeo_jupyter.diagram.model import Edge, Person, Position
from dipeo_jupyter.diagram.readable import dumps, reading, survey

FILES = Path(__file__).parent / "diagrams"
STRUCTURE = {
    "tea_tasting": (
        (
            "Kettle:start Menu:db Green taster:person_job Black taster:person_job "
            "Enough?:condition Verdict:endpoint"
        ),
        "Kettle -> Menu",
        "Menu -> Green taster[first]",
        "Menu -> Black taster[first]",
        "Green taster -> Black taster",
        "Black taster -> Enough?",
        "Enough?[condfalse] -> Green taster",
        "Enough?[condtrue] -> Verdict",
    ),
    "typed_keys": (
        "Arrival:start Ask name:user_response Welcome:person_job Known:condition Door:endpoint",
        "Arrival -> Ask name",
        "Ask name -> Welcome[first]",
        "Ask name -> Known",
        "Known[condtrue] -> Door",
        "Welcome -> Door",
    ),
    "brackets": (
        (
            "Water the bed:job Shed:endpoint Start:start Seeds:db Plan_it:person_job "
            "Ripe:condition Harvest (late):endpoint"
        ),
        "Start -> Seeds",
        "Seeds -> Plan_it[first]",
        "Plan_it -> Water the bed",
        "Water the bed -> Ripe",
        "Ripe[condfalse] -> Water the bed",
        "Ripe[condtrue] -> Shed",
        "Ripe[condtrue] -> Harvest (late)",
    ),
    "steps": (
        "begin:start weather:person_job cold:condition coat:job out:endpoint",
        "begin -> weather",
        "weather -> cold",
        "cold[condtrue] -> coat",
        "cold[condfalse] -> out",
        "coat -> out",
    ),
    "nested": (
        "Start:start Chess club:person_job Mate?:condition Score:endpoint",
        "Start -> Chess club[first]",
        "Chess club -> Mate?",
        "Mate?[condfalse] -> Chess club",
        "Mate?[condtrue] -> Score",
    ),
}
NODES = "version: readable\nnodes:\n- a: {type: job}\n- b c: {type: job}\n- to b: {type: job}\n"


def read(text):
    return survey(text).checked().diagram


def edge(connection, nodes=NODES):
    (found,) = read(f"{nodes}flow:\n- {connection}").edges
    return found


def one_node(text):
    (node,) = read(f"nodes:\n{text}").nodes
    return node


@pytest.mark.parametrize("name", STRUCTURE)
def test_file_of_every_era_reads_as_drawn(name):
    diagram = load(FILES / f"{name}.readable.yaml")
    nodes = " ".join(f"{node.label}:{node.type}" for node in diagram.nodes)
    assert (nodes, *map(str, diagram.edges)) == STRUCTURE[name]


@pytest.mark.parametrize("name", STRUCTURE)
def test_file_of_every_era_survives_all_formats(name):
    diagram = load(FILES / f"{name}.readable.yaml")
    assert survey(dumps(diagram)).checked().diagram == diagram
    assert light.survey(light.dumps(diagram)).checked().diagram == diagram


def test_example_in_the_description_of_the_grammar_reads():
    example = re.search(r"```yaml\n(.*?)```", reading.__doc__, re.DOTALL).group(1)
    assert [str(each) for each in read(example).edges] == [
        "Start -> Panel[first]",
        "Panel -> Enough?",
        "Enough?[condfalse] -> Panel",
        "Enough?[condtrue] -> Panel",
    ]


def test_every_example_file_has_its_structure_here():
    assert {path.name.partition(".")[0] for path in FILES.glob("*.readable.yaml")} == set(STRUCTURE)


def test_sentence_carries_handles_content_type_and_variable():
    found = edge('a: from "_condtrue" to "b c" in "_first" as "object" naming "x y"')
    assert found == Edge(
        source="a",
        target="b c",
        source_handle="condtrue",
        target_handle="first",
        content_type="object",
        label="x y",
    )


@pytest.mark.parametrize(
    "connection",
    [
        'a: in "_first" naming "x" to "b c"',
        'a: to"b c"in"_first"naming"x"',
        "a: 'to  \"b c\"   in _first naming x '",
        "a: {to: b c, in: _first, naming: x}",
        'a: {to: "b c_first", naming: x}',
        "a: b c_first (x)",
        'a: ["b_c[first] (x)"]',
        '"a -> b c.first as x"',
    ],
)
def test_one_connection_may_be_said_in_many_ways(connection):
    assert edge(connection) == Edge(source="a", target="b c", target_handle="first", label="x")


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("_condtrue", "condtrue"),
        ("true", "condtrue"),
        ("false", "condfalse"),
        ("first", "first"),
        ("_true", "true"),
        ("__x", "_x"),
        ("_", ""),
    ],
)
def test_underscore_before_a_handle_makes_it_exact(text, handle):
    assert edge(f'a: from "{text}" to "a"').source_handle == handle


def test_escapes_in_a_sentence_are_those_of_json():
    found = edge(r"""a: 'to "a" naming "say \"hi\"\n\u00e9\\"' """)
    assert found.label == 'say "hi"\né\\'


def test_label_goes_before_a_sentence_without_quotes():
    assert edge("a: to b").target == "to b"
    assert edge("a: to a").target == "a"
    assert edge('a: to "a"').target == "a"


@pytest.mark.parametrize(
    ("text", "content_type", "label"),
    [
        ("a (raw_text)", "raw_text", None),
        ("a (topic)", None, "topic"),
        ("a (json)(topic)", "json", "topic"),
        ("a (mine) (raw_text)", "mine", "raw_text"),
        ("a", None, None),
    ],
)
def test_brackets_hold_content_type_and_variable(text, content_type, label):
    found = edge(f"a: {text}")
    assert (found.target, found.content_type, found.label) == ("a", content_type, label)


def test_flow_may_be_one_map_and_entries_may_be_empty():
    mapped = read(f'{NODES}flow:\n  a: to "b c"\n  b c: [to "a", to "b c"]')
    listed = read(f'{NODES}flow:\n-\n- a: to "b c"\n- b c: [to "a"]\n  b_c: to "b c"')
    assert mapped == listed
    assert [str(each) for each in mapped.edges] == ["a -> b c", "b c -> a", "b c -> b c"]


@pytest.mark.parametrize(
    ("key", "label", "node_type", "position"),
    [
        ("a", "a", "job", None),
        ("a b @(1,-2.5)", "a b", "job", (1, -2.5)),
        ("a @( 1e3 , .5 )", "a", "job", (1000, 0.5)),
        ("a [db]", "a", "db", None),
        ("a [db] @(1,2)", "a", "db", (1, 2)),
        ("'\"a [db]\" @(1,2)'", "a [db]", "job", (1, 2)),
        ("'\"a @(1,2)\" [db]'", "a @(1,2)", "db", None),
        (r"""'"say \"a\""'""", 'say "a"', "job", None),
        ("""'"Now" she said'""", '"Now" she said', "job", None),
        ("a[db]", "a[db]", "job", None),
        ("me@(1,2)", "me@(1,2)", "job", None),
        ("a [two words]", "a [two words]", "job", None),
        ("a (b)", "a (b)", "job", None),
    ],
)
def test_key_holds_label_type_and_position(key, label, node_type, position):
    node = one_node(f"- {key}: {{code: x}}")
    place = Position(x=position[0], y=position[1]) if position else None
    assert (node.label, node.type, node.position) == (label, node_type, place)


def test_position_and_type_may_stand_below_the_key():
    node = one_node("- a: {type: db, position: {x: 1, y: 2}, props: {type: x}, file.name: y}")
    assert (node.type, node.position) == ("db", Position(x=1, y=2))
    assert node.props == {"type": "x", "file": {"name": "y"}}


def test_label_below_the_key_is_a_property():
    node = one_node("- a: {type: job, label: b, props: {x: 1}}")
    assert (node.label, node.props) == ("a", {"label": "b", "x": 1})


def test_connections_in_props_are_a_property():
    node = one_node("- a: {type: job, props: {connections: [1], arrows: 2}}")
    assert node.props == {"connections": [1], "arrows": 2}


def test_chain_of_arrows_is_as_many_connections():
    edges = read(f"{NODES}flow: [a -> b c -> to b as x]").edges
    assert [str(each) for each in edges] == ["a -> b c", "b c -> to b"]
    assert [each.label for each in edges] == [None, "x"]


@pytest.mark.parametrize(
    ("fields", "node_type"),
    [
        ("{condition_type: custom, person: Ann}", "condition"),
        ("{expression: a > 1}", "condition"),
        ("{person: Ann, prompt: Hi}", "person_job"),
        ("{props: {default_prompt: Hi}}", "person_job"),
        ("{prompt: Who?}", "user_response"),
        ("{code: x = 1}", "job"),
        ("{file_path: a.py, function_name: main}", "job"),
        ("{source_details: a.txt}", "db"),
        ("{operation: read, file: a.txt}", "db"),
        ("{operation: read, sub_type: file}", "db"),
        ("{save_to_file: false}", "endpoint"),
        ("{file_name: a.txt}", "endpoint"),
        ("{url: 'https://a', method: GET}", "api_job"),
        ("{diagram_name: other}", "sub_diagram"),
        ("{trigger_mode: manual}", "start"),
        ("{flipped: true}", "endpoint"),
        ("", "endpoint"),
    ],
)
def test_missing_type_follows_from_the_fields(fields, node_type):
    diagram = read(f"nodes:\n- first: {{}}\n- x: {fields}\nflow: [first -> x]")
    assert [node.type for node in diagram.nodes] == ["start", node_type]


def test_missing_type_follows_from_label_and_exits():
    text = 'nodes: [x: {flipped: true}, START: {}, e: {}]\nflow: [x: from "_condfalse" to e]'
    assert [node.type for node in read(text).nodes] == ["condition", "start", "endpoint"]


@pytest.mark.parametrize(
    "persons",
    [
        "- Ann Lee: {service: demo, maxTokens: 5}\n- Bob: {model: m}",
        "  Ann Lee: {llm_config: {service: demo, max_tokens: 5}}\n  Bob: {model: m}",
    ],
)
def test_persons_are_a_list_or_a_map(persons):
    found = read(f"{NODES}persons:\n{persons}").persons
    ann = Person.model_validate({"service": "demo", "max_tokens": 5})
    assert found == {"Ann Lee": ann, "Bob": Person(model="m")}


@pytest.mark.parametrize(
    ("named", "meant"),
    [
        ("person_Ann", "Ann"),
        ("person_Ann_Lee", "Ann Lee"),
        ("Ann", "Ann"),
        ("person_Bob", "person_Bob"),
        ("person_Eve", "person_Eve"),
    ],
)
def test_person_may_be_named_by_the_ancestors_id(named, meant):
    persons = "persons: {Ann: {}, Ann Lee: {}, person_Bob: {}, Bob: {}}"
    node = f"nodes: [a: {{person: {named}, props: {{personId: person_Ann}}}}]"
    assert read(f"{persons}\n{node}").nodes[0].props == {"personId": "person_Ann", "person": meant}


def test_unknown_entries_are_kept():
    text = (
        f"{NODES}metadata: {{a: 1}}\nconfig: {{b: 2, persons: {{Ann: {{}}}}}}\nextra: {{flow: 3}}"
    )
    diagram = read(text)
    assert diagram.extra == {"metadata": {"a": 1}, "config": {"b": 2}, "flow": 3}
    assert list(diagram.persons) == ["Ann"]


@pytest.mark.parametrize("head", ["", "version: readable", "format: readable\nversion: 2"])
def test_version_may_be_said_or_not(head):
    assert read(f"{head}\nnodes: []").nodes == ()
