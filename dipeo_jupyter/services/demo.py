"""A model that needs no network and no key: it answers by a rule, the same every time."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..diagram.model import Label, Person
from ..engine.chat import ChatAnswer, ChatMessage, ChatRequest
from ..engine.prices import FREE, Price
from ..errors import Problem, ServiceError
from ..protocol.events import ToolCall, Usage
from .persons import unknown_fields

QUOTE = 80
"""Letters of the last message that an answer quotes."""


class DemoLLM:
    """Fulfils the `LLM` port for the service `demo`.

    The answer depends on nothing but the request. A person with `answers: [...]` gives them in
    turn, and then from the first again: which one is due is the number of assistant messages in
    the request, so a person that does not see what it said before gives the first each time.
    Instead of a text, an answer may be the use of a tool: `{use: rate, with: {source: USD}}`.
    Anybody else says that it is a demo, who it is, and what it was told.

    Usage is counted in words.
    """

    async def chat(self, request: ChatRequest, on_text: Callable[[str], None]) -> ChatAnswer:
        """Answer, word by word; raises `ServiceError` when `answers` are not as they must be."""
        said = _scripted(request.person, request.messages) or _improvised(request.messages)
        text, calls = (said, ()) if isinstance(said, str) else ("", (said,))
        for piece in _words(text):
            on_text(piece)
            await asyncio.sleep(0)
        heard = sum(len(_words(each.content)) for each in request.messages)
        usage = Usage(input_tokens=heard, output_tokens=len(_words(text)) + len(calls))
        return ChatAnswer(text, usage, calls=calls)

    def identity(self, person: Person) -> Mapping[str, Any]:
        return {"provider": "demo", "model": person.model, **person.parameters}

    def price(self, person: Person) -> Price | None:
        return FREE

    def takes_schema(self, person: Person) -> bool:
        return False

    def check(self, label: Label, person: Person) -> Iterator[Problem]:
        """See the port: its answers, and fields that look like others.

        What else it has is for the model that it may be switched to, and does no harm here.
        """
        try:
            _scripted(person, ())
        except ServiceError as error:
            yield Problem("bad_person", str(error), path=("persons", label, "answers"))
        for problem in unknown_fields(label, person):
            if problem.hint:
                yield problem


def _scripted(person: Person, messages: Sequence[ChatMessage]) -> str | ToolCall | None:
    answers = person.parameters.get("answers")
    if answers is None:
        return None
    if not isinstance(answers, list) or not all(map(_is_answer, answers)):
        raise ServiceError(
            "`answers` of a demo person must be a list of texts, each in quotes, or of tools to "
            "use: `{use: rate, with: {source: USD}}`."
        )
    if not answers:
        raise ServiceError("`answers` of a demo person is empty: give one, or leave it out.")
    said = sum(each.role == "assistant" for each in messages)
    answer = answers[said % len(answers)]
    if isinstance(answer, str):
        return answer
    arguments = json.dumps(answer.get("with") or {}, ensure_ascii=False)
    return ToolCall(id=f"call_{said}", name=answer["use"], arguments=arguments)


def _is_answer(answer: Any) -> bool:
    match answer:
        case str():
            return bool(answer)
        case {"use": str(), **more}:
            return more.keys() <= {"with"} and isinstance(more.get("with") or {}, dict)
        case _:
            return False


def _improvised(messages: Sequence[ChatMessage]) -> str:
    system = " ".join(each.content for each in messages if each.role == "system")
    heard = [each.content for each in messages if each.role != "system"]
    quote = f"“{_short(heard[-1])}”" if heard else "nothing yet"
    earlier = len(heard) - 1
    count = f" ({earlier} earlier message{'s' if earlier > 1 else ''})" if earlier > 0 else ""
    return f"[demo] {_speaker(system)} {quote}{count}"


def _speaker(system: str) -> str:
    """How the answer begins, from the first sentence of the system prompt."""
    sentence = re.split(r"(?<=[.!?])\s|\n", system.strip(), maxsplit=1)[0].rstrip(".!? ")
    if not sentence:
        return "I heard"
    role = re.match(r"you are (.+)", sentence, re.IGNORECASE)
    return f"As {_short(role[1])}, I heard" if role else f"Told to “{_short(sentence)}”, I heard"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= QUOTE else text[: QUOTE - 1] + "…"


def _words(text: str) -> list[str]:
    """The words, each with the space before it: together they are the text."""
    return re.findall(r"\s*\S+|\s+$", text)
