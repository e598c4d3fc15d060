"""Two processes on one journal: what one asks, the other obeys or refuses."""

from __future__ import annotations

import asyncio

import pytest

from dipeo_jupyter.diagram.model import Diagram
from dipeo_jupyter.engine.clock import SystemClock
from dipeo_jupyter.engine.elsewhere import Elsewhere
from dipeo_jupyter.errors import CommandError, DiagramError, NodeError, Problem, UntrustedError
from dipeo_jupyter.protocol import commands as c
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal import SqliteJournal

RUN = "exec_1"
POWER = c.AskedPower(code="runs_shell", node="tell", says="runs it", hint="Look.", digest="0" * 64)
PROBLEM = Problem("bad_label", "A label is empty.", "tell", ("nodes", 0), "Write one.")


async def asked(home, obey):
    """What comes of a command to a run that another process holds."""
    holder, other = SqliteJournal(home), SqliteJournal(home)
    holding = Elsewhere(holder, SystemClock(), obey)
    try:
        holder.append(e.Entry(RUN, 1, 1.0, e.ExecutionStarted(diagram=Diagram())))
        await holder.written()
        holding.attend()
        return await Elsewhere(other, SystemClock(), obey).send(
            RUN, c.PauseExecution(execution_id=RUN)
        )
    finally:
        await holding.close()
        holder.close()
        other.close()


def test_what_another_process_answers_comes_back(tmp_path):
    async def obey(execution_id, command):
        return c.Ack(execution_id=execution_id, result=command.type)

    ack = asyncio.run(asked(tmp_path, obey))

    assert ack == c.Ack(execution_id=RUN, result="pause_execution")


@pytest.mark.parametrize(
    "refused",
    [
        CommandError("It is over.", code="over", hint="Begin another one."),
        UntrustedError("It runs a command.", powers=(POWER,), hint="Look."),
        DiagramError(PROBLEM, PROBLEM.at(3, 4)),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_another_process_refuses_is_the_same_error_here(tmp_path, refused):
    async def obey(*_):
        raise refused

    with pytest.raises(type(refused)) as found:
        asyncio.run(asked(tmp_path, obey))

    assert (str(found.value), vars(found.value)) == (str(refused), vars(refused))


@pytest.mark.parametrize("wrong", [NodeError("no such file"), ValueError("no such thing")])
def test_another_error_there_is_a_refusal_here(tmp_path, wrong):
    async def obey(*_):
        raise wrong

    with pytest.raises(CommandError, match="no such") as found:
        asyncio.run(asked(tmp_path, obey))

    assert found.value.code == "refused"
