"""Where the edges of a light file stand: alone, in chains, inside of nodes."""

from __future__ import annotations

from dataclasses import dataclass

from ..light.edges import edge_entries, split_arrows
from ..light.nodes import draft_nodes
from ..report import Report
from ..source import read


@dataclass(frozen=True)
class EdgePlace:
    """An item of a list, and the edges it says, by their places in `Diagram.edges`.

    `key` names the list; it stands at the top, or inside of the node with the index `node`. `index`
    does not count empty items.
    """

    key: str
    index: int
    edges: range
    node: int | None = None


def read_places(text: str) -> list[EdgePlace]:
    """The places of all edges, in the order of the edges, found as the reader finds them."""
    data, source = read(text)
    if not isinstance(data, dict):
        return []
    report = Report(source)
    drafts = draft_nodes(data.get("nodes"), report)
    labels = dict.fromkeys(draft.label for draft in drafts if draft.label is not None)
    joins = any("->" in label for label in labels)
    entries = [
        (node, str(path[-2]), entry)
        for node, draft in enumerate(drafts)
        for path, entry in draft.edges
    ]
    found = [
        *entries,
        *((None, str(path[0]), entry) for path, entry in edge_entries(data, report)),
    ]
    places: list[EdgePlace] = []
    first, index = 0, 0
    for node, key, entry in found:
        near = places[-1] if places else None
        index = index + 1 if near and (near.node, near.key) == (node, key) else 0
        stop = first + len(split_arrows(entry, labels, joins=joins))
        places.append(EdgePlace(key, index, range(first, stop), node))
        first = stop
    return places
