"""The light format as people have written it over time."""

from pathlib import Path

import pytest

from dipeo_jupyter.diagram.light import dumps, loads, survey
from dipeo_jupyter.diagram.model import Edge, Person, Position

FILES = Path(__file__).parent / "diagrams"
STRUCTURE = {
    "greeter_loop": (
        "begin:start greeter:person_job enough:condition summary:person_job report:endpoint",
        "begin -> greeter",
        "greeter -> enough",
        "enough[condfalse] -> greeter",
        "enough[condtrue] -> summary",
        "summary -> report",
    ),
    "town_meeting": (
        (
            "Doors Open:start Read Motion:db Speaker For:person_job Speaker Against:person_job "
            "Time Is Up:condition Vote:person_job Minutes:endpoint"
        ),
        "Doors Open -> Read Motion",
        "Read Motion -> Speaker For[first] as motion",
        "Read Motion -> Speaker Against[first] as motion",
        "Speaker For -> Speaker Against",
        "Speaker Against -> Time Is Up",
        "Time Is Up[condfalse] -> Speaker For",
        "Time Is Up[condtrue] -> Vote",
        "Vote -> Minutes",
    ),
    "interview": (
        (
            "hello:start ask_town:user_response ask_job:user_response write_card:person_job"
            " card:endpoint"
        ),
        "hello -> ask_town",
        "ask_town -> ask_job",
        "ask_town -> write_card as town",
        "ask_job -> write_card as job",
        "write_card -> card",
    ),
    "sales_figures": (
        "start:START load sales:DB add up:CODE_JOB explain:Person_Job save:ENDPOINT",
        "start -> load sales",
        "start -> add up as config",
        "load sales -> add up as sales",
        "add up -> explain as sum",
        "explain -> save",
    ),
    "chapter_index": (
        "Open Book:start More Chapters:condition Write Chapter:db Close Book:endpoint",
        "Open Book -> More Chapters",
        "More Chapters[condfalse] -> Write Chapter",
        "Write Chapter -> More Chapters",
        "More Chapters[condtrue] -> Close Book",
    ),
    "suffix_handles": (
        "Start Here:start Draft_Text:person_job Good Enough:condition Good:job Print:endpoint",
        "Start Here -> Draft_Text[first] as topic",
        "Draft_Text -> Good Enough",
        "Good Enough[condfalse] -> Draft_Text[first]",
        "Good Enough[condtrue] -> Good",
        "Good -> Print",
    ),
    "props_block": (
        "Start:start Poet:person_job End:endpoint",
        "Start -> Poet as topic",
        "Poet -> End",
    ),
    "forgetful_debate": (
        "Start:start North:person_job South:person_job Judge panel:person_job",
        "Start -> North[first]",
        "North -> South",
        "South -> Judge panel",
    ),
    "two_endings": (
        "Start:start Is It Polite:condition Publish:endpoint Send Back:endpoint",
        "Start -> Is It Polite as text",
        "Is It Polite[condtrue] -> Publish",
        "Is It Polite[condfalse] -> Send Back",
    ),
    "later_types": (
        "Start:start Translate All:sub_diagram Page:template_job Post:hook Done:endpoint",
        "Start -> Translate All",
        "Translate All -> Page",
        "Page -> Post",
        "Post[success] -> Done",
        "Post[error] -> Done as problem",
    ),
    "one_agent": (
        "start:start ask:person_job answer:endpoint",
        "start -> ask",
        "ask -> answer",
    ),
    "counting_code": (
        "Start:start Code Job~1:code_job Code Job:code_job Full?:condition End:endpoint",
        "Start -> Code Job~1",
        "Code Job~1 -> Code Job as n",
        "Code Job -> Full? as n",
        "Full?[condfalse] -> Code Job",
        "Full?[condtrue] -> End",
    ),
    "arrows": (
        "start:start argue:person_job done?:condition known as nobody:endpoint",
        "start -> argue[first] as topic",
        "argue -> done?",
        "done?[condfalse] -> argue",
        "done?[condtrue] -> known as nobody",
        "start -> argue as hint",
    ),
    "chains": (
        "start:start draft:person_job polish -> print:job done:endpoint",
        "start -> draft[first] as topic",
        "draft -> polish -> print",
        "polish -> print -> done as text",
        "start -> done",
    ),
    "labels_as_keys": (
        "Start:start Ask:PersonJob Enough:condition End:endpoint",
        "Start -> Ask[first] as topic",
        "Ask -> Enough",
        "Enough[condtrue] -> End",
        "Enough[condfalse] -> Ask",
    ),
    "ids_and_data": (
        "Begin here:start shorten:person_job End:endpoint",
        "Begin here -> shorten",
        "shorten -> End as text",
    ),
    "edges_inside": (
        "Start:start Sort:person_job End:end",
        "Start -> Sort as letters",
        "Sort -> End",
    ),
    "anchors": (
        "start:start first draft:person_job second draft:person_job",
        "start -> first draft",
        "first draft -> second draft",
    ),
}


