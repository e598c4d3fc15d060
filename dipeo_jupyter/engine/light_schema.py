"""The JSON Schema (draft-07) of the light format, made from the node types.

Editors complete and check with it, and so does the notebook. It refuses what the check of a diagram
refuses in a node, as far as a schema can say it, and accepts what the reader keeps. Names of older
files are accepted, but marked as deprecated, so that nobody is offered them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import AliasChoices

from ..diagram.model import Edge, Person, Position
from ..diagram.older import OLDER_PERSON_FIELDS
from .node import DRAWING_ONLY, Node, NodeTypes

Schema = dict[str, Any]

_TEXT = {"type": "string"}
_KEPT_IN_PLACES: Schema = {"^__": {}, r"\.": {}}
"""Keys that mean something else: those that are left out, and `a.b: v` for `a: {b: v}`."""
_ENDPOINT = (
    "The label of a node, and in brackets one of its handles if it is not the default: "
    "`argue`, `argue[first]`, `done?[condtrue]`."
)
_PARAMETERS = {
    "temperature": ("How freely the model chooses its words; 0 is the strictest.", 0.2),
    "max_tokens": ("The longest answer, in tokens.", 1000),
    "top_p": ("The share of likely words to choose from, from 0 to 1.", 0.9),
    "frequency_penalty": ("How much the model avoids words that it has used often.", 0.5),
    "presence_penalty": ("How much the model avoids words that it has used at all.", 0.5),
}


def light_schema(node_types: NodeTypes) -> Schema:
    """What may be written in a light file; definitions of node types are called `node.<type>`."""
    types = list(dict.fromkeys(node_types.values()))
    definitions: Schema = {}
    for each in types:
        definitions |= {f"node.{each.type}": _node(each, definitions)}
    entries = {"type": ["array", "null"], "items": {"$ref": "#/$defs/connection"}}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Diagram of dipeo_jupyter, light format",
        "description": "A workflow: its steps, what goes from where to where, and who is asked.",
        "type": "object",
        "required": ["nodes"],
        "properties": {
            "version": {"enum": ["light", None], "description": "The format of this file."},
            "name": {"type": ["string", "null"], "description": "What the diagram is called."},
            "description": {"type": ["string", "null"], "description": "What the diagram is for."},
            "nodes": {
                "type": "array",
                "description": "The steps of the workflow.",
                "items": {"$ref": "#/$defs/node"},
            },
            "connections": {**entries, "description": "Which values go from where to where."},
            "edges": {**entries, "description": "The same as `connections`."},
            "persons": {
                "type": ["object", "null"],
                "description": "The models that nodes speak to, by their labels.",
                "additionalProperties": {"$ref": "#/$defs/person"},
            },
        },
        "$defs": {
            "node_type": _node_type(types, node_types),
            "node": _any_node(types, node_types),
            "connection": _connection(),
            "person": _person(),
            "position": _plain(Position.model_json_schema()),
            **definitions,
        },
    }


def describe(node_types: NodeTypes) -> Schema:
    """The schema, and the node types one by one: what each does, its handles and properties."""
    schema = light_schema(node_types)
    definitions = schema["$defs"]
    described = [
        {
            "type": each.type,
            "aliases": _names(each, node_types)[1:],
            "summary": _summary(each),
            "description": inspect.getdoc(each),
            "inputs": list(each.inputs),
            "handles": list(each.handles),
            "example": dict(each.example),
            "fields": list(_fields(each, definitions[f"node.{each.type}"]["properties"])),
        }
        for each in dict.fromkeys(node_types.values())
    ]
    return {"schema": schema, "node_types": described}


def _fields(node_type: type[Node], properties: Schema) -> Iterator[Schema]:
    for form in (*node_type.forms, node_type):
        for field, info in form.model_fields.items():
            name, *aliases = _written(form, field)
            if form is node_type or field not in node_type.model_fields:
                yield {
                    "name": name,
                    "aliases": aliases,
                    "required": form is node_type and info.is_required(),
                    **properties[name],
                }


# Nodes --------------------------------------------------------------------------------------------


def _names(node_type: type[Node], node_types: NodeTypes) -> list[str]:
    others = (name for name, each in node_types.items() if each is node_type)
    return list(dict.fromkeys([node_type.type, *others]))


def _node_type(types: list[type[Node]], node_types: NodeTypes) -> Schema:
    """The present names of all types come first."""
    said = {each.type: _summary(each) for each in types}
    for each in types:
        for alias in _names(each, node_types)[1:]:
            said.setdefault(alias, f"Another name of `{each.type}`. {_summary(each)}")
    return {
        "type": "string",
        "description": "What the node does.",
        "enum": list(said),
        "enumDescriptions": list(said.values()),
    }


def _any_node(types: list[type[Node]], node_types: NodeTypes) -> Schema:
    """By its type. Files keep nodes of unknown types, but here they are most likely misspelled."""
    names = [name for each in types for name in _names(each, node_types)]
    return {
        "type": ["object", "null"],
        "properties": _identity(
            {
                "anyOf": [
                    {"$ref": "#/$defs/node_type"},
                    {"type": "string", "pattern": _spelled_otherwise(names)},
                ]
            }
        ),
        "required": ["label", "type"],
        "allOf": [
            {
                "if": {
                    "type": "object",
                    "properties": {"type": {"enum": _names(each, node_types)}},
                    "required": ["type"],
                },
                "then": {"$ref": f"#/$defs/node.{each.type}"},
            }
            for each in types
        ],
        "defaultSnippets": [_snippet(each) for each in types],
    }


def _spelled_otherwise(names: Iterable[str]) -> str:
    """A pattern for these names in any case and with any of `_`, `-` and a space, as files do."""
    letters = (
        "[-_ ]?".join(f"[{each.lower()}{each.upper()}]" for each in re.sub(r"[\W_]", "", name))
        for name in names
    )
    return f"^({'|'.join(letters)})$"


def _identity(type_: Schema) -> Schema:
    return {
        "label": {
            **_TEXT,
            "minLength": 1,
            "description": "The name of the node; no two have the same. Edges lead to it.",
            "examples": ["Write a draft"],
        },
        "type": {"description": "What the node does.", "anyOf": [type_]},
        "position": {
            "description": "Where the node stands; without it, a place is found for it.",
            "anyOf": [{"$ref": "#/$defs/position"}, {"type": "null"}],
            "examples": [{"x": 100, "y": 200}],
        },
    }


def _node(node_type: type[Node], definitions: Schema) -> Schema:
    properties: Schema = {}
    forms = (node_type, *node_type.forms)
    for found in (*(_settings(form, definitions) for form in forms), *map(_marked, forms)):
        properties |= {name: each for name, each in found.items() if name not in properties}
    inner = f"#/$defs/node.{node_type.type}/properties/"
    return {
        "title": node_type.type,
        "description": _summary(node_type),
        "markdownDescription": inspect.getdoc(node_type),
        "type": "object",
        "properties": {
            **_identity({"$ref": "#/$defs/node/properties/type"}),
            **properties,
            "props": {
                "description": "The properties of the node; they may stand beside `label` too.",
                "type": ["object", "null"],
                "properties": {name: {"$ref": f"{inner}{name}"} for name in properties},
                "patternProperties": _KEPT_IN_PLACES,
                "additionalProperties": False,
            },
        },
        "required": ["label", "type"],
        "allOf": [
            _needed(_written(node_type, field))
            for field, info in node_type.model_fields.items()
            if info.is_required()
        ],
        "patternProperties": _KEPT_IN_PLACES,
        "additionalProperties": False,
        "x-handles": {"inputs": list(node_type.inputs), "outputs": list(node_type.handles)},
        "x-aliases": list(node_type.aliases),
        "x-names": list(node_type.own_names),
    }


def _needed(names: list[str]) -> Schema:
    """One of these names, beside `label` or in `props`."""
    props = [{"required": [name]} for name in names]
    inside = {"required": ["props"], "properties": {"props": {"type": "object", "anyOf": props}}}
    return {"anyOf": [*props, inside]}


def _settings(node_type: type[Node], definitions: Schema) -> Schema:
    """The properties under all their names; what they refer to is added to the definitions."""
    schema = node_type.model_json_schema(by_alias=False)
    definitions |= {name: _plain(each) for name, each in schema.get("$defs", {}).items()}
    properties: Schema = {}
    older: Schema = {}
    for field, described in schema["properties"].items():
        present, *others = _written(node_type, field)
        properties[present] = _plain(described) | _holds(node_type, field)
        for name in others:
            older[name] = _older(properties[present], present)
    return properties | older


def _holds(node_type: type[Node], field: str) -> Schema:
    """What its texts are, where they are more than texts: completion asks for it."""
    kinds = {
        "template": node_type.templates,
        "expression": node_type.expressions,
        "person": node_type.names_persons,
        "node": node_type.names_nodes,
    }
    found = next((kind for kind, fields in kinds.items() if field in fields), None)
    return {"x-holds": found} if found else {}


def _marked(node_type: type[Node]) -> Schema:
    """Properties of other tools: those without an effect, those read into others, those refused."""
    nothing = "Read from other tools' files; it has no effect here."
    return {
        **{name: _deprecated(nothing) for name in sorted(node_type.ignored | DRAWING_ONLY)},
        **{name: _deprecated(f"Write {now} instead.") for name, now in node_type.older.items()},
        **{
            name: {
                **_deprecated(f"Not supported here. {refusal.hint}"),
                "enum": list(refusal.harmless),
            }
            for name, refusal in node_type.refused.items()
        },
    }


def _snippet(node_type: type[Node]) -> Schema:
    body = {"label": "${1:label}", "type": node_type.type, **node_type.example}
    return {"label": node_type.type, "description": _summary(node_type), "body": body}


def _summary(node_type: type[Node]) -> str:
    return (inspect.getdoc(node_type) or node_type.type).partition("\n")[0]


def _written(node_type: type[Node], field: str) -> list[str]:
    """How people write a property: the first alias is its name, where it has any."""
    alias = node_type.model_fields[field].validation_alias
    first = [str(alias.choices[0])] if isinstance(alias, AliasChoices) else []
    return list(dict.fromkeys([*first, *node_type.names_of(field)]))


# The rest -----------------------------------------------------------------------------------------


def _connection() -> Schema:
    edge = _plain(Edge.model_json_schema())["properties"]
    content_type = edge["content_type"]
    return {
        "title": "connection",
        "description": (
            "Leads a value from one node to another: an arrow, or a map with `from` and `to`."
        ),
        "type": ["object", "string", "null"],
        "pattern": "->",
        "examples": ["start -> argue", "start -> argue[first] as topic"],
        "required": ["from", "to"],
        "properties": {
            "from": {**_TEXT, "description": f"Where the value comes from. {_ENDPOINT}"},
            "to": {**_TEXT, "description": f"Where the value goes. {_ENDPOINT}"},
            "label": edge["label"],
            "content_type": content_type,
            "data": {**edge["data"], "type": ["object", "null"]},
            "type": _older(content_type, "content_type"),
        },
        "defaultSnippets": [
            {
                "label": "connection",
                "description": "Leads a value from one node to another.",
                "body": {"from": "${1:label}", "to": "${2:label}"},
            },
            {"label": "arrow", "description": "The same on one line.", "body": "${1:a} -> ${2:b}"},
        ],
    }


def _person() -> Schema:
    schema = _plain(Person.model_json_schema())
    properties = schema["properties"] | {
        name: {"description": said, "examples": [example]}
        for name, (said, example) in _PARAMETERS.items()
    }
    for name, present in OLDER_PERSON_FIELDS.items():
        properties[name] = _older(properties[present], present)
    properties["llm_config"] = _deprecated("Write its fields beside each other, without it.")
    return {**schema, "title": "person", "properties": properties}


def _older(described: Mapping[str, Any], present: str) -> Schema:
    kept = {key: value for key, value in described.items() if key not in {"default", "examples"}}
    said = f"Older name of `{present}`. {described.get('description', '')}".strip()
    return kept | {
        "description": said,
        "deprecated": True,
        "deprecationMessage": f"Write `{present}`.",
    }


def _deprecated(said: str) -> Schema:
    return {"description": said, "deprecated": True, "deprecationMessage": said}


def _plain(schema: Any) -> Any:
    """The same without made-up titles, and `null` as one more type where that is possible."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {
        key: _named(value) if key == "properties" else _plain(value)
        for key, value in schema.items()
        if key not in {"title", "default", "examples"}
    }
    match plain.pop("anyOf", None):
        case [{"type": str(kind)} as only, {"type": "null"}]:
            values = {"enum": [*only["enum"], None]} if "enum" in only else {}
            plain |= only | {"type": [kind, "null"]} | values
        case list(choices):
            plain["anyOf"] = choices
    # Data, not schemas.
    data = {key: schema[key] for key in ("default", "examples") if schema.get(key) is not None}
    return plain | data


def _named(properties: Schema) -> Schema:
    return {name: _plain(each) for name, each in properties.items()}
