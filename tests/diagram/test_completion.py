"""Suggestions in a light diagram that is being typed. `¦` is where the cursor stands."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.completion import complete
from dipeo_jupyter.diagram.light import loads

from .strategies import LABELS

EVERY_NODE = {
    "label": {"type": "string"},
    "type": {"type": "string"},
    "max_iteration": {"type": "integer"},
    "max_iterations": {"type": "integer", "deprecated": True},
    "on_error": {"anyOf": [{"enum": ["fail", "continue", "edge"]}, {"type": "object"}]},
    "retry": {"anyOf": [{"$ref": "#/$defs/retry"}, {"type": "null"}]},
}


def node(properties=None, inputs=("default",), outputs=("default",), required=()):
    return {
        "properties": EVERY_NODE | (properties or {}),
        "required": ["label", "type", *required],
        "x-handles": {"inputs": list(inputs), "outputs": list(outputs)},
    }


SPEAKER = {
    "prompt": {"type": "string", "x-holds": "template"},
    "memory": {"enum": ["ALL_MESSAGES", "GOLDFISH"], "enumDescriptions": ["all", "nothing"]},
    "person": {"type": "string", "description": "Who is asked.", "x-holds": "person"},
    "personId": {"type": "string", "deprecated": True},
    "ignore_person": {"type": "array", "items": {"type": "string"}, "x-holds": "person"},
}
CONDITION = {
    "condition_type": {"enum": ["expression", "detect_max_iterations", "check_nodes_executed"]},
    "expression": {"type": "string", "x-holds": "expression"},
    "node_indices": {"type": "array", "items": {"type": "string"}, "x-holds": "node"},
    "expose_index_as": {"type": "string"},
}
NODES = {
    "start": node({"custom_data": {}}, inputs=()),
    "person_job": node(SPEAKER, ("default", "first"), required=["person"]),
    "person_batch_job": {
        **node(SPEAKER | {"items": {"type": "string", "x-holds": "expression"}}),
        "x-names": ["item", "index"],
    },
    "condition": node(CONDITION, outputs=("condtrue", "condfalse")),
    "job": {
        **node({"code": {"type": "string"}, "language": {"enum": ["python", "bash"]}}),
        "x-aliases": ["code_job"],
    },
    "endpoint": node({"save_to_file": {"type": "boolean"}}, outputs=()),
}
SCHEMA = {
    "properties": {
        "version": {"const": "light"},
        **{key: {} for key in ("name", "nodes", "connections", "edges", "persons")},
    },
    "required": ["nodes"],
    "$defs": {
        **{f"node.{name}": each for name, each in NODES.items()},
        "node_type": {
            "enum": [*NODES, "code_job", "if"],
            "enumDescriptions": [f"a {name}" for name in NODES],
        },
        "person": {
            "properties": {
                "service": {"examples": ["demo", "openai"]},
                "model": {},
                "system_prompt": {},
                "systemPrompt": {"deprecated": True},
            }
        },
        "connection": {
            "properties": {"from": {}, "to": {}, "label": {}, "content_type": {}},
            "required": ["from", "to"],
        },
        "retry": {"properties": {"max_attempts": {}, "jitter": {"type": "boolean"}}},
    },
}
DEBATE = """version: light
persons:
  Optimist: {service: demo}
  "Dr. No": {service: demo}
nodes:
  - {label: start, type: start, custom_data: {topic: tea, who: {name: Ada}}}
  - label: argue
    type: person_job
    person: Optimist
    prompt: Argue.
  - {label: enough, type: condition, condition_type: detect_max_iterations, expose_index_as: round}
  - {label: my end, type: endpoint}
connections:
  - {from: start, to: argue, label: subject}
  - {from: argue, to: enough}
  - {from: "enough[condfalse]", to: argue}
  - {from: "enough[condtrue]", to: my end}
