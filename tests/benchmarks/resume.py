"""How long a new process takes to go on with a run of 10,000 events that another one left.

The first process runs a part of a diagram of built-in nodes and is killed; the second reads the
journal and sends `resume_execution`. What counts begins before the engine is put together and ends
when a client has the first new event (`execution_recovered`); starting Python with all imports is
before that, the start of the next node after it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import Table

from dipeo_jupyter.app import build_engine
from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec
from dipeo_jupyter.errors import DipeoError
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.settings import Settings

BUDGET = 300.0
"""Milliseconds."""
EVENTS = 10_000
ACTIVATIONS = EVENTS // 2 - 2
"""Two events each; the others are the run's beginning, its two pauses and its resumption."""
REPEAT = 5


def chain() -> Diagram:
    """A node each activation, and some to go on with."""
    last = ACTIVATIONS + 100
    always = {"expression": "1 < 2"}
    middle = (NodeSpec(label=f"n{i}", type="condition", props=always) for i in range(1, last))
    edges = (
        Edge(source=f"n{i}", target=f"n{i + 1}", source_handle="condtrue")
        for i in range(1, last - 1)
    )
    return Diagram(
        nodes=(NodeSpec(label="n0", type="start"), *middle),
        edges=(Edge(source="n0", target="n1"), *edges),
    )


def loop() -> Diagram:
    """Two nodes that go round: all of the time is the journal's and the state's."""
    forward = {"condition_type": "check_nodes_executed", "node_indices": ["n0"]}
    back = {"expression": f"turn >= {ACTIVATIONS}", "expose_index_as": "turn"}
    return Diagram(
        nodes=(
            NodeSpec(label="n0", type="start"),
            NodeSpec(label="n1", type="condition", props=forward),
            NodeSpec(label="n2", type="condition", props=back),
            NodeSpec(label="n3", type="endpoint"),
        ),
        edges=(
            Edge(source="n0", target="n1"),
            Edge(source="n1", target="n2", source_handle="condtrue"),
            Edge(source="n2", target="n1", source_handle="condfalse"),
            Edge(source="n2", target="n3", source_handle="condtrue"),
        ),
    )


SHAPES = {"chain": chain, "loop": loop}


async def begin(name: str, folder: Path) -> None:
    """The first process: run until half is done, say where the run stands, and be killed."""
    engine = build_engine(Settings(root=folder, home=folder / "home"))
    ack = await engine.send(c.ExecuteDiagram(diagram=SHAPES[name](), paused=True, max_rounds=10**6))
    execution_id = ack.execution_id
    assert execution_id is not None
    await engine.send(c.StepExecution(execution_id=execution_id, steps=ACTIVATIONS))
    async for entry in engine.events(execution_id, ack.seq):
        if entry.event.type == "execution_paused":
            break
    await asyncio.sleep(0.5)  # the journal writes in groups, and nothing tells when
    print(json.dumps({"execution_id": execution_id, "seq": entry.seq}), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


async def go_on(folder: Path, execution_id: str, seq: int, began: float) -> None:
    """The second process: say how long its steps took."""
    load_node_types()  # imports them
    marks = {"import": time.time()}
    engine = build_engine(Settings(root=folder, home=folder / "home"))
    marks["engine"] = time.time()
    try:
        await engine.send(c.ResumeExecution(execution_id=execution_id))
    except DipeoError as error:
        print(json.dumps({"error": str(error)}))
        return
    types = []
    async for entry in engine.events(execution_id, seq):
        marks.setdefault("event", time.time())
        types.append(entry.event.type)
        if entry.event.type == "node_started":
            break
    marks["node"] = time.time()
    assert types[0] == "execution_recovered", types
    print(json.dumps({name: (mark - began) * 1000 for name, mark in marks.items()}), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def _ask(*arguments: str) -> dict[str, float | str]:
    """What another process of this file says in its last line; how it ends is its own affair."""
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if not done.stdout:
        raise SystemExit(f"{' '.join(arguments)} said nothing; its error is above.")
    found: dict[str, float | str] = json.loads(done.stdout.splitlines()[-1])
    return found


def once(name: str) -> dict[str, float | str]:
    """Leave a run and take it over, in milliseconds; or why that cannot be done."""
    with tempfile.TemporaryDirectory(prefix="dipeo-bench-") as folder:
        left = _ask("begin", name, folder)
        marks = _ask("go_on", folder, str(left["execution_id"]), str(left["seq"]), str(time.time()))
        return {"events": left["seq"], **marks}


def show(repeat: int) -> None:
    """Print the milliseconds from the beginning of the second process's work."""
    print(f"Resume in a new process, ms (medians of {min(repeat, REPEAT)})\n")
    table = Table(
        "graph", "events", "start Python", "engine", "first event", "first node", "budget"
    )
    for name in SHAPES:
        found = [once(name) for _ in range(min(repeat, REPEAT))]
        if "error" in found[0]:
            table.row(name, f"{found[0]['events']:,}", *["–"] * 5, remark=str(found[0]["error"]))
            continue
        mid = {key: statistics.median(float(each[key]) for each in found) for key in found[0]}
        took = mid["event"] - mid["import"]
        table.row(
            name,
            f"{mid['events']:,.0f}",
            f"{mid['import']:.0f}",
            f"{mid['engine'] - mid['import']:.0f}",
            f"{mid['event'] - mid['engine']:.0f}",
            f"{mid['node'] - mid['event']:.0f}",
            f"{took:.0f} of {BUDGET:.0f}",
            remark="over budget" if took > BUDGET else "",
        )


def main() -> None:
    match sys.argv[1:]:
        case ["begin", name, folder]:
            asyncio.run(begin(name, Path(folder)))
        case ["go_on", folder, execution_id, seq, began]:
            asyncio.run(go_on(Path(folder), execution_id, int(seq), float(began)))


if __name__ == "__main__":
    main()
