"""Write the journals of some runs into this folder, for every later version to read.

    python -m tests.golden.record NAME…

A file that was released is never written anew: what changed since is what its test is about.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from dipeo_jupyter.app import build_engine
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.settings import Settings
from tests.running import diagram_of

HERE = Path(__file__).parent
DEBATE = """
persons:
  Optimist: {service: demo, system_prompt: You see the best in things.}
  Judge: {service: demo, system_prompt: You decide who was right.}
nodes:
- {label: start, type: start, custom_data: {topic: tea}}
- label: argue
  type: person_job
  person: Optimist
  prompt: "Argue for {{topic}}."
  max_iteration: 2
- {label: enough, type: condition, condition_type: detect_max_iterations}
- {label: batch, type: person_batch_job, person: Judge, items: "['a', 'b']", prompt: "{{item}}?"}
- {label: approve, type: user_response, prompt: "Publish?", choices: ["yes", "no"]}
- {label: result, type: endpoint}
connections:
- {from: start, to: argue}
- {from: argue, to: enough}
- {from: "enough[condfalse]", to: argue}
- {from: "enough[condtrue]", to: batch}
- {from: batch, to: approve}
- {from: approve, to: result}
"""
FAILING = """
nodes:
- {label: start, type: start}
- {label: breaks, type: condition, expression: "1 / 0 > 1"}
- {label: result, type: endpoint}
connections: [{from: start, to: breaks}, {from: "breaks[condtrue]", to: result}]
"""


async def debate() -> list[e.Entry]:
    """Breakpoint, question, edit: all kinds of entries that people bring about."""
    engine = build_engine(Settings(root=Path()))
    breakpoints = (e.Breakpoint(node="batch"),)
    command = c.ExecuteDiagram(diagram=diagram_of(DEBATE), breakpoints=breakpoints)
    run = (await engine.send(command)).execution_id
    assert run is not None
    edited = diagram_of(DEBATE.replace("Publish?", "Shall I publish it?"))
    answered = 0
    async for entry in engine.events(run):
        match entry.event:
            case e.ExecutionPaused(reason="breakpoint"):
                await engine.send(c.ResumeExecution(execution_id=run))
            case e.InputRequired() if not answered:
                answered = entry.seq
                await engine.send(c.EditExecution(execution_id=run, diagram=edited))
                await engine.send(c.ResumeExecution(execution_id=run))
            case e.InputRequired():
                await engine.send(c.UserResponse(execution_id=run, node="approve", value="yes"))
    return [each async for each in engine.events(run)]


async def failing() -> list[e.Entry]:
    engine = build_engine(Settings(root=Path()))
    run = (await engine.send(c.ExecuteDiagram(diagram=diagram_of(FAILING)))).execution_id
    assert run is not None
    return [each async for each in engine.events(run)]


RUNS = {"debate": debate, "failing": failing}


def main() -> None:
    for name in sys.argv[1:]:
        lines = [json.dumps(each.to_wire()) for each in asyncio.run(RUNS[name]())]
        (HERE / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
