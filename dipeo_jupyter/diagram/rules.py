"""The table of all that can be wrong with a diagram, in the order in which one is looked at.

The examples are tests: each of them has the problem it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

from ..errors import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code stands for. `example` is a small diagram that has the problem."""

    code: str
    severity: Severity
    meaning: str
    remedy: str
    example: str


RULES: list[Rule] = []
"""One for each code."""


def _rule(code: str, severity: Severity, meaning: str, remedy: str, example: str) -> None:
    RULES.append(Rule(code, severity, meaning, remedy, dedent(example).lstrip("\n")))


_rule(
    "unreadable",
    "error",
    "The file is not there, may not be read, or is no UTF-8 text.",
    "Look at the name and at the place; save the file as UTF-8.",
    "nowhere.light.yaml",
)
_rule(
    "too_large",
    "error",
    "The text is so large, or nested so deeply, that it is not read.",
    "Split the diagram; move large texts into files that a `db` reads.",
    """
    nodes: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
    """,
)
_rule(
    "yaml_syntax",
    "error",
    "The text is no YAML.",
    "Look at the line: an indentation, a colon or a quote is wrong there.",
    """
    nodes:
    - label: start
      type: start: now
    """,
)
_rule(
    "json_syntax",
    "error",
    "The text begins as JSON and is none.",
    "Look at the line: a comma, a quote or a bracket is missing or too much.",
    """
    {
      "nodes": [,]
    }
    """,
)
_rule(
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
)
_rule(
    "not_a_diagram",
    "error",
    "The text can be read, but is no diagram.",
    "A diagram is a map with a list of `nodes`.",
    """
    - start
    - endpoint
    """,
)
_rule(
    "unknown_version",
    "error",
    "The diagram says that it is of a version or format that is not known.",
    "Write `version: light`.",
    """
    version: heavy
    nodes:
    - {label: start, type: start}
    """,
)
_rule(
    "bad_value",
    "error",
    "A value is not of the kind that is needed there, such as text for a number.",
    "Write the kind of value that the message names.",
    """
    nodes:
    - {label: start, type: start, position: {x: left, y: 0}}
    """,
)
_rule(
    "missing_label",
    "error",
    "A node has no label, so nothing can name it.",
    "Write `label: …`.",
    """
    nodes:
    - {type: start}
    """,
)
_rule(
    "bad_label",
    "error",
    "A label is empty, too long, or holds characters that cannot be seen.",
    "Choose a short label of visible characters.",
    r"""
    nodes:
    - {label: "start\tnow", type: start}
    """,
)
_rule(
    "duplicate_label",
    "error",
    "Two nodes have the same label, so an edge to it could mean either.",
    "Rename one of them.",
    """
    nodes:
    - {label: start, type: start}
    - {label: start, type: start}
    """,
)
_rule(
    "missing_type",
    "error",
    "A node has no type, so it is not known what it does.",
    "Write `type: …`.",
    """
    nodes:
    - {label: start}
    """,
)
_rule(
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
)
_rule(
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
)
_rule(
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
)
_rule(
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
)
_rule(
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
)
_rule(
    "empty_diagram",
    "error",
    "The diagram has no nodes.",
    "Begin with one of `type: start`.",
    """
    version: light
    nodes: []
    """,
)
_rule(
    "unknown_type",
    "error",
    "A node has a type that is not installed.",
    "Correct the type, or install the package that has it.",
    """
    nodes:
    - {label: start, type: start}
    - {label: end, type: endpiont}
    connections:
    - {from: start, to: end}
    """,
)
_rule(
    "unknown_property",
    "error",
    "A node has a property that its type does not know.",
    "Correct its name, or remove it.",
    """
    nodes:
    - {label: start, type: start}
    - {label: count, type: job, kode: return 1, code: return 2}
    connections:
    - {from: start, to: count}
    """,
)
_rule(
    "unsupported_property",
    "error",
    "A node has a property of another program, and what it asks for is not done here.",
    "Do what the message says instead.",
    """
    nodes:
    - {label: start, type: start}
    - {label: ask, type: person_job, person: Ann, prompt: Hello, interactive: true}
    connections:
    - {from: start, to: ask}
    persons:
      Ann: {service: demo}
    """,
)
_rule(
    "missing_property",
    "error",
    "A node lacks a property that its type needs.",
    "Add it.",
    """
    nodes:
    - {label: start, type: start}
    - {label: ask, type: user_response}
    connections:
    - {from: start, to: ask}
    """,
)
_rule(
    "bad_property",
    "error",
    "A property of a node has a value that it cannot have, alone or beside the others.",
    "Change it as the message says.",
    """
    nodes:
    - {label: start, type: start}
    - {label: count, type: job, code: return 1, timeout: soon}
    connections:
    - {from: start, to: count}
    """,
)
_rule(
    "unused_setting",
    "warning",
    "A setting has no effect beside the others.",
    "Remove it, or change what keeps it from having one.",
    """
    nodes:
    - {label: start, type: start}
    - {label: end, type: endpoint, file_path: out.txt}
    connections:
    - {from: start, to: end}
    """,
)
_rule(
    "bad_template",
    "error",
    "A text with `{{…}}` is no template: a brace, a path or a filter is wrong.",
    r"Correct it; write `\{{` for braces that are text.",
    """
    nodes:
    - {label: start, type: start}
    - label: ask
      type: user_response
      prompt: |
        Hello
        {{#if name}}you
    connections:
    - {from: start, to: ask}
    """,
)
_rule(
    "bad_expression",
    "error",
    "An expression is none: Python syntax is wanted.",
    "Correct it at the place that the message names.",
    """
    nodes:
    - {label: start, type: start}
    - {label: enough, type: condition, expression: 1 <}
    - {label: end, type: endpoint}
    connections:
    - enough.true -> end
    - enough.false -> end
    - start -> enough
    """,
)
_rule(
    "bad_code",
    "error",
    "The code of a job is no Python.",
    "Look at the place that the message names; a bracket or a quote is missing before it.",
    """
    nodes:
    - {label: start, type: start}
    - label: count
      type: job
      code: |
        numbers = [1, 2
        return sum(numbers)
    connections:
    - {from: start, to: count}
    """,
)
_rule(
    "bad_schema",
    "error",
    "A schema is no JSON Schema.",
    "Correct it as the message says.",
    """
    nodes:
    - {label: start, type: start}
    - {label: ask, type: user_response, prompt: How many?, schema: {type: nummer}}
    connections:
    - {from: start, to: ask}
    """,
)
_rule(
    "unknown_person",
    "error",
    "A node names a person who is not among the `persons`.",
    "Correct the name, or add the person.",
    """
    nodes:
    - {label: start, type: start}
    - {label: ask, type: person_job, person: Anne, prompt: Hello}
    connections:
    - {from: start, to: ask}
    persons:
      Ann: {service: demo}
    """,
)
_rule(
    "unknown_handle",
    "error",
    "An edge begins or ends at a handle that its node does not have.",
    "Take one of the handles that the message names.",
    """
    nodes:
    - {label: start, type: start}
    - {label: end, type: endpoint}
    connections:
    - {from: "start[condtrue]", to: end}
    """,
)
_rule(
    "unknown_connection_field",
    "warning",
    "An entry of a connection looks like one that means something, but is spelt otherwise.",
    "Take the name that the hint gives.",
    """
    nodes:
    - {label: start, type: start}
    - {label: end, type: endpoint}
    connections:
    - {from: start, to: end, lable: topic}
    """,
)
_rule(
    "unknown_content_type",
    "warning",
    "A connection has a content type that is none, so the value goes on as it is.",
    "Write raw_text, object or conversation_state.",
    """
    nodes:
    - {label: start, type: start}
    - {label: end, type: endpoint}
    connections:
    - {from: start, to: end, content_type: raw_txt}
    """,
)
_rule(
    "duplicate_edge",
    "warning",
    "The same edge is there twice.",
    "Remove one of them.",
    """
    nodes:
    - {label: start, type: start}
    - {label: end, type: endpoint}
    connections:
    - {from: start, to: end}
    - {from: start, to: end}
    """,
)
_rule(
    "same_edge_label",
    "warning",
    "Two edges bring the same name into a node at the same time, so one value is lost.",
    "Give one of them another label.",
    """
    nodes:
    - {label: start, type: start}
    - {label: one, type: job, code: return 1}
    - {label: two, type: job, code: return 2}
    - {label: end, type: endpoint}
    connections:
    - start -> one
    - start -> two
    - one -> end as number
    - two -> end as number
    """,
)
_rule(
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
)
_rule(
    "no_incoming_edge",
    "warning",
    "Nothing leads to a node; it runs once, at the beginning.",
    "Lead an edge to it, unless this is what you want.",
    """
    nodes:
    - {label: start, type: start}
    - {label: count, type: job, code: return 1}
    """,
)
_rule(
    "unreachable",
    "warning",
    "No way leads from a start into a loop; it begins by itself.",
    "Lead an edge into it.",
    """
    nodes:
    - {label: start, type: start}
    - {label: count, type: job, code: return 1}
    - {label: enough, type: condition, expression: 1 < 2}
    - {label: end, type: endpoint}
    connections:
    - count -> enough
    - enough.false -> count
    - enough.true -> end
    """,
)
_rule(
    "endless_loop",
    "error",
    "Nothing can stop a loop: it has no branch, and a node in it has no limit.",
    "Put a condition into it, or give every node in it a `max_iteration`.",
    """
    nodes:
    - {label: start, type: start}
    - {label: one, type: job, code: return 1}
    - {label: two, type: job, code: return 2}
    connections:
    - start -> one
    - one -> two
    - two -> one
    """,
)
_rule(
    "unconnected_branch",
    "warning",
    "A node decides between ways, and nothing follows one of them.",
    "Lead an edge from it, unless the run shall end there.",
    """
    nodes:
    - {label: start, type: start}
    - {label: enough, type: condition, expression: 1 < 2}
    - {label: end, type: endpoint}
    connections:
    - start -> enough
    - enough.true -> end
    """,
)
_rule(
    "no_limit",
    "warning",
    "A condition waits for all limits to be reached, and there are none; so it is never true.",
    "Give `max_iteration` to the nodes that it waits for.",
    """
    nodes:
    - {label: start, type: start}
    - {label: count, type: job, code: return 1}
    - {label: enough, type: condition, condition_type: detect_max_iterations}
    - {label: end, type: endpoint}
    connections:
    - start -> count
    - count -> enough
    - enough.false -> count
    - enough.true -> end
    """,
)
_rule(
    "no_error_edge",
    "warning",
    "A node sends its errors along an edge that does not exist, so they vanish.",
    "Lead an edge from its handle `error`, or remove `on_error: edge`.",
    """
    nodes:
    - {label: start, type: start}
    - {label: count, type: job, code: return 1, on_error: edge}
    - {label: end, type: endpoint}
    connections:
    - start -> count
    - count -> end
    """,
)
_rule(
    "join_any",
    "hint",
    "A node takes the first value to arrive, so that the outcome is a matter of time.",
    "Use `join: all` unless you want a race.",
    """
    nodes:
    - {label: start, type: start}
    - {label: one, type: job, code: return 1}
    - {label: two, type: job, code: return 2}
    - {label: end, type: endpoint, join: any}
    connections:
    - start -> one
    - start -> two
    - one -> end
    - two -> end
    """,
)
_rule(
    "first_without_loop",
    "hint",
    "A node that runs once listens to its `first` edges, so the others never count.",
    "Lead all edges to it without `first`.",
    """
    nodes:
    - {label: start, type: start}
    - {label: load, type: db, file: facts.txt}
    - {label: ask, type: person_job, person: Ann, prompt: Hello}
    connections:
    - start -> load
    - start -> ask.first
    - load -> ask
    persons:
      Ann: {service: demo}
    """,
)
_rule(
    "unknown_name",
    "warning",
    "A template or expression uses a name that nothing gives, and a very similar one exists.",
    "Correct it, or lead an edge with this label to the node.",
    """
    nodes:
    - {label: start, type: start}
    - {label: load, type: user_response, prompt: Which topic?}
    - {label: ask, type: person_job, person: Ann, prompt: "About {{topc}}"}
    connections:
    - start -> load
    - load -> ask as topic
    persons:
      Ann: {service: demo}
    """,
)
_rule(
    "name_too_early",
    "warning",
    "A template or expression uses the result of a node that never runs before it.",
    "Lead an edge from that node, or use another name.",
    """
    nodes:
    - {label: start, type: start}
    - {label: ask, type: user_response, prompt: "About {{answer}}?"}
    - {label: answer, type: user_response, prompt: Why?}
    connections:
    - start -> ask
    - ask -> answer
    """,
)
_rule(
    "run_input",
    "hint",
    "Nothing in the diagram gives a name, so the run must be given it.",
    "Give it as an input of the run, or add it to the data of the start.",
    """
    nodes:
    - {label: start, type: start}
    - {label: ask, type: user_response, prompt: "About {{topic}}?"}
    connections:
    - start -> ask
    """,
)
_rule(
    "unused_person",
    "hint",
    "No node speaks to a person.",
    "Remove the person, or let a node speak to it.",
    """
    nodes:
    - {label: start, type: start}
    - {label: end, type: endpoint}
    connections:
    - start -> end
    persons:
      Ann: {service: demo}
    """,
)
_rule(
    "unknown_person_field",
    "warning",
    "A person has a field that neither it nor its model knows.",
    "Correct its name, or remove it.",
    """
    nodes:
    - {label: start, type: start}
    - {label: ask, type: person_job, person: Ann, prompt: Hello}
    connections:
    - {from: start, to: ask}
    persons:
      Ann: {service: demo, temprature: 0.5}
    """,
)
_rule(
    "no_model",
    "warning",
    "It is not said which model a person is, so it cannot be asked.",
    "Write `service` and `model`; `service: demo` needs neither network nor key.",
    """
    nodes:
    - {label: start, type: start}
    - {label: ask, type: person_job, person: Ann, prompt: Hello}
    connections:
    - {from: start, to: ask}
    persons:
      Ann: {system_prompt: Be brief.}
    """,
)
_rule(
    "unknown_model_service",
    "warning",
    "A person has a service that nobody knows.",
    "Correct its name.",
    """
    nodes:
    - {label: start, type: start}
    - {label: ask, type: person_job, person: Ann, prompt: Hello}
    connections:
    - {from: start, to: ask}
    persons:
      Ann: {service: opanai, model: gpt-4.1-nano}
    """,
)
_rule(
    "missing_key",
    "warning",
    "There is no key for the service of a person, or for a request.",
    "Set the variable that the message names, in the environment or in `.env`.",
    """
    nodes:
    - {label: start, type: start}
    - {label: ask, type: person_job, person: Ann, prompt: Hello}
    connections:
    - {from: start, to: ask}
    persons:
      Ann: {service: openai, model: gpt-4.1-nano}
    """,
)
_rule(
    "runs_in_kernel",
    "hint",
    "A job runs in the notebook's own process: there is no sandbox around it.",
    "Run it only if you would run its code in a cell; else remove `kernel: true`.",
    """
    nodes:
    - {label: start, type: start}
    - {label: count, type: job, kernel: true, code: return len(rows)}
    connections:
    - {from: start, to: count}
    """,
)
_rule(
    "uses_network",
    "hint",
    "A node can send what it knows over the network: a request, or a job with `network: true`.",
    "Look at its code or its address, and at what arrives there, before you run it.",
    """
    nodes:
    - {label: start, type: start}
    - {label: fetch, type: job, language: bash, network: true, code: curl -s https://example.org}
    connections:
    - {from: start, to: fetch}
    """,
)
_rule(
    "runs_shell",
    "hint",
    "A hook runs a command of the shell, in the sandbox.",
    "Look at the command, and at what arrives there, before you run it.",
    """
    nodes:
    - {label: start, type: start}
    - {label: tell, type: hook, command: echo done}
    connections:
    - {from: start, to: tell}
    """,
)
_rule(
    "other_template",
    "warning",
    "A text has signs of another language of templates, which would stay in it.",
    "Write `{{#if x}}…{{/if}}` and `{{#each xs}}…{{this}}…{{/each}}`.",
    """
    nodes:
    - {label: start, type: start, custom_data: {xs: [1]}}
    - {label: list, type: template_job, template_content: "{% for x in xs %}{{xs}}{% endfor %}"}
    connections:
    - {from: start, to: list}
    """,
)
_rule(
    "writes_files",
    "hint",
    "A file below the root is written, which may be there already.",
    "Look which it is. People are asked before one is written that may be executed later.",
    """
    nodes:
    - {label: start, type: start}
    - {label: save, type: endpoint, save_to_file: true, file_path: report.md}
    connections:
    - {from: start, to: save}
    """,
)
_rule(
    "changes_notion",
    "hint",
    "Pages or blocks are made or changed in Notion, with your token.",
    "Look at which they are. In a diagram from a file, people are asked first.",
    """
    nodes:
    - {label: start, type: start}
    - label: note
      type: notion
      operation: append_blocks
      page_id: 0123456789abcdef0123456789abcdef
      blocks: [{divider: {}}]
    connections:
    - {from: start, to: note}
    """,
)
_rule(
    "uses_database",
    "hint",
    "Rows of a database are changed, or a database is asked that the configuration names.",
    "Look at what is done there. In a diagram from a file, people are asked first, unless it is "
    "the usual database.",
    """
    nodes:
    - {label: start, type: start, custom_data: {city: Oslo}}
    - {label: keep, type: db, operation: insert, collection: cities, database: sales}
    connections:
    - {from: start, to: keep}
    """,
)
_rule(
    "missing_kernel",
    "warning",
    "A job is to run in the notebook's process, and there is no notebook.",
    "Run the diagram from a notebook, or remove `kernel: true`.",
    """
    nodes:
    - {label: start, type: start}
    - {label: count, type: job, kernel: true, code: return len(rows)}
    connections:
    - {from: start, to: count}
    """,
)
_rule(
    "uses_mcp_server",
    "hint",
    "A model may use the tools of an MCP server, which runs as you, in no sandbox.",
    "Look at what .mcp.json says of it, and at the tools that it offers.",
    """
    nodes:
    - {label: start, type: start}
    - {label: ask, type: person_job, person: Ann, prompt: Hello, tools: ["mcp:files"]}
    connections:
    - {from: start, to: ask}
    persons:
      Ann: {service: demo}
    """,
)
_rule(
    "missing_tool",
    "warning",
    "A tool is a Python function that nobody has given.",
    "Write `@dipeo.tool` above the function and run that cell first.",
    """
    nodes:
    - {label: start, type: start}
    - {label: ask, type: person_job, person: Ann, prompt: Hello, tools: [exchange_rate]}
    connections:
    - {from: start, to: ask}
    persons:
      Ann: {service: demo}
    """,
)
_rule(
    "unknown_price",
    "hint",
    "The price of a model is not known, so what it costs is not counted.",
    "Look at the name of the model; if it is right, ignore this.",
    """
    nodes:
    - {label: start, type: start}
    - {label: ask, type: person_job, person: Ann, prompt: Hello}
    connections:
    - {from: start, to: ask}
    persons:
      Ann: {service: openai, model: gpt-4.1-nanoo}
    """,
)
_rule(
    "secret_in_diagram",
    "error",
    "A diagram holds what looks like a key, and diagrams are shared.",
    "Put it into a variable of the environment, and revoke this one: it may have been seen.",
    """
    nodes:
    - {label: start, type: start}
    - {label: ask, type: person_job, person: Ann, prompt: Hello}
    connections:
    - {from: start, to: ask}
    persons:
      Ann: {service: demo, api_key: sk-00000000000000000000}
    """,
)
