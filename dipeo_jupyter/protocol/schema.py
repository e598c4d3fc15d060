"""The protocol for others: as JSON Schema, and as types for the front end in TypeScript.

`python -m dipeo_jupyter.protocol.schema FOLDER` writes both files anew.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import TypeAdapter

from .commands import CollectionSummary, ExecutionSummary, Plan
from .conversation import Said
from .events import event_adapter
from .refusals import Problem
from .wire import VERSION, ServerMessage, any_command_adapter

SCHEMA_FILE, TYPES_FILE = "messages.schema.json", "messages.ts"
Schema: TypeAlias = Mapping[str, Any]

_JSON = "JsonValue"
_UNIONS = ("Command", "AnyEvent", "ServerMessage")
_ANY_DIAGRAM = [
    {"type": "string", "description": "Its text, in any of the three formats."},
    {"type": "object", "description": "The same as an object, in any of the three formats."},
]
_SIMPLE = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
_HEAD = f"""\
// Made of dipeo_jupyter/protocol; changes here are lost. To make it anew:
// python -m dipeo_jupyter.protocol.schema labextension/src/protocol

export const PROTOCOL_VERSION = {VERSION};

export type JsonValue =
  null | boolean | number | string | JsonValue[] | {{ [key: string]: JsonValue }};

/** What travels in one text frame. */
export type Framed<M extends {{ type: string }}> = M extends unknown
  ? {{
      type: M["type"];
      payload: Omit<M, "type">;
      timestamp: string;
      correlation_id?: string;
      execution_id?: string;
      seq?: number;
    }}
  : never;

/** An event as an entry of a run: numbered, from 1. */
export type EventFrame = Framed<AnyEvent> & {{ execution_id: string; seq: number }};
export type ServerFrame = EventFrame | Framed<ServerMessage>;

/** A command as it is sent. */
export type CommandFrame = Command & {{ correlation_id?: string }};
"""


def json_schema() -> dict[str, Any]:
    """The JSON Schema of all that is said.

    Its `$defs` has `Command` for what clients say, `AnyEvent` and `ServerMessage` for what they
    hear.
    """
    messages: TypeAdapter[Any] = TypeAdapter(ServerMessage)
    results = (ExecutionSummary, CollectionSummary, Plan, Said, Problem)
    found, rest = TypeAdapter.json_schemas(
        [
            ("Command", "validation", any_command_adapter),
            ("AnyEvent", "serialization", event_adapter),
            ("ServerMessage", "validation", messages),
            *((each.__name__, "serialization", TypeAdapter(each)) for each in results),
        ]
    )
    definitions: dict[str, Any] = rest["$defs"]
    definitions |= {key: each for (key, _), each in found.items() if key in _UNIONS}
    for name in _members(definitions["Command"]):
        _accept_any_diagram(definitions[name])
    for name in _members(definitions["AnyEvent"]):  # nothing that has happened is left out
        definitions[name]["required"] = list(definitions[name]["properties"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What is said on the WebSocket of dipeo_jupyter",
        "description": f"Version {VERSION}. A frame has the fields of a message in `payload`.",
        "$defs": dict(sorted(definitions.items())),
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in _UNIONS],
    }


def typescript() -> str:
    """The same as types of TypeScript."""
    definitions: dict[str, Schema] = json_schema()["$defs"]
    declared = [_declared(name, each) for name, each in definitions.items() if name != _JSON]
    return "\n".join([_HEAD, *declared])


def files() -> dict[str, str]:
    """Both files, by name."""
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    return {SCHEMA_FILE: schema, TYPES_FILE: typescript()}


def _accept_any_diagram(schema: dict[str, Any]) -> None:
    """Whoever asks may give a diagram as people write it."""
    diagram = schema.get("properties", {}).get("diagram")
    if diagram is None:
        return
    kept = {key: each for key, each in diagram.items() if key not in ("$ref", "anyOf")}
    before = diagram.get("anyOf") or [{"$ref": diagram["$ref"]}]
    schema["properties"]["diagram"] = {**kept, "anyOf": [*before, *_ANY_DIAGRAM]}


def _members(union: Schema) -> list[str]:
    return [each["$ref"].rpartition("/")[2] for each in union["oneOf"]]


def _declared(name: str, schema: Schema) -> str:
    comment = _comment(schema, "")
    if schema.get("type") == "object" and "properties" in schema:
        return f"{comment}export interface {name} {{\n{''.join(_fields(schema))}}}\n"
    return f"{comment}export type {name} = {_type(schema)};\n"


def _fields(schema: Schema) -> Iterator[str]:
    required = schema.get("required", ())
    for name, each in schema["properties"].items():
        mark = "" if name in required or name == "type" else "?"
        yield f"{_comment(each, '  ')}  {name}{mark}: {_type(each)};\n"
    extra = schema.get("additionalProperties")
    if extra is True or isinstance(extra, dict):
        yield "  [key: string]: unknown;\n"


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " | ".join(dict.fromkeys(_type(each) for each in schema[union]))
    match schema.get("type"):
        case "array" if "prefixItems" in schema:
            return f"[{', '.join(map(_type, schema['prefixItems']))}]"
        case "array":
            inner = _type(schema.get("items", {}))
            return f"({inner})[]" if " " in inner else f"{inner}[]"
        case "object":
            values = schema.get("additionalProperties")
            inner = _type(values) if isinstance(values, dict) else _JSON
            return f"{{ [key: string]: {inner} }}"
        case str() as simple:
            return _SIMPLE[simple]
    return _JSON


def _comment(schema: Schema, indent: str) -> str:
    lines = schema.get("description", "").replace("*/", "* /").splitlines()
    if len(lines) < 2:  # noqa: PLR2004 - one line stays one
        return f"{indent}/** {lines[0]} */\n" if lines else ""
    middle = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{middle}{indent} */\n"


def main(folder: str) -> None:
    """Write both files."""
    for name, text in files().items():
        Path(folder, name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
