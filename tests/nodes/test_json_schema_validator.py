"""`json_schema_validator`: what fits passes, and what does not is named with its place."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pydantic import ValidationError

from dipeo_jupyter.diagram.model import Diagram
from dipeo_jupyter.engine.node import Inputs
from dipeo_jupyter.engine.schemas import closed, misfits
from dipeo_jupyter.errors import NodeError
from dipeo_jupyter.nodes.json_schema_validator import JsonSchemaValidator
from dipeo_jupyter.services.files import LocalFiles
from tests.nodes.context import FakeContext, services
from tests.running import run as run_diagram

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "born": {"type": "string", "format": "date"},
        "pets": {"type": "array", "items": {"properties": {"age": {"minimum": 0}}}},
    },
    "required": ["name"],
}


def run(value: Any, root: Any = None, **settings: Any) -> Any:
    settings = settings if "schema_path" in settings else {"json_schema": PERSON, **settings}
    node = JsonSchemaValidator.model_validate(settings)
    ctx = FakeContext(services=services(files=LocalFiles(root) if root else None))
    inputs = Inputs() if value is None else Inputs(default=value)
    return asyncio.run(node.run(inputs, ctx)).outputs["default"]


def refused(*args: Any, **settings: Any) -> NodeError:
    with pytest.raises(NodeError) as caught:
        run(*args, **settings)
    return caught.value


def test_what_fits_is_handed_on():
    assert run({"name": "Ann", "more": 1}) == {"name": "Ann", "more": 1}
    assert run('{"name": "Ann"}') == {"name": "Ann"}
    assert run("text", json_schema={"type": "string"}) == "text"


WRONG = {"born": "yesterday", "pets": [{"age": 1}, {"age": -1}]}


def test_the_first_fault_is_named_or_all_of_them():
    required = "'name' is a required property"
    assert str(refused(WRONG)) == f"The value does not fit the schema: {required}."
    error = refused(WRONG, strict_mode=True)
    assert error.details.splitlines() == [
        required,
        "born: 'yesterday' is not a 'date'",
        "pets.1.age: -1 is less than the minimum of 0",
    ]


def test_many_faults_are_counted():
    value = [str(number) for number in range(30)]
    error = refused(value, json_schema={"items": {"type": "integer"}}, strict=True)
    assert str(error).endswith("and 10 more.")
    assert len(error.details.splitlines()) == 30


def test_schema_and_value_may_be_in_files(tmp_path):
    (tmp_path / "schema.yaml").write_text("type: object\nrequired: [name]\n")
    (tmp_path / "data.json").write_text('{"name": "Ann"}')
    files = {"schema_path": "schema.yaml", "data_path": "data.json"}
    assert run(None, tmp_path, **files) == {"name": "Ann"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "no"}, "type: 'no' is not valid"),
        ({"$ref": "https://example.org/schema.json"}, "which is no part of it"),
        ({"$ref": "file:///etc/passwd"}, "which is no part of it"),
        ({"properties": {"a": {"$ref": "#/$defs/b"}}}, "which is no part of it"),
        ([], "A schema is an object"),
    ],
)
def test_a_schema_that_is_none_is_refused(tmp_path, schema, expected):
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    error = refused({}, tmp_path, schema_path="schema.json")
    assert expected in str(error)
    assert error.field == "schema_path"


@pytest.mark.parametrize(("wrong", "right"), [("schema", "data"), ("data", "schema")])
def test_a_file_that_holds_no_value_is_named(tmp_path, wrong, right):
    (tmp_path / f"{wrong}.json").write_text('{"type": ')
    (tmp_path / f"{right}.json").write_text("{}")
    files = {"schema_path": "schema.json", "data_path": "data.json"}

    error = refused(None, tmp_path, **files)

    assert str(error).startswith(f"{wrong}.json: The text is not valid JSON (line 1)")
    assert error.field == f"{wrong}_path"


def test_a_schema_without_end_and_a_slow_pattern_are_faults():
    endless = {"$ref": "#"}
    slow = {"type": "string", "pattern": "^(a|aa)+$"}
    assert "without end" in str(refused({}, json_schema=endless))
    assert "takes too long" in str(refused("a" * 60 + "b", json_schema=slow))


@pytest.mark.parametrize(
    ("schema", "value", "faults"),
    [
        ({"properties": {"a": {}}}, {"a": 1, "b": 2}, 1),
        ({"properties": {"a": {}}, "additionalProperties": True}, {"a": 1, "b": 2}, 0),
        ({"items": {"properties": {"a": {}}}}, [{"a": 1}, {"b": 2}], 1),
        ({"properties": {"a": {"properties": {}}}}, {"a": {"b": 1}}, 1),
        (
            {"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]},
            {"a": 1, "b": 2},
            0,
        ),
        ({"allOf": [{"properties": {"a": {}}}]}, {"a": 1, "c": 2}, 1),
        (
            {
                "allOf": [{"$ref": "#/$defs/named"}, {"properties": {"b": {}}}],
                "$defs": {"named": {"properties": {"a": {"properties": {"c": {}}}}}},
            },
            {"a": {"c": 1}, "b": 2},
            0,
        ),
        ({"$ref": "#/$defs/named", "$defs": {"named": {"properties": {"a": {}}}}}, {"b": 1}, 1),
        (
            {"$defs": {"x": {"properties": {"a": {"properties": {}}}}}, "$ref": "#/$defs/x"},
            {"a": {"b": 1}},
            1,
        ),
        ({"anyOf": [{"properties": {"a": {"properties": {}}}}]}, {"a": {"b": 1}}, 1),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, 3, 0),
        ({"properties": {"enum": {"enum": [{"properties": {}}]}}}, {"enum": {"properties": {}}}, 0),
    ],
)
def test_properties_that_no_part_names_are_extra(schema, value, faults):
    assert bool(misfits(closed(schema), value, 9)) == bool(faults)
    assert misfits(schema, value, 9) == []


def test_extra_properties_are_faults_only_when_asked_for():
    assert "'more' is not among the properties" in str(
        refused({"name": "A", "more": 1}, errorOnExtra=True)
    )


def test_settings_say_one_schema():
    for settings in ({}, {"json_schema": {}, "schema_path": "a.json"}):
        with pytest.raises(ValidationError, match="one of them"):
            JsonSchemaValidator.model_validate(settings)
    (problem,) = JsonSchemaValidator(json_schema={"type": "no"}).check("look", Diagram())
    assert problem.code == "bad_schema"


def test_a_misfit_may_go_another_way(tmp_path):
    outcome = run_diagram(
        """
        nodes:
        - {label: start, type: start, custom_data: {age: old}}
        - label: look
          type: json_schema_validator
          on_error: edge
          json_schema: {properties: {age: {type: integer}}}
        - {label: good, type: endpoint}
        - {label: bad, type: endpoint}
        edges: [start -> look -> good, "look.error -> bad"]
        """,
        root=tmp_path,
    )
    assert "age: 'old' is not of type 'integer'" in outcome.outputs["bad"]["message"]
    assert outcome.skipped == ["good"]
