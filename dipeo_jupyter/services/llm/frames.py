"""What the worker and its owner tell each other, and how that is written into their pipes.

A message is its size, in four bytes, and JSON: its name and its fields.
"""

from __future__ import annotations

import json
from array import array
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from pydantic import TypeAdapter

from ...engine.chat import ChatAnswer
from ...engine.ports import Drawn, Embedded
from ...errors import FailureKind
from ...protocol.events import Usage

SIZE = 4
"""Bytes that tell how many come next."""
_CHAT = TypeAdapter(ChatAnswer)


class Ask(NamedTuple):
    """Ask a model, `who` it may be, with these arguments of litellm; the key is among them.

    For `timeout`, `silence` and `ending` see `call.Call`.
    """

    number: int
    what: Literal["chat", "embed", "draw"]
    who: str
    arguments: dict[str, Any]
    timeout: float
    silence: float
    ending: str = ""

    def __repr__(self) -> str:
        return f"Ask({self.number}, {self.who!r})"  # without the key


class Cancel(NamedTuple):
    """Nobody waits for this answer any more."""

    number: int


class Variables(NamedTuple):
    """These variables of the environment have changed; those that are None are gone."""

    changed: dict[str, str | None]


class Text(NamedTuple):
    """More of an answer has come."""

    number: int
    pieces: Sequence[str]


class Done(NamedTuple):
    """The whole answer is there, as one of the functions below writes it."""

    number: int
    answer: dict[str, Any]


class Failed(NamedTuple):
    """There will be no answer: the fields of a `ServiceError`."""

    number: int
    message: str
    retryable: bool = False
    retry_after: float | None = None
    kind: FailureKind = "other"


ToWorker: TypeAlias = Ask | Cancel | Variables
FromWorker: TypeAlias = Text | Done | Failed

_KINDS = {kind.__name__: kind for kind in (Ask, Cancel, Variables, Text, Done, Failed)}


def packed(message: ToWorker | FromWorker) -> bytes:
    """A message as it is written. What JSON does not know, like a date, becomes text."""
    data = json.dumps([type(message).__name__, *message], default=str).encode()
    return len(data).to_bytes(SIZE) + data


def unpacked(data: bytes) -> Any:
    """The message that was written, without its size."""
    name, *fields = json.loads(data)
    return _KINDS[name](*fields)


def chat_written(answer: ChatAnswer) -> dict[str, Any]:
    """An answer, for `Done`."""
    written: dict[str, Any] = _CHAT.dump_python(answer, mode="json")
    return written


def chat_read(written: dict[str, Any]) -> ChatAnswer:
    """The answer in a `Done`."""
    return _CHAT.validate_python(written)


def vectors_written(answer: Embedded) -> dict[str, Any]:
    """Vectors, for `Done`."""
    # The bytes of the numbers: to read a million digits would hold up whoever does it.
    vectors = [b64encode(array("d", each).tobytes()).decode() for each in answer.vectors]
    return {"vectors": vectors, "usage": answer.usage.model_dump()}


def vectors_read(written: dict[str, Any]) -> Embedded:
    """The vectors in a `Done`."""
    vectors = [array("d", b64decode(each)).tolist() for each in written["vectors"]]
    return Embedded(vectors, Usage(**written["usage"]))


def drawn_written(answer: Drawn) -> dict[str, Any]:
    """Images, for `Done`."""
    return {"images": answer.images, "usage": answer.usage.model_dump()}


def drawn_read(written: dict[str, Any]) -> Drawn:
    """The images in a `Done`."""
    return Drawn(tuple(written["images"]), Usage(**written["usage"]))