def text_of(name):
    return (FILES / f"{name}.light.yaml").read_text(encoding="utf-8")


def structure(diagram):
    nodes = " ".join(f"{node.label}:{node.type}" for node in diagram.nodes)
    return nodes, *(
        f"{edge} as {edge.label}" if edge.label else str(edge) for edge in diagram.edges
    )


def node(diagram, label):
    return next(node for node in diagram.nodes if node.label == label)


@pytest.fixture
def example():
    return lambda name: loads(text_of(name))


@pytest.mark.parametrize("name", STRUCTURE)
def test_example_has_its_nodes_edges_and_handles(example, name):
    assert structure(example(name)) == STRUCTURE[name]


@pytest.mark.parametrize("name", STRUCTURE)
def test_example_written_and_read_is_the_same(example, name):
    diagram = example(name)
    assert loads(dumps(diagram)) == diagram


def test_every_example_file_has_an_expectation():
    found = {path.name for path in FILES.glob("*.light.yaml")}
    assert found == {f"{name}.light.yaml" for name in STRUCTURE}


def test_name_and_description_come_from_the_top(example):
    diagram = example("greeter_loop")
    assert diagram.name == "greeter_loop"
    assert diagram.description == "One agent speaks three times, then another one sums up."


def test_position_and_flattened_properties_are_told_apart(example):
    greeter = node(example("greeter_loop"), "greeter")
    assert greeter.position == Position(x=240, y=120)
    assert list(greeter.props) == ["default_prompt", "max_iteration", "memorize_to", "person"]


def test_false_empty_and_multi_line_values_are_kept(example):
    diagram = example("town_meeting")
    assert node(diagram, "Doors Open").props == {"custom_data": "", "output_data_structure": {}}
    prompt = node(diagram, "Speaker For").props["first_only_prompt"]
    assert prompt == "The motion is: {{motion}}\nSpeak for it, in two sentences.\n"
    assert example("greeter_loop").nodes[2].props["skippable"] is False


def test_person_keeps_known_and_further_fields(example):
    chair = example("town_meeting").persons["Chair"]
    assert chair.system_prompt == "You are the chair.\nYou are fair.\n"
    assert (chair.api_key_id, chair.parameters) == ("HOUSE_KEY", {"temperature": 0})


def test_type_is_kept_as_it_is_written(example):
    assert [each.type for each in example("sales_figures").nodes][2] == "CODE_JOB"


def test_text_that_looks_like_a_number_stays_text(example):
    assert node(example("sales_figures"), "start").props["custom_data"] == {
        "month": "03",
        "limit": 0,
    }


def test_flattened_property_goes_before_the_same_in_props(example):
    props = node(example("props_block"), "Poet").props
    assert props["max_iteration"] == 2
    assert props["person"] == "Poet"
    assert props["dotted.name"] == "stays"


def test_dotted_keys_become_nested_and_dunder_keys_go(example):
    diagram = example("forgetful_debate")
    assert node(diagram, "North").props["memory_config"] == {"forget_mode": "on_every_turn"}
    south = node(diagram, "South").props
    assert south["memory_config"] == {"forget_mode": "no_forget", "max_messages": 20}
    assert "__typename" not in south


def test_content_type_may_be_called_type(example):
    edges = example("props_block").edges
    assert [edge.content_type for edge in edges] == ["raw_text", "conversation_state"]
    assert all(edge.data == {} for edge in edges)


def test_further_keys_of_a_connection_are_its_data(example):
    data = [edge.data for edge in example("later_types").edges][:3]
    expected = {"target_input": "sections", "execution_priority": 2}
    assert data == [{"packing": "spread"}, expected, {"note": "keep me"}]


def test_unknown_properties_and_top_level_entries_are_kept(example):
    diagram = example("later_types")
    assert list(diagram.extra) == ["$schema", "metadata", "handles"]
    assert node(diagram, "Translate All").props["ignoreIfSub"] is False
    assert node(diagram, "Post").props["config"]["args"] == ["--quiet", "1"]


def test_merged_and_aliased_maps_are_spelled_out(example):
    diagram = example("anchors")
    assert node(diagram, "first draft").props == {"person": "Pat", "max_iteration": 2}
    assert node(diagram, "second draft").props == {"max_iteration": 1, "person": "Pat"}
    assert diagram.persons["Quin"] == Person(service="demo", model="demo")


