"""What a client says, read: in the envelope or flat, in today's words or in older ones."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import to_json

from ..diagram import light, native, readable
from ..diagram.files import survey_text
from ..diagram.model import Diagram
from ..diagram.source import Reading
from ..diagram.suggest import did_you_mean
from ..errors import CommandError
from .wire import ALL_RUNS, AnyCommand, any_command_adapter

DEEPEST = 100
"""How deep what is said may be nested."""
LONGEST_ID = 200
ENVELOPE = (
    *("type", "payload", "timestamp", "correlation_id", "execution_id", "seq"),
    "traceparent",
)
OLDER_WORDS = {
    "abort_execution": "cancel_execution",
    "interactive_response": "user_response",
    "heartbeat": "ping",
    "subscribe_monitor": "subscribe",
}
OLDER_FIELDS = {
    "executionId": "execution_id",
    "nodeId": "node",
    "node_id": "node",
    "response": "value",
}
KNOWN: Mapping[str, Mapping[str, Any]] = any_command_adapter.json_schema()["discriminator"][
    "mapping"
]
_STARTS = ("execute_diagram", "fork_execution")
_TEXT_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{\]}]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Request:
    """A command, and what it is known by.

    `reading` is where its diagram came from; with `follow`, who starts a run is told of it.
    """

    command: AnyCommand
    correlation_id: str | None = None
    reading: Reading | None = None
    follow: bool = True


class BadFrameError(CommandError):
    """What came is no command. `correlation_id` is its own, as far as it had one."""

    correlation_id: str | None = None


def read_request(text: str) -> Request:
    """The command in a frame; raises `BadFrameError`."""
    message = _json(text)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise BadFrameError(
            "A message is a JSON object with a `type`.",
            code="bad_message",
            hint='For instance {"type": "ping"}.',
        )
    correlation_id = message.get("correlation_id")
    if correlation_id is not None and not _is_id(correlation_id):
        message_ = f"`correlation_id` is a text of at most {LONGEST_ID} characters."
        raise BadFrameError(message_, code="bad_message")
    try:
        return _request(message, correlation_id)
    except BadFrameError as error:
        error.correlation_id = correlation_id
        raise


def _request(message: dict[str, Any], correlation_id: str | None) -> Request:
    word = message["type"]
    fields = _fields(message)
    kind = OLDER_WORDS.get(word, word)
    if kind == "subscribe" and (word != kind or fields.get("channel") == "monitor"):
        fields.pop("channel", None)
        fields.setdefault("execution_id", ALL_RUNS)
    if kind == "broadcast_event" and fields.get("execution_id") is None:
        fields.pop("execution_id", None)
        kind = "relay_event"
    if kind not in KNOWN:
        hint = did_you_mean(word, KNOWN)
        raise BadFrameError(f"There is no command {word!r}.", code="unknown_command", hint=hint)
    if kind in _STARTS and message.get("traceparent") is not None:
        fields.setdefault("traceparent", message["traceparent"])
    follow = fields.pop("follow", True) is not False if kind in _STARTS else True
    if kind == "execute_diagram":
        fields.pop("options", None)  # of older clients; nothing of them is left to choose
    reading = read_diagram(fields["diagram"]) if fields.get("diagram") is not None else None
    if reading is not None:
        fields["diagram"] = reading.diagram
    try:
        command = any_command_adapter.validate_python({**fields, "type": kind})
    except ValidationError as error:
        raise BadFrameError(_in_words(kind, error), code="bad_command") from None
    return Request(command, correlation_id, reading, follow)


def read_diagram(given: Any) -> Reading:
    """A diagram as it may come: its text in any format, the same as an object, or our own model.

    It is never the name of a file. Raises `BadFrameError` for anything else.
    """
    if isinstance(given, str):
        return survey_text(given)
    if not isinstance(given, dict):
        message = "`diagram` is a diagram as a JSON object, or as the text of one."
        raise BadFrameError(message, code="bad_command")
    if not given.keys() - Diagram.model_fields.keys():
        try:
            return Reading(Diagram.model_validate(given), light.survey("").source)
        except ValidationError:
            pass  # then it is one as people write it
    text = to_json(given).decode()
    if given.keys() & {"flow", "workflow"} or "readable" in (
        given.get("version"),
        given.get("format"),
    ):
        return readable.survey(text)
    return native.survey(text)


def _fields(message: dict[str, Any]) -> dict[str, Any]:
    """What the command says, with today's names."""
    flat = {name: value for name, value in message.items() if name not in ENVELOPE}
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise BadFrameError("`payload` is a JSON object.", code="bad_message")
    if payload and flat:
        names = ", ".join(f"`{name}`" for name in flat)
        message_ = f"Beside `payload` there are further fields: {names}."
        raise BadFrameError(message_, code="bad_message", hint="Put all of them into `payload`.")
    given = payload or flat
    fields = {OLDER_FIELDS.get(name, name): value for name, value in given.items()}
    if len(fields) < len(given):
        raise BadFrameError("One field is there twice, by two names.", code="bad_message")
    if (execution_id := message.get("execution_id")) is not None:
        fields.setdefault("execution_id", execution_id)
    return fields


def _json(text: str) -> Any:
    if _is_deep(text):
        raise BadFrameError(f"The message is nested deeper than {DEEPEST}.", code="bad_json")
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
        text.encode()
        if "\\ud" in text.lower():
            to_json(value)  # half a character cannot be passed on
    except ValueError as error:
        raise BadFrameError(f"The message is no JSON: {error}.", code="bad_json") from None
    return value


def _is_deep(text: str) -> bool:
    """Whether brackets are nested too deep; those inside texts are left out."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    depth = 0
    for found in _TEXT_OR_BRACKET.finditer(text):
        if text[found.start()] in "[{":
            depth += 1
            if depth > DEEPEST:
                return True
        elif text[found.start()] in "]}":
            depth -= 1
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:LONGEST_ID]!r} is there twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_constant(text[:LONGEST_ID])


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID


def _in_words(kind: str, error: ValidationError) -> str:
    """The first thing that is wrong, and how many more there are. No value is repeated."""
    first, *more = error.errors(include_url=False, include_input=False, include_context=False)
    place = ".".join(str(part) for part in first["loc"] if part != kind)
    rest = f" ({len(more)} more)" if more else ""
    return f"{kind}: `{place}`: {first['msg']}{rest}."
