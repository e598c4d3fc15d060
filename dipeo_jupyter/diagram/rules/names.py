"""The names in templates and expressions."""

from __future__ import annotations

from .rule import Rule

RULES = (
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
)
