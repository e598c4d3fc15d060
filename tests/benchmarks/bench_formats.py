"""How long reading, checking and drawing take, for diagrams of 10 to 10,000 nodes.

    python tests/benchmarks/bench_formats.py [MOST_NODES]

The baseline of the same run is `json.loads` of the native text; each figure is the best of three
(of one for the largest).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from dipeo_jupyter.diagram.diff import compare
from dipeo_jupyter.diagram.files import FORMATS, SUFFIXES, dumps, survey_text
from dipeo_jupyter.diagram.layout import layout
from dipeo_jupyter.diagram.mermaid import mermaid
from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Person
from dipeo_jupyter.diagram.picture import draw
from dipeo_jupyter.engine.compile import examine
from dipeo_jupyter.nodes import load_node_types

WIDTH = 10
LARGE = 5_000


def layered(size: int) -> Diagram:
    """Layers of ten: each node is fed by two of the layer before, as in a fan-out that goes on."""
    nodes = [NodeSpec(label="start", type="start")]
    edges = []
    for number in range(1, size):
        name = f"step {number}"
        props = {"person": "Ann", "prompt": "Say something about {{topic}}.\nBriefly, please.\n"}
        nodes.append(NodeSpec(label=name, type="person_job", props=props))
        sources = [number - WIDTH, number - WIDTH - 1] if number > WIDTH + 1 else [0]
        for count, source in enumerate(sources):
            origin = f"step {source}" if source else "start"
            edges.append(Edge(source=origin, target=name, label=f"in{count}" if source else None))
    return Diagram(nodes=nodes, edges=edges, persons={"Ann": Person(service="demo")})


def seconds(work: Callable[[], Any], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def measure(size: int) -> dict[str, float]:
    diagram, types = layered(size), load_node_types()
    times = 1 if size > LARGE else 3
    texts = {each: dumps(diagram, each) for each in FORMATS}
    found = {"json.loads": seconds(lambda: json.loads(texts["native"]), times)}
    for name, text in texts.items():
        again = survey_text(text, f"x{SUFFIXES[name]}").diagram
        assert again == diagram, name
        found[f"read {name}"] = seconds(lambda n=name, t=text: survey_text(t, SUFFIXES[n]), times)
        found[f"write {name}"] = seconds(lambda n=name: dumps(diagram, n), times)
    found["check"] = seconds(lambda: examine(diagram, types), times)
    found["diff"] = seconds(lambda: compare(diagram, layered(size)), times)
    found["layout"] = seconds(lambda: layout(diagram), times)
    found["svg"] = seconds(lambda: draw(diagram), times)
    found["mermaid"] = seconds(lambda: mermaid(diagram), times)
    return found


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    sizes = [size for size in (10, 100, 1_000, 10_000) if size <= most]
    rows = {size: measure(size) for size in sizes}
    print(f"| {'ms':<14} | " + " | ".join(f"{size:>8,}" for size in sizes) + " |")
    print(f"|{'-' * 16}|" + "|".join("-" * 9 + ":" for _ in sizes) + "|")
    for what in rows[sizes[0]]:
        cells = " | ".join(f"{rows[size][what] * 1000:8.1f}" for size in sizes)
        print(f"| {what:<14} | {cells} |")


if __name__ == "__main__":
    main()
