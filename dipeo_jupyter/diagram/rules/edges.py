"""Where edges begin and end, and what they carry."""

from __future__ import annotations

from .rule import Rule

RULES = (
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
    Rule(
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
    ),
)
