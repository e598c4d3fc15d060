"""What a kernel or a program has one of: a background loop, and an engine on it."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from functools import cache
from typing import Any

from ..app import build_engine
from ..client import Ask, Conversation, check, check_answers
from ..diagram.files import Readable, survey
from ..diagram.source import Reading
from ..engine.engine import Engine
from ..errors import DiagramError, Problem
from ..protocol.commands import ExecuteDiagram
from ..settings import Settings
from .asking import ask_by_input
from .background import BackgroundLoop
from .run import Run
from .values import as_inputs


class Session:
    """Starts runs on an engine in this process. Jobs that still run when it exits are stopped."""

    def __init__(self, settings: Settings) -> None:
        self.engine: Engine = build_engine(settings)
        self.loop = BackgroundLoop()
        atexit.register(self._stop)

    def start(
        self,
        diagram: Readable,
        inputs: Mapping[str, Any] | None = None,
        *,
        answers: Mapping[str, Any] | None = None,
        ask: Ask | None = ask_by_input,
        name: str | None = None,
        paused: bool = False,
    ) -> Run:
        """Start a run and return it at once; raises `DiagramError` for a diagram that is wrong.

        Questions that `answers` do not answer are put through `ask` to whoever waits for the run.
        """
        reading = survey(diagram)
        if reading.errors:
            raise DiagramError(*(each for each in self.check(reading) if each.severity == "error"))
        drawn, source = reading.diagram, reading.source
        if name is not None:
            drawn = drawn.model_copy(update={"name": name})
        check_answers(answers or {}, drawn)
        command = ExecuteDiagram(diagram=drawn, inputs=as_inputs(inputs or {}), paused=paused)
        try:
            ack = self.loop.run(self.engine.send(command))
        except DiagramError as error:
            raise DiagramError(*(source.locate(each) for each in error.problems)) from None
        assert ack.execution_id is not None
        conversation = Conversation(self.engine, ack.execution_id, answers or {}, ask)
        return Run(conversation, drawn, source, self.loop, ack.seq)

    def check(self, reading: Reading) -> list[Problem]:
        """All problems of what was read, warnings and hints included; nothing is run."""
        return self.loop.run(check(self.engine, reading))

    def close(self) -> None:
        """Stop everything that runs, and the loop it runs on."""
        atexit.unregister(self._stop)
        self._stop()
        self.loop.close()

    def _stop(self) -> None:
        self.loop.run(self.engine.close())


@cache
def default_session() -> Session:
    """The one session of this kernel, made when it is first used."""
    return Session(Settings.from_environment())
