"""What the nodes and the edges make together: ways, loops, branches."""

from __future__ import annotations

from .rule import Rule

RULES = (
    Rule(
        "no_incoming_edge",
        "warning",
        "Nothing leads to a node; it runs once, at the beginning.",
        "Lead an edge to it, unless this is what you want.",
        """
        nodes:
        - {label: start, type: start}
        - {label: count, type: job, code: return 1}
        """,
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
)
