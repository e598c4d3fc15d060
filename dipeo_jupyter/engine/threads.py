"""Threads: conversations that are carried on from one run into the next.

A run of a thread begins with the conversation that the last one of it has ended with, and says so
in its first entry; so it needs the others no more. The messages get the id of their run before
their own, as those of a part have its path.
"""

from __future__ import annotations

from ..errors import CommandError, DiagramError
from ..protocol import events as e
from .child import said_in
from .loading import Compile, fold
from .ports import Journal

Beginning = tuple[str | None, tuple[e.Message, ...]]
"""The name of the thread, and what was said in it before."""


def beginning(
    journal: Journal, thread: str | None, origin: e.ExecutionId | None, compile_: Compile
) -> Beginning:
    """What a run begins with: the last word of its thread, else what its origin began with."""
    if thread is not None:
        return thread, _last_said(journal, thread, compile_)
    entries = journal.read(origin) if origin else ()
    return begun_with(entries[0].event) if entries else (None, ())


def begun_with(start: e.AnyEvent) -> Beginning:
    """What a run has begun with; a part began with what is not its own, and was of no thread."""
    if not isinstance(start, e.ExecutionStarted) or start.parent is not None:
        return None, ()
    return start.thread, start.before


def _last_said(journal: Journal, thread: str, compile_: Compile) -> tuple[e.Message, ...]:
    """The conversation with which the newest of its runs ended that has come to its end."""
    for run in journal.runs():  # the newest first
        if run.thread == thread and run.status == "completed" and run.parent is None:
            try:
                state = fold(journal.read(run.execution_id), compile_).state
            except DiagramError as error:
                message = f"The run {run.execution_id} of the thread {thread!r} cannot be read."
                raise CommandError(message, code="bad_thread", hint=str(error)) from None
            own = (_of_run(message, run.execution_id) for message in said_in(state))
            return (*state.before, *own)
    return ()


def _of_run(message: e.Message, execution_id: e.ExecutionId) -> e.Message:
    return message.model_copy(update={"id": f"{execution_id}/{message.id}"})