@pytest.mark.parametrize("end", ["", "connections:", "connections: []", "persons:", "name: null"])
def test_diagram_without_connections_is_legal(end):
    assert not loads(f"nodes:\n- {{label: a, type: start}}\n{end}").edges


LABELS = ["a", "a[first]", "a_first", "b_c", "b c", "d.first", "d"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ("a", "default")),
        ("a[first]", ("a[first]", "default")),
        ("a[first ]", ("a", "first")),
        ("a_first", ("a_first", "default")),
        ("a_first_first", ("a_first", "first")),
        ("a[first][error]", ("a[first]", "error")),
        ("b_c_true", ("b_c", "condtrue")),
        ("b c[false]", ("b c", "condfalse")),
        ("a_default", ("a", "default")),
        ("d.first", ("d.first", "default")),
        ("d.results", ("d", "results")),
    ],
)
def test_endpoint_is_a_label_first_then_label_and_handle(text, expected):
    nodes = [{"label": label, "type": "job"} for label in LABELS]
    edge = loads(f"nodes: {nodes}\nconnections: [{{from: '{text}', to: a}}]").edges[0]
    assert (edge.source, edge.source_handle) == expected


def test_name_of_the_text_is_kept_in_the_source():
    assert survey("nodes: []", "debate").source.name == "debate"


def test_last_edge_of_a_chain_has_the_name_and_content(example):
    found = [(edge.label, edge.content_type) for edge in example("chains").edges]
    assert found == [
        ("topic", "conversation_state"),
        (None, None),
        ("text", None),
        (None, "raw_text"),
    ]


def test_fields_of_old_connections_have_their_present_names(example):
    edge = example("labels_as_keys").edges[0]
    assert (edge.content_type, edge.data) == ("raw_text", {"priority": 2})


def test_persons_of_old_files_have_their_present_fields(example):
    person = example("labels_as_keys").persons["Ann"]
    assert (person.api_key_id, person.system_prompt) == ("house", "You ask.")


def test_data_of_old_nodes_becomes_their_properties(example):
    assert node(example("ids_and_data"), "shorten").props == {"prompt": "Shorter!", "person": "Kim"}


@pytest.mark.parametrize(
    "persons",
    [
        "[{Kim: {model: m}}]",
        "[{label: Kim, model: m}]",
        "[{id: Kim, model: m}]",
        "{Kim: {model: m}}",
    ],
)
def test_persons_may_be_a_list_of_maps(persons):
    assert loads(f"nodes: []\npersons: {persons}").persons == {"Kim": Person(model="m")}


def test_property_called_connections_goes_below_props():
    text = "nodes:\n- {label: a, type: job, props: {connections: [1], arrows: 2}}"
    diagram = loads(text)
    assert diagram.nodes[0].props == {"connections": [1], "arrows": 2}
    assert loads(dumps(diagram)) == diagram


@pytest.mark.parametrize(
    ("arrow", "expected"),
    [
        ("a -> b", ["a -> b"]),
        ("a->b", ["a -> b"]),
        ("a -> b -> a", ["a -> b", "b -> a"]),
        ("a -> b as x as y", ["a -> b as x as y"]),
        ("a -> b as x as z", ["a -> b as x as z"]),
        ("a -> c as d", ["a -> c as d"]),
        ("a -> c as d as e", ["a -> c as d as e"]),
        ("a -> p -> q -> b", ["a -> p -> q", "p -> q -> b"]),
        ("a -> b (raw_text)", ["a -> b"]),
        ("a -> b as x (y)", ["a -> b as x (y)"]),
    ],
)
def test_arrow_is_read_with_labels_first(arrow, expected):
    nodes = [{"label": label, "type": "job"} for label in ("a", "b", "c as d", "p -> q")]
    edges = loads(f"nodes: {nodes}\nedges: ['{arrow}']").edges
    assert [f"{edge} as {edge.label}" if edge.label else str(edge) for edge in edges] == expected


def test_brackets_around_an_arrow_are_no_handle():
    diagram = loads(
        "nodes: [{label: a, type: job}, {label: b, type: job}, {label: x -> y, type: job}]\n"
        "edges: ['a[error] -> b[first]', 'x -> y -> b']\n"
    )

    ends = [(edge.source, edge.source_handle, edge.target) for edge in diagram.edges]
    assert ends == [("a", "error", "b"), ("x -> y", "default", "b")]


@pytest.mark.parametrize("handle", ["error", " error", "error\t"])
def test_blanks_around_a_handle_mean_nothing(handle):
    assert Edge(source="a", target="b", source_handle=handle).source_handle == "error"
