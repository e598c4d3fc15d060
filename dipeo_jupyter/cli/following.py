"""Follow a run in the foreground: show what happens, ask what it asks, print its result."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..client import Conversation, explain, in_words, json_or_text
from ..diagram.source import Source
from ..engine.engine import Engine
from ..engine.own_thread import in_thread
from ..errors import NoAnswerError
from ..protocol import events as e
from .terminal import DONE, FAILED, WAITING, say, tell
from .tools import add_tools

BY_ITSELF = ("breakpoint", "journal", "budget", "closed")
"""Pauses that end the program; whoever pauses it otherwise will go on with it."""


def add_following(command: argparse.ArgumentParser) -> None:
    """The options of all commands that follow a run."""
    command.add_argument(
        "--answer",
        action="append",
        default=[],
        metavar="NODE=VALUE",
        type=pair,
        help="an answer to a user_response node; the value is JSON or text",
    )
    command.add_argument(
        "--no-interactive", action="store_true", help="ask nobody: without an answer, exit with 3"
    )
    command.add_argument("--json", action="store_true", help="print every event as a line of JSON")
    add_tools(command)


def pair(text: str) -> tuple[str, Any]:
    """`NAME=VALUE` as typed, the value being JSON or text."""
    name, given, value = text.partition("=")
    if not given or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, json_or_text(value)


@dataclass
class Follower:
    """Follows one run, from the entry `after` on; `stepping` when it was asked for steps."""

    engine: Engine
    run: e.ExecutionId
    options: argparse.Namespace
    answers: Mapping[str, Any] = field(default_factory=dict)
    source: Source | None = None
    after: int = 0
    stepping: bool = False

    async def follow(self) -> int:
        """Until the run is over, or stands; the exit code. Interrupted, the run is paused."""
        terminal = _Terminal()
        ask = None if self.options.no_interactive else terminal.ask
        conversation = Conversation(self.engine, self.run, self.answers, ask)
        try:
            code = await self._show(conversation)
        except asyncio.CancelledError:
            await self.engine.close()
            say(how_to_go_on(self.run))
            raise
        except NoAnswerError as error:
            say(f"dipeo: {error} (--answer NODE=VALUE)")
            say(how_to_answer(self.run))
            return WAITING
        finally:
            terminal.close()
        return code

    async def _show(self, conversation: Conversation) -> int:
        running: set[str] = set()
        code: int | None = None
        # From the beginning, for questions may be open from then.
        async with contextlib.aclosing(conversation.entries()) as entries:
            async for entry in entries:
                new = entry.seq > self.after
                if new and self.options.json:
                    tell(json.dumps(entry.to_wire(), ensure_ascii=False))
                if new:
                    say_event(entry.event, self.source)
                code = self._code(entry.event, new=new) if _decides(entry.event) else code
                _count(entry.event, running)
                if code == WAITING and (not running or _is_journal(entry.event)):
                    break  # what was under way has ended
        if code == FAILED and _failed(entry.event):
            say(how_to_go_on(self.run))
        return FAILED if code is None else code

    def _code(self, event: e.AnyEvent, *, new: bool) -> int | None:
        """What the program would end with now; None while it goes on."""
        match event:
            case e.ExecutionCompleted(outputs=outputs):
                if new and not self.options.json:
                    print_outputs(outputs)
                return DONE
            case e.ExecutionFailed() | e.ExecutionCancelled():
                return FAILED
            case e.ExecutionPaused(reason="budget", interrupted=()):  # what is under way ends first
                return None
            case e.ExecutionPaused(reason=reason) if new and self._ends_at(reason):
                say(f"{how_to_go_on(self.run)}")
                return WAITING
        return None

    def _ends_at(self, reason: e.PauseReason) -> bool:
        return reason in BY_ITSELF or (reason == "steps" and self.stepping)


def how_to_go_on(run: e.ExecutionId) -> str:
    """What to type for a run that does not go on by itself."""
    return f"`dipeo resume {run}` goes on with it."


def how_to_answer(run: e.ExecutionId) -> str:
    """What to type for a run that waits for a human."""
    return f"`dipeo answer {run} NODE VALUE` goes on with it, `dipeo resume {run}` asks again."


def say_event(event: e.AnyEvent, source: Source | None) -> None:  # noqa: C901, PLR0912 - one flat match
    """What people shall know of an event."""
    match event:
        case e.NodeStarted(node=node, activation=number):
            say(f"▶ {node}[{number}]")
        case e.NodeCompleted(node=node, activation=number, cached=True):
            say(f"  {node}[{number}]: taken from before")
        case e.NodeProgress(node=node, message=message):
            for line in message.split("\n"):
                say(f"  {node}: {line}")
        case e.NodeSkipped(node=node, reason=reason):
            say(f"- {node} skipped ({reason.replace('_', ' ')})")
        case e.NodeFailed(error=error):
            say(f"✗ {explain(error, source)}")
        case e.ExecutionFailed(error=error) if error.activation is None:  # else it has been said
            say(f"✗ {explain(error, source)}")
        case e.ExecutionPaused(reason="budget", interrupted=(_, *_)):  # it has been said
            pass
        case e.ExecutionPaused(at=None, reason=reason, message=message):
            why = message or ("" if reason == "asked" else reason)
            say(f"‖ paused ({why})" if why else "‖ paused")
        case e.ExecutionPaused(at=at, message=message):
            say(f"‖ paused {at}" + (f" ({message})" if message else ""))
        case e.ExecutionResumed(steps=steps):
            say("▷ resumed" if steps is None else f"▷ {steps} step{'s' * (steps > 1)}")
        case e.ExecutionRecovered(repeated=repeated):
            say(f"▷ taken over{'; again: ' if repeated else ''}{', '.join(repeated)}")
        case e.ExecutionEdited():
            say("✎ edited")
        case e.ExecutionCancelled():
            say("✗ cancelled")
        case e.BudgetWarning(used=used):
            calls = f"{used.calls:,} call{'' if used.calls == 1 else 's'}"
            say(f"! nearly at its budget: {calls}, {used.tokens:,} tokens, {used.cost}")
        case _:
            pass


def print_outputs(outputs: Mapping[str, Any]) -> None:
    """One result as it is; several as JSON by name."""
    value = next(iter(outputs.values())) if len(outputs) == 1 else outputs
    tell(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2))


def _decides(event: e.AnyEvent) -> bool:
    """Whether an event says anew how the program would end."""
    going_on = (e.ExecutionResumed, e.ExecutionEdited)
    return isinstance(event, (*e.FINAL_EVENTS, e.ExecutionPaused, *going_on))


def _failed(event: e.AnyEvent) -> bool:
    return isinstance(event, e.ExecutionFailed)


def _is_journal(event: e.AnyEvent) -> bool:
    return isinstance(event, e.ExecutionPaused) and event.reason == "journal"


def _count(event: e.AnyEvent, running: set[str]) -> None:
    """Keep account of the nodes that are under way, those that wait for a human apart."""
    match event:
        case e.NodeStarted(node=node) | e.InputReceived(node=node):
            running.add(node)
        case e.NodeCompleted(node=node) | e.NodeFailed(node=node) | e.InputRequired(node=node):
            running.discard(node)
        case e.SkipRequested(node=node):
            running.discard(node)
        case e.ExecutionPaused(interrupted=nodes):
            running.difference_update(nodes)
        case e.ExecutionEdited():
            running.clear()
        case _:
            pass


class _Terminal:
    """Asks on standard error and reads the answers from standard input."""

    def __init__(self) -> None:
        self._line: asyncio.Future[bytes] | None = None

    async def ask(self, node: str, question: e.Question, problem: str | None) -> str:
        say(in_words(node, question, problem).rstrip())
        # When a question is over before it is answered, the line being read is for the next one.
        self._line = self._line or in_thread(_read_line)
        line = await asyncio.shield(self._line)
        self._line = None
        if not line:
            message = f"Node {node!r} asks {question.prompt!r}, and there is no more input."
            raise NoAnswerError(message)
        return line.decode(errors="replace").rstrip("\r\n")

    def close(self) -> None:
        if self._line is not None:
            self._line.cancel()


def _read_line() -> bytes:
    # Unbuffered: a thread that waits in `sys.stdin` would hold its lock when the program ends.
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as stdin:
        return stdin.readline()
