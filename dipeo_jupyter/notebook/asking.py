"""Ask a human where there is no card: by `input()`."""

from __future__ import annotations

import asyncio
import ctypes
import sys
import threading
from typing import Any

from IPython.core.getipython import get_ipython

from ..client import in_words
from ..client.trusting import Granted, TrustQuestion, understood
from ..engine.own_thread import in_thread
from ..errors import NoAnswerError
from ..protocol.events import Question

_ONE_AT_A_TIME = threading.Lock()
"""A front end has one place to type in, and no two threads may read its answers."""


async def ask_by_input(node: str, question: Question, problem: str | None) -> Any:
    """Fulfils `client.Ask`. The loop lives while the human thinks: `input` waits in a thread."""
    typing = _Input(in_words(node, question, problem))
    try:
        return await in_thread(typing.read)
    except asyncio.CancelledError:
        typing.give_up()
        raise
    except Exception as error:
        # Each front end refuses in its own way (EOFError, StdinNotImplementedError, …).
        raise NoAnswerError(
            f"Node {node!r} asks {question.prompt!r}, and nobody can be asked here. "
            f"Give the answer beforehand: answers={{{node!r}: …}}"
        ) from error


def ask_trust_by_input(question: TrustQuestion) -> Granted | None:
    """Fulfils `client.trusting.AskTrust`, where somebody can be asked at all."""
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None and not (sys.stdin and sys.stdin.isatty()):
        return None  # it may be a pipe that never ends
    try:
        with _ONE_AT_A_TIME:
            return understood(input(str(question)))
    except Exception:  # noqa: BLE001 - each front end refuses in its own way
        return None


class _Input:
    """One call of `input()`, which can be given up."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._given_up = False
        self._thread: int | None = None

    def read(self) -> str:
        with _ONE_AT_A_TIME:
            self._thread = threading.get_ident()
            try:
                return "" if self._given_up else input(self._text)
            finally:
                self._thread = None

    def give_up(self) -> None:
        """End it as the stop button would if it were in the main thread.

        In a terminal it ends only with the line that is being typed: nothing can end it before.
        """
        self._given_up = True
        if self._thread is not None:
            error = ctypes.py_object(KeyboardInterrupt)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), error)
