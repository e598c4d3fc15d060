"""A cassette as text: YAML that reads well in a code review, and may be edited by hand.

    version: 1
    recordings:
      - request:
          person:
            provider: openai
            model: gpt-4.1-nano
          messages:
            - user: Write a haiku.
        answers:
          - text: |-
              The kettle murmurs
              …
            pieces: "4 7 8"
            usage: {input_tokens: 4, output_tokens: 9}

An answer was streamed in `pieces` of so many characters; where they do not fit the text (any more),
the rest is one piece. Only `text` must be there. What people write beside these entries is kept.

With tools, a request has a list of `tools`, messages and answers have `calls` (`id`, `name`,
`arguments`), and a message of the role `tool` says which of them it `answers`. Images of an answer
are kept as they are, of those in a request only what tells them from others.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn, TypeAlias, get_args

from ...diagram.source import Path, Source, read
from ...diagram.yaml.writer import Flow, write_yaml
from ...engine.chat import ChatAnswer, ChatMessage, ChatRequest, Role
from ...engine.reuse import key_of
from ...errors import DiagramError, Problem
from ...protocol.events import ToolCall, Usage

VERSION = 1
HEAD = f"""\
# What models answered: dipeo replays it. It may be edited, but comments are not kept.
version: {VERSION}
recordings:
"""
WIDTH = 90

Request: TypeAlias = dict[str, Any]
"""Who is asked (`person`), what (`messages`), and with which `tools`, if any."""


@dataclass(eq=False)
class Recording:
    """A request and its answers, in the order in which a run got them; `line` is its place."""

    data: dict[str, Any]
    line: int | None = None

    @cached_property
    def key(self) -> str:
        return key_of(self.request)

    @property
    def request(self) -> Request:
        own = self.data["request"]
        tools = {"tools": own["tools"]} if own.get("tools") else {}
        return {"person": own.get("person"), "messages": own.get("messages"), **tools}

    @property
    def answers(self) -> list[dict[str, Any]]:
        answers: list[dict[str, Any]] = self.data["answers"]
        return answers

    @cached_property
    def text(self) -> str:
        """As it is written; whoever changes an answer deletes this."""
        answers = [each | _on_one_line(each) for each in self.answers]
        whole = write_yaml({"recordings": [self.data | {"answers": answers}]})
        return whole.removeprefix("recordings:\n")


def written(recordings: Iterable[Recording]) -> str:
    """The whole file. Raises `DiagramError` for what no text can hold (half a character)."""
    return HEAD + "\n".join(each.text for each in recordings)


def request_entry(person: Mapping[str, Any], request: ChatRequest) -> Request:
    """A request as it is written down."""
    entry: Request = {"person": dict(person), "messages": [*map(_message, request.messages)]}
    if request.tools:
        entry["tools"] = [each.as_json() for each in request.tools]
    return entry


def _message(message: ChatMessage) -> dict[str, Any]:
    role, content, *more = message.as_json()
    return {role: content, **(more[0] if more else {})}


def answer_entry(answer: ChatAnswer, pieces: Sequence[str]) -> dict[str, Any]:
    """An answer as it is written down."""
    entry: dict[str, Any] = {"text": answer.text}
    if len(pieces) > 1:
        entry["pieces"] = textwrap.fill(" ".join(str(len(piece)) for piece in pieces), WIDTH)
    if answer.calls:
        entry["calls"] = [each.model_dump() for each in answer.calls]
    if answer.images:
        entry["images"] = list(answer.images)
    if counts := answer.usage.model_dump(mode="json", exclude_defaults=True):
        entry["usage"] = counts
    return entry


def answer_in(entry: dict[str, Any]) -> tuple[ChatAnswer, list[str]]:
    """The answer that was written down, and the pieces in which it came."""
    text, counts = entry["text"], entry.get("usage") or {}
    usage = Usage(**{name: counts[name] for name in counts if name in Usage.model_fields})
    sizes = (int(size) for size in re.findall(r"\d+", str(entry.get("pieces") or "")))
    calls = tuple(ToolCall.model_validate(each) for each in entry.get("calls") or ())
    images = tuple(map(str, entry.get("images") or ()))
    answer = ChatAnswer(text, usage, replayed=True, calls=calls, images=images)
    return answer, list(_cut(text, sizes))


def read_recordings(text: str) -> list[Recording]:
    """What a cassette holds; raises `DiagramError` with the line of what is wrong."""
    data, source = read(text)
    wrong = _Complaint(source)
    if data is None:
        return []
    if not isinstance(data, dict) or "recordings" not in data:
        wrong.at((), "This is no cassette: it has no list of `recordings`.")
    if data.get("version") != VERSION:
        said = str(data.get("version"))[:40]
        wrong.at(("version",), f"This is version {said} of cassettes; only {VERSION} is known.")
    entries = data["recordings"] or []
    if not isinstance(entries, list):
        wrong.at(("recordings",), "`recordings` must be a list.")
    return [_recording(each, ("recordings", i), wrong) for i, each in enumerate(entries)]


@dataclass(frozen=True)
class _Complaint:
    """Says what is wrong, and on which line."""

    source: Source

    def at(self, path: Path, message: str) -> NoReturn:
        raise DiagramError(self.source.locate(Problem("bad_value", message, path=path)))


def _recording(entry: Any, path: Path, wrong: _Complaint) -> Recording:
    match entry:
        case {"request": {"person": dict(), "messages": list(messages)}, "answers": [_, *_]}:
            pass
        case _:
            needed = "a `request` with a `person` and a list of `messages`, and a list of `answers`"
            wrong.at(path, f"A recording has {needed}.")
    for i, message in enumerate(messages):
        said = [role for role in get_args(Role) if isinstance(message, dict) and role in message]
        if len(said) != 1 or not isinstance(message[said[0]], str):
            where = (*path, "request", "messages", i)
            wrong.at(where, "A message is its role and its text: `- user: Hello`.")
    answers = entry["answers"] = [
        {"text": each} if isinstance(each, str) else each for each in entry["answers"]
    ]
    for i, answer in enumerate(answers):
        _check_answer(answer, (*path, "answers", i), wrong)
    return Recording(entry, wrong.source.line_of(*path))


def _check_answer(answer: Any, path: Path, wrong: _Complaint) -> None:
    if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
        wrong.at(path, "An answer has a `text`, in quotes if it looks like a number.")
    calls = answer.get("calls") or []
    if not isinstance(calls, list) or not all(map(_is_call, calls)):
        wrong.at((*path, "calls"), "A call has an `id`, a `name` and `arguments`, all in quotes.")
    try:
        answer_in(answer)
    except (TypeError, ValueError, AttributeError):
        wrong.at((*path, "usage"), "`usage` is a map of whole numbers, such as `input_tokens: 4`.")


def _is_call(call: Any) -> bool:
    names = set(ToolCall.model_fields)
    return isinstance(call, dict) and call.keys() == names and {*map(type, call.values())} == {str}


def _on_one_line(answer: dict[str, Any]) -> dict[str, Any]:
    usage = answer.get("usage")
    if not usage or any(isinstance(each, dict | list) for each in usage.values()):
        return {}
    return {"usage": Flow(usage)}


def _cut(text: str, sizes: Iterable[int]) -> Iterator[str]:
    for size in sizes:
        if piece := text[:size]:
            yield piece
        text = text[size:]
    if text:
        yield text
