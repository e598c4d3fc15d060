"""What a text must be to be a diagram."""

from __future__ import annotations

from .rule import Rule

RULES = (
    Rule(
        "unreadable",
        "error",
        "The file is not there, may not be read, or is no UTF-8 text.",
        "Look at the name and at the place; save the file as UTF-8.",
        "nowhere.light.yaml",
    ),
    Rule(
        "too_large",
        "error",
        "The text is so large, or nested so deeply, that it is not read.",
        "Split the diagram; move large texts into files that a `db` reads.",
        """
        nodes: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
        """,
    ),
    Rule(
        "yaml_syntax",
        "error",
        "The text is no YAML.",
        "Look at the line: an indentation, a colon or a quote is wrong there.",
        """
        nodes:
        - label: start
          type: start: now
        """,
    ),
    Rule(
        "json_syntax",
        "error",
        "The text begins as JSON and is none.",
        "Look at the line: a comma, a quote or a bracket is missing or too much.",
        """
        {
          "nodes": [,]
        }
        """,
    ),
    Rule(
        "duplicate_key",
        "error",
        "A map has the same key twice, so one of the values would be lost.",
        "Remove or rename one of them.",
        """
        nodes:
        - label: start
          type: start
          type: endpoint
        """,
    ),
    Rule(
        "not_a_diagram",
        "error",
        "The text can be read, but is no diagram.",
        "A diagram is a map with a list of `nodes`.",
        """
        - start
        - endpoint
        """,
    ),
    Rule(
        "unknown_version",
        "error",
        "The diagram says that it is of a version or format that is not known.",
        "Write `version: light`.",
        """
        version: heavy
        nodes:
        - {label: start, type: start}
        """,
    ),
    Rule(
        "unknown_entry",
        "warning",
        "An entry at the top looks like one that means something, but is spelt otherwise.",
        "Take the name that the hint gives.",
        """
        nodes:
        - {label: start, type: start}
        - {label: end, type: endpoint}
        conections:
        - {from: start, to: end}
        """,
    ),
    Rule(
        "bad_value",
        "error",
        "A value is not of the kind that is needed there, such as text for a number.",
        "Write the kind of value that the message names.",
        """
        nodes:
        - {label: start, type: start, position: {x: left, y: 0}}
        """,
    ),
    Rule(
        "empty_diagram",
        "error",
        "The diagram has no nodes.",
        "Begin with one of `type: start`.",
        """
        version: light
        nodes: []
        """,
    ),
    Rule(
        "missing_label",
        "error",
        "A node has no label, so nothing can name it.",
        "Write `label: …`.",
        """
        nodes:
        - {type: start}
        """,
    ),
    Rule(
        "bad_label",
        "error",
        "A label is empty, too long, or holds characters that cannot be seen.",
        "Choose a short label of visible characters.",
        r"""
        nodes:
        - {label: "start\tnow", type: start}
        """,
    ),
    Rule(
        "duplicate_label",
        "error",
        "Two nodes have the same label, so an edge to it could mean either.",
        "Rename one of them.",
        """
        nodes:
        - {label: start, type: start}
        - {label: start, type: start}
        """,
    ),
    Rule(
        "missing_type",
        "error",
        "A node has no type, so it is not known what it does.",
        "Write `type: …`.",
        """
        nodes:
        - {label: start}
        """,
    ),
    Rule(
        "bad_connection",
        "error",
        "An entry among the connections is none, or lacks one of its ends.",
        "Write `- {from: …, to: …}` or `- source -> target`.",
        """
        nodes:
        - {label: start, type: start}
        - {label: end, type: endpoint}
        connections:
        - {from: start}
        """,
    ),
    Rule(
        "unknown_node",
        "error",
        "Something names a node that does not exist.",
        "Take the label of a node as it is written there.",
        """
        nodes:
        - {label: start, type: start}
        - {label: end, type: endpoint}
        connections:
        - {from: start, to: edn}
        """,
    ),
    Rule(
        "bad_person",
        "error",
        "A person is not written as a map of fields, or a field of it cannot be.",
        "Write the label, and its fields further in below it.",
        """
        nodes:
        - {label: start, type: start}
        - {label: ask, type: person_job, person: Ann, prompt: Hello}
        connections:
        - {from: start, to: ask}
        persons:
          Ann: demo
        """,
    ),
    Rule(
        "duplicate_id",
        "error",
        "Two parts of a native diagram have the same id.",
        "Give each an id of its own.",
        """
        {
          "nodes": [
            {"id": "n1", "type": "start", "data": {"label": "start"}},
            {"id": "n1", "type": "endpoint", "data": {"label": "end"}}
          ],
          "arrows": []
        }
        """,
    ),
    Rule(
        "key_in_file",
        "warning",
        "An older file lists API keys with their values; they are neither used nor written back.",
        "Remove the value, and revoke the key: whoever got the file has it.",
        """
        nodes:
        - {label: start, type: start}
        apiKeys:
          work: {service: openai, key: sk-00000000000000000000}
        """,
    ),
)
