"""Ask a human in a notebook that has no card: by `input()`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ..errors import NoAnswerError
from ..protocol.events import Question


def ask_by_input(read_line: Callable[[str], str]) -> Callable[[str, Question, str | None], Any]:
    """Make an `Ask` of a function such as `input`, called in a thread of its own."""

    async def ask(node: str, question: Question, problem: str | None) -> Any:
        try:
            return await asyncio.to_thread(read_line, text_of(node, question, problem))
        except Exception as error:
            # Each front end refuses in its own way (EOFError, StdinNotImplementedError, …).
            raise NoAnswerError(
                f"node {node!r} asks {question.prompt!r}, and nobody can be asked here. "
                f"Give the answer beforehand: answers={{{node!r}: …}}"
            ) from error

    return ask


def text_of(node: str, question: Question, problem: str | None) -> str:
    """The question in one text, with the choices there are."""
    schema = question.schema_ or {}
    choices = schema.get("enum")
    hint = f" ({' / '.join(map(str, choices))})" if choices else ""
    return "".join([f"{problem}\n" if problem else "", f"[{node}] {question.prompt}{hint} "])