"""


def split(text):
    before, _, behind = text.partition("¦")
    return before, behind


def completions(text):
    before, behind = split(text)
    return complete(before + behind, len(before), SCHEMA)


def suggested(text):
    return [item.text for item in completions(text).items]


def accepted(text):
    """The text when its only suggestion is taken."""
    before, behind = split(text)
    found = completions(text)
    (item,) = found.items
    return before[: found.start] + item.text + behind


def in_debate(node, *, before="  - {label: enough"):
    """What is suggested in a further node of the debate."""
    return suggested(DEBATE.replace(before, f"{node}\n{before}", 1))


def argued(prompt):
    """What is suggested in the prompt of `argue`."""
    return suggested(DEBATE.replace("Argue.", prompt))


# -- keys ---------------------------------------------------------------------------------------


def test_an_empty_cell_offers_the_top_level_keys():
    assert suggested("¦")[:2] == ["nodes: ", "version: "]


def test_keys_that_are_there_are_left_out():
    assert "version: " not in suggested("version: light\n¦\nnodes:\n")
    assert "name: " in suggested("version: light\n¦\nnodes:\n")


def test_version_is_light():
    assert accepted("version: ¦") == "version: light"


@pytest.mark.parametrize(
    "text", ["nodes:\n  - ¦", "nodes:\n- ¦\n", "nodes:\n  - {¦", "nodes: [{¦}]", "nodes:\n- {¦}\n"]
)
def test_a_new_node_begins_with_label_and_type(text):
    assert suggested(text)[:2] == ["label: ", "type: "]


@pytest.mark.parametrize(
    "text",
    [
        "nodes:\n  - label: a\n    type: job\n    ¦",
        "nodes:\n  - label: a\n    ¦\n    type: job",
        "nodes:\n  - ¦\n    label: a\n    type: job",
        "nodes:\n  - {label: a, ¦, type: job}",
        "nodes:\n  - {label: a, type: job, ¦",
        "nodes:\n  - {label: a, type: job, ¦\n  - {label: b, type: start}",
        "nodes:\n  - label: a\n    type: Code-Job\n    props: {¦}",
    ],
)
def test_the_keys_of_a_node_depend_on_its_type(text):
    found = suggested(text)
    assert {"code: ", "language: ", "on_error: "} < {*found}
    assert "prompt: " not in found


def test_what_a_node_needs_comes_first_what_all_have_last():
    found = suggested("nodes:\n  - {label: a, type: person_job, ¦}")
    assert (found[0], found[-3:]) == ("person: ", ["max_iteration: ", "on_error: ", "retry: "])


def test_a_map_of_properties_offers_no_label():
    assert "label: " not in suggested("nodes:\n  - {label: a, type: job, props: {¦")


def test_without_a_type_common_keys_come_before_all_others():
    assert suggested("nodes:\n  - {label: a, o¦}") == ["on_error: "]
    assert suggested("nodes:\n  - {label: a, pr¦}") == ["prompt: "]


def test_older_names_are_offered_only_when_nothing_else_fits():
    assert suggested("nodes:\n  - {type: person_job, person¦}") == ["person: "]
    assert suggested("nodes:\n  - {type: person_job, personI¦}") == ["personId: "]


def test_a_key_that_has_its_colon_gets_no_second_one():
    assert accepted("nodes:\n  - ty¦: job") == "nodes:\n  - type: job"


def test_a_key_in_quotes_stays_in_them():
    assert accepted('{"nodes": [{"la¦": "a"}]}') == '{"nodes": [{"label": "a"}]}'
    assert accepted('{"nodes": [{"la¦') == '{"nodes": [{"label": '


def test_keys_inside_of_a_property_come_from_its_schema():
    assert suggested("nodes:\n- type: job\n  retry: {¦}") == ["max_attempts: ", "jitter: "]
    assert suggested("nodes:\n- type: job\n  retry:\n    j¦") == ["jitter: "]


def test_a_person_has_its_own_keys():
    text = "persons:\n  Ada:\n    service: demo\n    ¦"
    assert suggested(text) == ["model: ", "system_prompt: "]
    assert suggested("persons:\n  Ada: {systemP¦}") == ["systemPrompt: "]


def test_persons_that_nobody_has_described_are_offered():
    text = "persons:\n  ¦\nnodes:\n  - {label: a, type: person_job, person: Ada}"
    assert suggested(text) == ["Ada: "]


def test_a_connection_has_its_own_keys():
    assert suggested("connections:\n  - {¦}") == ["from: ", "to: ", "label: ", "content_type: "]
    assert suggested("connections:\n  - from: a\n    ¦")[0] == "to: "


# -- values -------------------------------------------------------------------------------------


def test_a_type_is_offered_with_what_it_does():
    (item,) = completions("nodes:\n  - {label: a, type: cond¦").items
    assert (item.text, item.kind, item.detail) == ("condition", "node type", "a condition")


def test_other_names_of_types_are_offered_only_when_nothing_else_fits():
    assert "code_job" not in suggested("nodes:\n  - {type: ¦")
    assert suggested("nodes:\n  - {type: code¦") == ["code_job"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("condition_type: ¦", ["expression", "detect_max_iterations", "check_nodes_executed"]),
        ("on_error: ¦", ["fail", "continue", "edge"]),
        ("retry: {jitter: ¦}", ["true", "false"]),
    ],
)
def test_listed_values_are_offered(text, expected):
    assert suggested(f"nodes:\n  - label: a\n    type: condition\n    {text}") == expected


def test_case_does_not_matter_while_typing():
    assert suggested("nodes:\n  - {type: person_job, memory: gold¦}") == ["GOLDFISH"]


def test_a_value_behind_a_broken_line_is_offered_too():
    assert suggested("nodes:\n  - {label: a, type: job\n  - {type: job, language: ba¦") == ["bash"]


def test_services_of_a_person_are_offered():
    assert suggested("persons:\n  Ada: {service: o¦}") == ["openai"]


def test_persons_are_offered_for_a_node():
    assert in_debate("  - {type: person_job, person: ¦}") == ["Optimist", "Dr. No"]
    assert in_debate("  - {type: person_job, ignore_person: [Optimist, ¦]}") == ["Dr. No"]


def test_nodes_to_look_at_are_offered_once():
    assert in_debate("  - {label: c, type: condition, node_indices: [argue, ¦]}") == [
        "start",
        "enough",
        "my end",
    ]


def test_content_types_of_a_connection_are_offered():
    text = "connections:\n  - {from: a, to: b, content_type: ¦}"
    assert suggested(text) == ["raw_text", "object", "conversation_state"]


# -- connections --------------------------------------------------------------------------------


def test_only_nodes_with_outputs_can_be_left():
    expected = ["start", "argue", '"enough[condtrue]"', '"enough[condfalse]"']
    assert suggested(DEBATE + "  - {from: ¦}") == expected


def test_only_nodes_with_inputs_can_be_reached():
    assert suggested(DEBATE + "  - {from: start, to: ¦}") == ["argue", "enough", "my end"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("{from: enough[condt¦}", '{from: "enough[condtrue]"}'),
        ('{from: "enough[condt¦"}', '{from: "enough[condtrue]"}'),
        ('{from: "enough[condt¦, to: argue}', '{from: "enough[condtrue]", to: argue}'),
        ("{from: 'enough[condt¦', to: argue}", "{from: 'enough[condtrue]', to: argue}"),
        ("from: enough[condt¦", "from: enough[condtrue]"),
        ("{from: start, to: argue[¦}", '{from: start, to: "argue[first]"}'),
        ("{from: start, to: my¦}", "{from: start, to: my end}"),
    ],
)
def test_a_handle_is_written_with_the_quotes_it_needs(typed, expected):
    assert accepted(f"{DEBATE}  - {typed}") == f"{DEBATE}  - {expected}"


def test_a_node_whose_errors_have_a_way_has_a_handle_for_it():
    text = "nodes: [{label: a, type: job, on_error: edge}]\nconnections:\n- from: a[¦"
    assert accepted(text).endswith("from: a[error]")


def test_arrows_lead_from_label_to_label():
    edges = DEBATE.replace("connections:", "edges:")
    assert suggested(edges + "  - ar¦") == ["argue -> "]
    assert suggested(edges + "  - start -> ¦") == ["argue", "enough", "my end"]
    assert accepted(edges + "  - enough[condt¦") == edges + "  - enough[condtrue] -> "
    assert accepted(edges + "  - start -> argue[f¦") == edges + "  - start -> argue[first]"


def test_a_label_that_yaml_would_misread_is_quoted():
    text = (
        "nodes:\n- {label: 'yes', type: job}\n- {label: 'a: b', type: job}\nconnections:\n- to: ¦"
    )
    assert suggested(text) == ['"yes"', '"a: b"']


def test_quotes_inside_of_a_label_are_escaped():
    nodes = "nodes:\n- {label: 'say \"hi\"', type: job}\n- {label: it's, type: job}\nconnections:\n"
    assert suggested(f'{nodes}- to: "say¦') == ['say \\"hi\\""']
    assert suggested(f"{nodes}- to: 'it¦'") == ["it''s"]


@given(
    LABELS.filter(lambda label: label != "x" and "¦" not in label),
    st.sampled_from(["- {{from: x, to: {}}}", "- to: {}\n  from: x"]),
)
def test_an_accepted_label_is_read_as_that_label(label, form):
    quoted = "'" + label.replace("'", "''") + "'"
    nodes = f"nodes:\n- {{label: x, type: job}}\n- {{label: {quoted}, type: job}}\nconnections:\n"
    (_, item) = completions(nodes + form.format("¦")).items
    assert loads(nodes + form.format(item.text)).edges[0].target == label


# -- templates ----------------------------------------------------------------------------------


def test_a_template_offers_all_that_its_node_may_see():
    assert argued("Is {{¦")[:7] == [
        "subject",
        "default",
        "round",
        "topic",
        "who",
        "start",
        "argue",
    ]


def test_a_template_never_offers_what_comes_later():
    assert "my end" not in argued('"{{¦}}"')


def test_several_values_without_a_name_have_no_common_one():
    both = DEBATE.replace("to: my end", "to: argue")
    assert "default" in argued("Is {{¦")
    assert "default" in suggested(both.replace("Argue.", "Is {{¦"))
    fed = "nodes:\n- {label: a, type: job}\n- {label: b, type: job}\n"
    fed += '- {label: c, type: person_job, prompt: "{{¦"}\nedges: [a -> c, b -> c]'
    assert suggested(fed)[:2] == ["a", "b"]


def test_before_it_is_connected_a_node_may_see_all_others():
    prompt = '  - {label: new, type: person_job, prompt: "{{¦'
    assert {"argue", "enough", "start", "topic"} < {*in_debate(prompt)}
    assert "new" not in in_debate(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "Is {{to¦",
        '"Is {{to¦',
        '"Is {{to¦}} good?"',
        "'Is {{ to¦ }}'",
        "|\n      Is it\n\n      {{to¦}}\n      or not",
        ">-\n      {{to¦",
        "Is it\n      {{to¦",
    ],
)
def test_a_template_is_completed_in_every_kind_of_text(prompt):
    assert argued(prompt) == ["topic"]


def test_a_template_alone_gets_the_quotes_it_needs():
    text = DEBATE.replace("Argue.", "{{to¦")
    assert accepted(text) == DEBATE.replace("Argue.", '"{{topic}}"')


def test_a_batch_sees_its_item():
    prompt = '  - {label: b, type: person_batch_job, prompt: "{{i¦'
    assert in_debate(prompt) == ["item", "index"]
    assert in_debate('  - {label: b, type: person_job, batch: true, prompt: "{{i¦') == [
        "item",
        "index",
    ]
    assert in_debate('  - {label: b, type: person_job, prompt: "{{i¦') == []


def test_a_dot_leads_to_the_keys_of_start_data():
    assert argued("{{start.¦") == ['"{{start.topic}}"', '"{{start.who}}"']
    assert argued("Dear {{who.na¦") == ["who.name"]


def test_filters_stand_behind_a_bar():
    assert argued("Is {{topic | tr¦") == ["trim", "truncate("]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Is {{#¦", ["#if ", "#unless ", "#each "]),
        ("Is {{#if to¦", ["topic"]),
        ("Is {{#if topic}}x{{/¦", ["/if"]),
        ("Is {{#if topic}}x{{e¦", ["enough", "else"]),
        ("Is {{#if a}}{{#each b}}x{{/each}}{{/¦", ["/if"]),
        ("Is {{#each who}}{{th¦", ["this"]),
        ("Is {{#each who}}{{@k¦", ["@key"]),
        ("Is {{#each who}}x{{/each}}{{th¦", []),
        ("Is {{topic}} to¦", []),
        ("Is {{! to¦", []),
    ],
)
def test_blocks_are_opened_and_closed(prompt, expected):
    assert argued(prompt) == expected


def test_code_is_no_template():
    assert in_debate("  - {label: j, type: job, code: \"print(f'{{to¦") == []


# -- expressions --------------------------------------------------------------------------------


def asked(expression):
    node = f"  - {{label: c, type: condition, expression: {expression}"
    return in_debate(node)


def test_an_expression_offers_names_and_functions():
    assert {"topic", "argue", "len(", "iterations('argue')", "and"} < {*asked("¦")}
    assert asked('"to¦') == ["topic"]


def test_an_expression_offers_only_names_that_it_can_say():
    assert "my end" not in asked("¦")


def test_a_function_asks_for_the_label_of_a_node():
    assert asked("iter¦ > 2}")[:2] == ["iterations('start')", "iterations('argue')"]
    assert asked('"iterations(ar¦') == []
    assert asked('"iterations(¦')[1] == "'argue'"
    assert asked("\"iterations('ar¦") == ["'argue'"]
    assert asked("\"iterations('ar¦')\"") == ["'argue"]
    assert asked("'iterations(''ar¦") == ["''argue''"]


def test_a_text_in_an_expression_is_left_alone():
    assert asked("\"topic == 'to¦") == []


# -- broken texts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "# ver¦",
        "nodes: # ty¦",
        "nodes:\n  - label: a\n      ty¦",
        "nodes:\n  - {label: ¦}",
        "nodes: ¦",
        "nodes:\n  - [ty¦]",
        "]¦",
        "a: *b¦",
        "? ¦",
    ],
)
def test_where_nothing_is_known_nothing_is_offered(text):
    assert suggested(text) == []


def test_the_start_is_counted_in_characters():
    text = "name: 🫖🫖\nnodes:\n  - {label: 🫖, type: sta¦"
    assert completions(text).start == len(text) - len("sta¦")


@pytest.mark.parametrize(
    "text", ["[" * 5000, "{a: " * 5000, "- " * 5000, "\"'" * 5000, "{{#if " * 5000, "\ud800" * 9]
)
@pytest.mark.parametrize("before", ["", "nodes:\n- label: a\n  prompt: "])
def test_hostile_texts_are_survived(before, text):
    for offset in (0, len(text) // 2, len(text)):
        assert complete(before + text, len(before) + offset, SCHEMA).start >= 0


def test_offsets_outside_of_the_text_offer_nothing():
    assert complete("nodes:", -1, SCHEMA).items == complete("nodes:", 7, SCHEMA).items == ()


@given(st.text(alphabet="{}[]\"':,-> \n|#ab&*%\\\0é🫖", max_size=60), st.data())
@settings(max_examples=400)
def test_any_text_is_survived(text, data):
    offset = data.draw(st.integers(0, len(text)))
    assert complete(text, offset, SCHEMA).start <= offset


HERE = Path(__file__).parent
README = (HERE.parents[1] / "README.md").read_text("utf-8")
EXAMPLES = {
    "here": DEBATE,
    "readme": README.partition("%%dipeo debate")[2].partition("```")[0].partition("\n")[2],
    **{path.name: path.read_text("utf-8") for path in HERE.glob("diagrams/*.light.yaml")},
}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_beginning_and_every_offset_gives_a_result(name):
    text = EXAMPLES[name]
    for offset in range(len(text) + 1):
        assert 0 <= complete(text[:offset], offset, SCHEMA).start <= offset
        if offset % 7 == 0:
            assert 0 <= complete(text, offset, SCHEMA).start <= offset
