"""The type of a node, and its properties."""

from __future__ import annotations

from .rule import Rule

RULES = (
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
)
