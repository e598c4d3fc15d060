"""What the journals in this folder add up to, for people: the front end must come to the same.

    python -m tests.golden.states

writes it beside them, for the tests of Python and of TypeScript to compare with.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dipeo_jupyter.notebook.history import ActivationRecord, History
from dipeo_jupyter.protocol.events import USAGE, Entry, Usage

HERE = Path(__file__).parent


def entries_of(file: Path) -> list[Entry]:
    return [Entry.from_wire(json.loads(line)) for line in file.read_text().splitlines()]


def state_of(entries: list[Entry]) -> dict[str, Any]:
    history = History()
    for entry in entries:
        history.apply(entry)
    labels = dict.fromkeys(each.node for each in history.activations)
    drawn = [] if history.diagram is None else [node.label for node in history.diagram.nodes]
    return {
        "status": history.shown_status,
        "stopped_at": history.stopped_at,
        "outputs": dict(history.outputs),
        "error": history.error and history.error.message,
        "breakpoints": [each.node for each in history.breakpoints],
        "questions": {label: each.prompt for label, each in history.questions.items()},
        "messages": list(history.messages),
        "usage": _usage(history.spending.total),
        "spent": {
            f"{node}[{number}]": _usage(usage)
            for (node, number), usage in history.spending.by_activation.items()
        },
        "nodes": {label: history.status_of(label) for label in dict.fromkeys([*drawn, *labels])},
        "activations": [_activation(each) for each in history.activations],
    }


def _activation(record: ActivationRecord) -> dict[str, Any]:
    return {
        "name": f"{record.node}[{record.number}]",
        "status": record.status,
        "outputs": dict(record.outputs),
        "person": record.person,
        "seen": list(record.seen),
        "usage": record.usage and _usage(record.usage),
        "error": record.error and record.error.message,
        "log": record.log,
    }


def _usage(usage: Usage) -> dict[str, int]:
    return {name: getattr(usage, name) for name in USAGE}


def halves(entries: list[Entry]) -> dict[str, Any]:
    """The state at the end, and half way there."""
    return {
        "half": state_of(entries[: len(entries) // 2]),
        "whole": state_of(entries),
    }


def path_of(journal: Path) -> Path:
    return journal.with_suffix(".state.json")


def main() -> None:
    for journal in sorted(HERE.glob("*.jsonl")):
        state = halves(entries_of(journal))
        path_of(journal).write_text(json.dumps(state, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
