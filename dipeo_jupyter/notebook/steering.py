"""What can be done with a run: every method sends one command, and returns when it is obeyed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..client import Conversation, Place, breakpoints, budget_of, changed, check
from ..client.trusting import allowed
from ..diagram.files import Readable, is_file, survey
from ..diagram.model import Diagram, Label
from ..diagram.source import Source
from ..errors import CommandError, DiagramError, UntrustedError
from ..protocol import commands as c
from .background import BackgroundLoop
from .card.trusting import ask_trust
from .values import as_inputs

if TYPE_CHECKING:
    from .run import Run


class Steering(ABC):
    """The half of `Run` that changes something; works on runs that are over as far as can be."""

    id: str
    _drawn: Diagram
    _source: Source
    _loop: BackgroundLoop
    _conversation: Conversation

    def pause(self, *, now: bool = False) -> None:
        """Start nothing new; with `now`, stop what runs, to run it again on `resume`."""
        self._send(c.PauseExecution(execution_id=self.id, now=now))

    def resume(
        self,
        *,
        budget_usd: float | None = None,
        max_calls: int | None = None,
        max_tokens_total: int | None = None,
    ) -> None:
        """Go on, wherever the run was left; what has failed is tried again.

        With any limit, these take the place of those that the run had.
        """
        budget = budget_of(budget_usd, max_calls, max_tokens_total)
        self._send(c.ResumeExecution(execution_id=self.id, budget=budget))

    def step(self, steps: int = 1) -> None:
        """Let so many activations through, then pause again."""
        if steps < 1:
            raise CommandError(f"A run makes 1 step or more, not {steps}.", code="bad_command")
        self._send(c.StepExecution(execution_id=self.id, steps=steps))

    def cancel(self) -> None:
        """End the run; only an `edit` goes on with it then."""
        self._send(c.CancelExecution(execution_id=self.id))

    def answer(self, node: Label, value: Any) -> None:
        """Answer a question; raises `CommandError` when it is not (or no longer) asked."""
        self._send(c.UserResponse(execution_id=self.id, node=node, value=value))

    def breakpoints(self, *places: Place) -> None:
        """Pause there, and nowhere else: `"argue"`, `"argue[2]"`, `"after argue"`, `when(…)`.

        Without any place, nowhere.
        """
        points = breakpoints(places, self._diagram())
        self._send(c.SetBreakpoints(execution_id=self.id, breakpoints=points))

    def pause_node(self, label: Label) -> None:
        """Let this node not start any more; all others go on."""
        self._send(c.PauseNode(execution_id=self.id, node=label))

    def resume_node(self, label: Label) -> None:
        self._send(c.ResumeNode(execution_id=self.id, node=label))

    def skip_node(self, label: Label) -> None:
        """Leave out the next firing of a node, or the one that is under way."""
        self._send(c.SkipNode(execution_id=self.id, node=label))

    def edit(
        self,
        diagram: Readable | None = None,
        *,
        set: Mapping[str, Any] | None = None,  # noqa: A002 - it reads best
        inputs: Mapping[str, Any] | None = None,
        keep: bool = False,
        trust: bool = False,
    ) -> None:
        """Change the diagram, and pause: `resume()` goes on with the change.

        `set` changes a property (`verdict.prompt`), a field of a person (`Optimist.model`) or what
        an activation hands on (`argue[2]`). What does not depend on the change keeps its results;
        with `keep`, all that has fired does, and the change counts from here on. For `trust`, see
        `dipeo.start`.
        """
        drawn, source, values = self._changed(diagram, set or {})
        command = c.EditExecution(
            execution_id=self.id,
            diagram=drawn,
            inputs=None if inputs is None else as_inputs(inputs),
            values=values,
            keep=keep,
            foreign=diagram is not None and is_file(diagram),
        )
        self._send_changed(command, source, trust=trust)
        if drawn is not None:
            self._drawn, self._source = drawn, source

    def fork(
        self,
        at: str | Iterable[str] | None = None,
        diagram: Readable | None = None,
        *,
        set: Mapping[str, Any] | None = None,  # noqa: A002 - as above
        inputs: Mapping[str, Any] | None = None,
        paused: bool = False,
        trust: bool = False,
    ) -> Run:
        """A new run with the past of this one, up to an activation (`argue[2]`), which runs anew.

        Without `at`, it takes over whatever does not depend on the changes; for these see `edit`.
        """
        drawn, source, values = self._changed(diagram, set or {})
        command = c.ForkExecution(
            execution_id=self.id,
            at=(at,) if isinstance(at, str) else tuple(at or ()),
            diagram=drawn,
            inputs=None if inputs is None else as_inputs(inputs),
            values=values,
            paused=paused,
            foreign=diagram is not None and is_file(diagram),
        )
        ack = self._send_changed(command, source, trust=trust)
        assert ack.execution_id is not None
        return self._beside(ack.execution_id, ack.seq, drawn, source)

    def _changed(
        self, diagram: Readable | None, changes: Mapping[str, Any]
    ) -> tuple[Diagram | None, Source, dict[str, Any]]:
        """The diagram with the changes (None: as it is), its text, and outputs given by hand."""
        now, source = self._diagram(), self._source
        if diagram is not None:
            reading = survey(diagram)
            if reading.errors:
                problems = self._loop.run(check(self._conversation.client, reading))
                raise DiagramError(*(each for each in problems if each.severity == "error"))
            now, source = reading.diagram, reading.source
            if now.name is None:
                now = now.model_copy(update={"name": self._diagram().name})
        drawn, values = changed(now, as_inputs(changes))
        return (None if drawn == self._diagram() else drawn), source, values

    def _send_changed(
        self, command: c.EditExecution | c.ForkExecution, source: Source, *, trust: bool
    ) -> c.Ack:
        try:
            return self._send(command)
        except UntrustedError as error:
            return self._send(allowed(command, error, source, trust=trust, ask=ask_trust))
        except DiagramError as error:
            raise DiagramError(*(source.locate(each) for each in error.problems)) from None

    @abstractmethod
    def _diagram(self) -> Diagram:
        """The diagram as it is now."""

    @abstractmethod
    def _send(self, command: c.Command) -> c.Ack:
        """Have a command obeyed, and everything that it brings about seen here."""

    @abstractmethod
    def _beside(self, execution_id: str, seq: int, diagram: Diagram | None, source: Source) -> Run:
        """Another run of the same session."""
