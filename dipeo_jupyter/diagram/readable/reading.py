"""Reads the readable format: nodes as a list, and the flow between them in sentences.

```yaml
version: readable
name: debate                    # and `description`; both may be left out
persons:
  - Judge:
      service: openai
nodes:
  - Start @(40,20):
      type: start
  - Panel @(40,140):
      type: person_job
      person: Judge
  - Enough? @(40,260):
      type: condition
flow:
  - Start: to "Panel" in "_first" as "raw_text" naming "topic"
  - Panel: to "Enough?"
  - Enough?:
      - from "_condfalse" to "Panel"
      - {from: _condtrue, to: Panel, data: {packing: spread}}
```

The rules of the grammar:

* **Nodes** are a list of maps with one key, or one map. The key is the label, then if wanted
  `[type]`, then if wanted `@(x,y)`. A label that itself ends like that, or stands in double quotes,
  is written in double quotes with the escapes of JSON: `'"Draft [old]" @(1,2)'`. Below stand
  `type`, `position` (unless they are in the key) and the properties. `a.b: 1` is `a: {b: 1}`.
  Properties may also stand in `props`, where no name has a meaning of its own.
* A node without `type` gets one by its fields, its label and its connections (`inference.py`).
* **Persons** are a list of maps with one key, or one map. A node names its person by label, or as
  the ancestor did, by `person_<label>`.
* **Flow** is a list of maps from a source to one connection or a list of them. The source is a
  label, or a label with an exit: `Enough?_condtrue`. An exact label always comes first.
* **A connection** is a sentence of the words `from` (exit), `to` (target), `in` (entry), `as`
  (content type) and `naming` (variable), each followed by text in double quotes with the escapes of
  JSON, or by one word without quotes. Only `to` must be there. Handles begin with `_` and are then
  taken exactly; without it `true` and `false` are short for `condtrue` and `condfalse`.
* The same as a map: `{to: Panel, in: _first, data: {…}}`. Only a map can carry `data`.
* **Older forms**: `Panel_first (raw_text)(topic)` for `to "Panel" in "_first" as "raw_text" naming
  "topic"`; `"A -> B"` in the list itself; `workflow` for `nodes`; inside of a node its own
  `connections: [{to: "Panel:first", handle: condtrue, label: topic, contentType: raw_text}]`;
  `config: {persons: …}`.
* Other top-level entries are kept in `Diagram.extra`. Those whose name means something here, or
  `extra`, stand in a map called `extra`.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import JsonValue

from ..light.nodes import Draft, build_node, draft_nodes
from ..model import Diagram, Edge, Label, NodeSpec, Person
from ..report import Map, Report, survey_yaml
from ..source import Marks, Path, Reading
from .flow import Link, build_edges, read_links
from .nodes import labels_of, read_steps, with_person, with_type
from .persons import build_persons, person_entries
from .places import in_light_shape, readable_places

HEAD = ("version", "format", "name", "description")
PARTS = ("persons", "nodes", "flow", "workflow", "config", "extra")
OTHERS = ("connections", "edges")
"""Where the light format has its edges; nothing in them may be lost unnoticed."""
RESERVED = frozenset({*HEAD, *PARTS, *OTHERS})
"""The top-level entries that have a meaning; all others are kept in `Diagram.extra`."""


def survey(text: str, name: str = "diagram") -> Reading:
    """What can be read of a text; `name` is what the text is called.

    Never raises: a text of which nothing can be read gives an empty diagram and the reason.
    """
    return survey_yaml(text, name, "readable", _diagram)


def _diagram(data: Map, report: Report) -> Diagram:
    _check_head(data, report)
    steps = read_steps(data, report)
    # Without nodes every edge would be wrong.
    links = read_links(data, steps, report) if "nodes" in data or "workflow" in data else []
    entries = list(person_entries(data, report))
    extra = _extra(data, report)
    report.warn_of_secrets(data)

    source, paths = report.source, [step.path for step in steps]
    report.source = replace(source, marks=Marks(lambda: in_light_shape(source.marks, paths)))
    drafts = draft_nodes([step.entry for step in steps], report)
    _learn_names(drafts, links, entries, report)

    persons = build_persons(entries, report)
    edges = build_edges(links, labels_of(steps), report)
    fields = {
        "name": data.get("name"),
        "description": data.get("description"),
        "nodes": _nodes(drafts, edges, persons, report),
        "edges": edges,
        "persons": persons,
        "extra": extra,
    }
    return report.build(Diagram, fields, ()) or Diagram()


def _check_head(data: Map, report: Report) -> None:
    version, form = data.get("version"), data.get("format")
    # The oldest files number their versions.
    named = form == "readable" or (form is None and "workflow" in data)
    if not named and (version not in (None, "readable") or form is not None):
        key = "version" if form is None else "format"
        message = f"This is not the readable format, but `{key}: {str(data[key])[:40]}`."
        report.add("not_a_diagram", message, (key,), "Write `version: readable`.")
    for key in OTHERS:
        if key in data:
            hint = 'In this format they stand in `flow`: `- Source: to "Target"`.'
            report.add("bad_connection", f"`{key}` mean nothing here.", (key,), hint)


def _extra(data: Map, report: Report) -> Map:
    extra = {key: value for key, value in data.items() if key not in RESERVED}
    config = data.get("config")
    if isinstance(config, dict):
        config = {key: value for key, value in config.items() if key != "persons"}
    if config:
        extra["config"] = config
    return extra | report.map(data.get("extra"), ("extra",))


def _learn_names(
    drafts: list[Draft],
    links: list[Link],
    persons: list[tuple[Path, Label, JsonValue]],
    report: Report,
) -> None:
    nodes = {draft.place: draft.path for draft in drafts}
    others: list[tuple[Path, Path]] = [(path, ("persons", label)) for path, label, _ in persons]
    others += [(link.path, ("edges", i)) for i, link in enumerate(links)]
    sources: dict[Path, Path] = {("edges", i, "source"): link.key for i, link in enumerate(links)}
    source = report.source
    marks = Marks(lambda: readable_places(source.marks, nodes, others, sources))
    report.source = replace(source, marks=marks)


def _nodes(
    drafts: list[Draft], edges: list[Edge], persons: dict[Label, Person], report: Report
) -> list[NodeSpec]:
    exits: dict[Label | None, set[str]] = {}
    for edge in edges:
        exits.setdefault(edge.source, set()).add(edge.source_handle)
    typed = [
        with_type(draft, exits.get(draft.label, ()), first=i == 0) for i, draft in enumerate(drafts)
    ]
    nodes = [build_node(with_person(draft, persons), report) for draft in typed]
    return [node for node in nodes if node is not None]
