"""Ask a human where there is no card: by `input()`."""

from __future__ import annotations

import asyncio
from typing import Any

from ..errors import NoAnswerError
from ..protocol.events import Question


async def ask_by_input(node: str, question: Question, problem: str | None) -> Any:
    """Fulfils `client.Ask`. The loop lives while the human thinks: `input` waits in a thread."""
    try:
        return await asyncio.to_thread(input, text_of(node, question, problem))
    except Exception as error:
        # Each front end refuses in its own way (EOFError, StdinNotImplementedError, …).
        raise NoAnswerError(
            f"Node {node!r} asks {question.prompt!r}, and nobody can be asked here. "
            f"Give the answer beforehand: answers={{{node!r}: …}}"
        ) from error


def text_of(node: str, question: Question, problem: str | None) -> str:
    """The question in one text, with the choices there are."""
    choices = (question.schema_ or {}).get("enum")
    hint = f" ({' / '.join(map(str, choices))})" if choices else ""
    return "".join([f"{problem}\n" if problem else "", f"[{node}] {question.prompt}{hint} "])
