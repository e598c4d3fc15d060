"""The schema of the light format: what the check accepts, it accepts, and describes all of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from textwrap import dedent

import jsonschema
import pytest

from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Person, Position
from dipeo_jupyter.diagram.source import read
from dipeo_jupyter.engine.light_schema import light_schema
from dipeo_jupyter.engine.node import DefaultValue, RetryPolicy
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.protocol.commands import Describe
from tests.steering import engine

TYPES = load_node_types()
CLASSES = list(dict.fromkeys(TYPES.values()))
SCHEMA = light_schema(TYPES)
DEFS = SCHEMA["$defs"]
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
ROOT = Path(__file__).parent.parent.parent
OF_OLDER_FORM = {"edges_inside", "ids_and_data", "labels_as_keys"}
FILES = [
    path
    for path in sorted((ROOT / "tests" / "diagram" / "diagrams").glob("*.light.yaml"))
    if path.name.split(".")[0] not in OF_OLDER_FORM
]
CELLS = [
    "".join(cell["source"]).split("\n", 1)[1]
    for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    if "".join(cell["source"]).startswith("%%dipeo")
]


def faults(text):
    """Where the schema finds something wrong."""
    data, _ = read(dedent(text), "diagram")
    return [error.json_path for error in VALIDATOR.iter_errors(data)]


def node(fields):
    return f"nodes:\n- {{label: a, {fields}}}\n"


def test_the_schema_is_a_schema():
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_the_schema_is_json():
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_every_reference_in_the_schema_leads_somewhere():
    resolver = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)
    found = [part for part in _parts(SCHEMA) if isinstance(part.get("$ref"), str)]
    assert found
    for part in found:
        list(resolver.evolve(schema=part).iter_errors(None))


def _parts(value):
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from _parts(each)


# What it accepts and what it refuses --------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.split(".")[0])
def test_a_file_is_refused_only_for_what_the_check_refuses(path):
    refused = {"two_endings": ["$.nodes[1].condition_type"]}
    name = path.name.split(".")[0]
    assert refused.get(name, []) == faults(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", CELLS)
def test_the_diagrams_of_the_notebooks_are_accepted(text):
    assert [] == faults(text)


@pytest.mark.parametrize(
    "fields",
    [
        "type: job, code: x",
        "type: code_job, props: {code: x, codeType: python}",
        "type: job, code: x, language: js",
        "type: JOB, code: x",
        "type: Person_Job, person: P, prompt: hi",
        "type: person-job, person: P, prompt: hi",
        "type: person_job, props: {person: P}, prompt: hi",
        "type: person_job, personId: P, prompt: hi, memorize_to: goldfish",
        "type: person_job, person: P, prompt: hi, memory_config: {forget_mode: no_forget}",
        "type: person_job, person: P, prompt: hi, memory: 'what was said about {{tea}}'",
        "type: person_job, person: P, prompt: hi, memory_config.forget_mode: no_forget",
        "type: person_job, person: P, prompt: hi, batch: true, batch_input_key: a, partial: true",
        "type: person_job, person: P, prompt: hi, tools: none, max_iteration: null",
        "type: db, file: a.csv, lines: 5, keys: [a, b]",
        "type: db, file: [a, b], format: txt",
        "type: endpoint, on_error: {default: 3}, retry: {max_attempts: 2}, join: any",
        "type: endpoint, position: {x: 1.5, y: -3}, __note: x, flipped: true, id: node_1",
        "type: user_response, prompt: hi, choices: [a, b]",
        "type: notion, operation: read_page, pageId: p, filter: '{}'",
        "type: start, custom_data: 3, trigger_mode: none",
        "type: start, props: null",
    ],
)
def test_what_the_check_accepts_is_accepted(fields):
    assert [] == faults(node(fields))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (node("type: job, cod: x"), "$.nodes[0]"),
        (node("type: job, props: {cod: x}"), "$.nodes[0].props"),
        (node("type: job, code: 3"), "$.nodes[0].code"),
        (node("type: code_job, props: {code: [x]}"), "$.nodes[0].props.code"),
        (node("type: job, code: x, language: rust"), "$.nodes[0].language"),
        (node("type: job, code: x, timeout: 0"), "$.nodes[0].timeout"),
        (node("type: job, code: x, retry: 3"), "$.nodes[0].retry"),
        (node("type: job, code: x, retry: {max_attempts: 0}"), "$.nodes[0].retry"),
        (node("type: endpoint, join: al"), "$.nodes[0].join"),
        (node("type: endpoint, on_error: stop"), "$.nodes[0].on_error"),
        (node("type: endpoint, max_iteration: 0"), "$.nodes[0].max_iteration"),
        (node("type: endpoint, file_format: docx"), "$.nodes[0].file_format"),
        (node("type: end, save_to_file: 7"), "$.nodes[0].save_to_file"),
        (node("type: person_job, prompt: hi"), "$.nodes[0]"),
        (node("type: person_job, person: P, prompt: hi, memory: goldfsh"), "$.nodes[0].memory"),
        (node("type: person_job, person: P, prompt: hi, at_most: 0"), "$.nodes[0].at_most"),
        (node("type: person_job, person: P, prompt: hi, tools: [{web: 1}]"), "$.nodes[0].tools"),
        (node("type: user_response"), "$.nodes[0]"),
        (node("type: notion"), "$.nodes[0]"),
        (node("type: notion, operation: fly"), "$.nodes[0].operation"),
        (node("type: db, file: a, operation: delete"), "$.nodes[0].operation"),
        (node("type: start, position: {x: left, y: 0}"), "$.nodes[0].position"),
        ("nodes:\n- {type: start}\n", "$.nodes[0]"),
        ("nodes:\n- {label: a}\n", "$.nodes[0]"),
        ("nodes:\n- {label: '', type: mystery}\n", "$.nodes[0].label"),
        ("nodes:\n- a\n", "$.nodes[0]"),
        ("version: light\n", "$"),
        ("version: bright\nnodes: []\n", "$.version"),
        ("nodes: []\nconnections: [{from: a}]\n", "$.connections[0]"),
        ("nodes: []\nconnections: [{from: a, to: 3}]\n", "$.connections[0].to"),
        ("nodes: []\nedges: [a b]\n", "$.edges[0]"),
        ("nodes: []\nconnections: {from: a, to: b}\n", "$.connections"),
        ("nodes: []\npersons: [P]\n", "$.persons"),
        ("nodes: []\npersons: {P: {model: 4}}\n", "$.persons.P.model"),
    ],
)
def test_what_is_wrong_is_found_where_it_stands(text, place):
    assert place in faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "nodes: []\nedges: [a -> b, 'a -> b.first as topic', null]\n",
        "nodes: []\nconnections: [{from: a, to: b, type: object, packing: spread}]\n",
        "nodes: []\npersons: {P: {service: demo, answers: [a], systemPrompt: x}}\n",
        "nodes: [null]\nmetadata: {author: me}\nconnections:\npersons:\n",
    ],
)
def test_what_the_reader_keeps_is_accepted(text):
    assert [] == faults(text)


# What it says -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [*CLASSES, Person, Edge, Position, NodeSpec, RetryPolicy, DefaultValue, Diagram],
    ids=lambda model: model.__name__,
)
def test_every_field_says_what_it_is(model):
    silent = [name for name, field in model.model_fields.items() if not field.description]
    assert [] == silent


@pytest.mark.parametrize("node_type", CLASSES, ids=lambda each: each.type)
def test_every_node_type_says_what_it_does_in_a_line(node_type):
    summary = DEFS[f"node.{node_type.type}"]["description"]
    assert summary.endswith(".")
    assert len(summary) < 90


@pytest.mark.parametrize("name", [name for name in DEFS if name != "node"])
def test_every_property_in_the_schema_is_described(name):
    for each, schema in DEFS[name].get("properties", {}).items():
        assert schema.get("description"), f"{name}: {each}"


@pytest.mark.parametrize("node_type", CLASSES, ids=lambda each: each.type)
def test_examples_of_properties_are_accepted_themselves(node_type):
    properties = DEFS[f"node.{node_type.type}"]["properties"]
    for name, schema in properties.items():
        for example in schema.get("examples", ()):
            wrong = VALIDATOR.evolve(schema=schema | {"$defs": DEFS}).iter_errors(example)
            assert not list(wrong), (name, example)


@pytest.mark.parametrize("node_type", CLASSES, ids=lambda each: each.type)
def test_all_names_that_a_node_type_reads_are_there(node_type):
    names = {*node_type.property_names(), *node_type.ignored, *node_type.refused, *node_type.older}
    assert names - {"answer_schema"} <= DEFS[f"node.{node_type.type}"]["properties"].keys()


def test_present_names_are_offered_and_older_ones_are_not():
    properties = DEFS["node.job"]["properties"]
    assert "deprecated" not in properties["language"]
    assert properties["code_type"]["deprecated"] is True
    assert properties["code_type"]["deprecationMessage"] == "Write `language`."
    assert properties["code_type"]["enum"] == properties["language"]["enum"]


def test_what_is_written_is_no_older_name_of_itself():
    properties = DEFS["node.user_response"]["properties"]
    assert "deprecated" not in properties["schema"]
    assert "deprecated" not in DEFS["node.person_job"]["properties"]["prompt"]


def test_present_names_of_types_come_before_other_names():
    names, said = DEFS["node_type"]["enum"], DEFS["node_type"]["enumDescriptions"]
    present = len(CLASSES)
    assert {each.type for each in CLASSES} == set(names[:present])
    assert set(TYPES) == set(names)
    assert all(each.startswith("Another name of ") for each in said[present:])


def test_handles_of_a_node_type_are_told():
    handles = DEFS["node.condition"]["x-handles"]
    assert handles == {"inputs": ["default"], "outputs": ["condtrue", "condfalse"]}


def test_every_node_type_has_a_snippet_that_is_accepted():
    snippets = DEFS["node"]["defaultSnippets"]
    assert [each["label"] for each in snippets] == [each.type for each in CLASSES]
    assert not list(VALIDATOR.iter_errors({"nodes": [each["body"] for each in snippets]}))


# The command --------------------------------------------------------------------------------------


def described():
    async def main():
        running = engine()()
        try:
            return (await running.send(Describe())).result
        finally:
            await running.close()

    return asyncio.run(main())


def test_describe_gives_the_schema_and_the_node_types():
    result = described()
    assert result["schema"] == SCHEMA
    assert json.loads(json.dumps(result)) == result


def test_a_described_node_type_tells_names_handles_and_fields():
    (job,) = [each for each in described()["node_types"] if each["type"] == "job"]
    assert (["code_job"], ["default"], ["default"]) == (
        job["aliases"],
        job["inputs"],
        job["handles"],
    )
    (language,) = [each for each in job["fields"] if each["name"] == "language"]
    assert ["code_type", "codeType"] == language["aliases"]
    assert not language["required"]


def test_a_described_field_is_required_where_the_check_wants_it():
    (ask,) = [each for each in described()["node_types"] if each["type"] == "user_response"]
    assert ["prompt"] == [each["name"] for each in ask["fields"] if each["required"]]


@pytest.mark.parametrize("wrong", ["strat", "start2", "ir_builder", "person job job"])
def test_a_misspelled_type_is_refused_at_its_place(wrong):
    assert ["$.nodes[0].type"] == faults(node(f"type: {wrong}"))
