"""What each box does: one file for each node type.

A node type is its settings (fields) and one `async run`; start reading in `start.py`. Built-in
types register through the same door as anybody's: the entry point group `dipeo_jupyter.nodes`.
Nothing in here knows how or where it is run, and the world is reached through `ctx` alone.
"""

from __future__ import annotations

import logging
from importlib.metadata import entry_points

from ..engine.node import Node

GROUP = "dipeo_jupyter.nodes"
_log = logging.getLogger(__name__)


def load_node_types() -> dict[str, type[Node]]:
    """All installed node types by name, aliases included; one that does not load is logged."""
    found: dict[str, type[Node]] = {}
    for entry in entry_points(group=GROUP):
        try:
            node_type = entry.load()
        except Exception:  # noqa: BLE001 - somebody else's module; the other types still work
            _log.exception("node type %r of %s does not load", entry.name, entry.value)
            continue
        for name in (node_type.type, *node_type.aliases):
            found.setdefault(name, node_type)
    return found
