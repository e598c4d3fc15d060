"""Asks models through litellm: the work of the worker, in which alone litellm is imported."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from ...engine.chat import ChatAnswer
from ...engine.ports import Drawn, Embedded
from ...engine.values import image_url
from ...errors import ServiceError
from ..redaction import Redactor
from .answer import collect, drawing_usage, drawn_at, embedded
from .call import CALL, Call
from .failures import REFUSED_FOR_GOOD, broken, causes, no_answer
from .frames import Ask, chat_written, drawn_written, vectors_written
from .guard import Guard
from .loading import load_litellm, log_nothing
from .searching import SEARCH


class Asker:
    """Asks every provider that litellm knows, on one event loop."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._guard = Guard(redactor)

    async def answer(self, ask: Ask, show: Callable[[str], Any]) -> dict[str, Any]:
        """What came of it, as it is written; raises `ServiceError` alone."""
        call = Call(ask.timeout, ask.silence, ask.ending.encode())
        CALL.set(call)
        try:
            match ask.what:
                case "chat":
                    return chat_written(await self._stream(ask, show, call))
                case "embed":
                    return vectors_written(await self._vectors(ask, call))
                case "draw":
                    return drawn_written(await self._images(ask, call))
        except Exception as error:  # noqa: BLE001 - litellm may raise anything
            raise self._explain(error, ask, call) from None

    async def _stream(self, ask: Ask, show: Callable[[str], Any], call: Call) -> ChatAnswer:
        litellm = load_litellm()
        async with call.patience():
            stream = await litellm.acompletion(**ask.arguments, **self._access(ask))
            async with aclosing(stream):
                return await collect(stream, show, call)

    async def _vectors(self, ask: Ask, call: Call) -> Embedded:
        litellm = load_litellm()
        log_nothing()
        async with call.patience():
            answer = await litellm.aembedding(**ask.arguments, **self._access(ask))
        return embedded(answer, len(ask.arguments["input"]))

    async def _images(self, ask: Ask, call: Call) -> Drawn:
        litellm = load_litellm()
        log_nothing()
        access = self._guard.drawing_access(ask.arguments)
        base = ask.arguments.get("api_base")
        async with call.patience():
            answer = await litellm.aimage_generation(**ask.arguments, **access)
            images = [await self._image(url, base) for url in drawn_at(answer)]
        return Drawn(tuple(images), drawing_usage(answer))

    async def _image(self, url: str, base: str | None) -> str:
        """An image as a URL of the kind `data:`, wherever it is."""
        try:
            inside = url.partition("base64,")[2] if url.startswith("data:") else None
            data = await self._guard.image_at(url, base) if inside is None else b64decode(inside)
        except ValueError:
            raise no_answer() from None
        image = image_url(data)
        if image is None:
            raise no_answer()
        return image

    def _access(self, ask: Ask) -> dict[str, Any]:
        return {**self._guard.access(ask.arguments["model"].split("/")[0])}

    def _explain(self, error: Exception, ask: Ask, call: Call) -> ServiceError:
        """Say what went wrong, in an error that knows nothing of the one it explains."""
        chain = causes(next(iter(call.failures), error))
        for cause in chain:
            match cause:
                case ServiceError(retryable=again, retry_after=wait, kind=kind):
                    said = str(cause)
                    return ServiceError(said, retryable=again, retry_after=wait, kind=kind)
                case TimeoutError() if call.fell_silent:
                    silent = f"{ask.who} fell silent in the middle, for {call.silence:g} s."
                    silent = f"{silent} Try again, or raise DIPEO_IDLE_TIMEOUT."
                    return ServiceError(silent, retryable=True, kind="timeout")
                case TimeoutError():
                    late = f"{ask.who} gave no answer within {ask.timeout:g} s."
                    late = f"{late} Try again, or raise the timeout."
                    return ServiceError(late, retryable=True, kind="timeout")
                case json.JSONDecodeError() | StopAsyncIteration():  # the stream held nothing
                    return no_answer()
                case _ if type(cause).__name__ == "ClientPayloadError":  # aiohttp's
                    return broken()
                case _ if type(cause).__name__ == "HTTPStatusError":  # httpx's, unguarded
                    return self._guard.refusal_in(cause)
        if getattr(error, "status_code", None) in REFUSED_FOR_GOOD:
            said = self._redactor.redact(re.sub(r"litellm\.\w+: ", "", str(error)))
            return ServiceError(_not_asked(ask.who, said))
        said = self._redactor.redact(str(chain[-1]) or type(chain[-1]).__name__)
        lost = f"The connection to {ask.who} broke off: {said:.300}"
        return ServiceError(lost, retryable=True, kind="connection")


def _not_asked(who: str, said: str) -> str:
    """Why litellm asked nobody, in words for those who do not know of it."""
    if "Unable to fetch image" in said:
        return f"{who} needs the image itself, and {said.rpartition('url=')[2]:.300} gives none."
    if SEARCH in said:
        return f"{who} cannot search in the web. Leave out `web_search`, or take another model."
    said = said.partition(" To drop these")[0]  # for programs that call it
    return f"{who} cannot be asked like this: {said:.500}"
