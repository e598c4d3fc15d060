"""Persons, their models, and what they may use."""

from __future__ import annotations

from .rule import Rule

RULES = (
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
        "missing_service",
        "warning",
        "A node needs what is not there: a token for Notion, a library, or a database.",
        "Set the variable, or install the library, that the message names.",
        """
        nodes:
        - {label: start, type: start}
        - {label: count, type: db, operation: query, query: SELECT 1, database: sales}
        connections:
        - {from: start, to: count}
        """,
    ),
    Rule(
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
    ),
    Rule(
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
    ),
)
