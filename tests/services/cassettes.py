"""What tests of cassettes share: a cassette in front of a real provider on loopback, and calls."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from dipeo_jupyter.app import build_llm
from dipeo_jupyter.diagram.model import Person
from dipeo_jupyter.engine.chat import ChatAnswer, ChatMessage, ChatRequest
from dipeo_jupyter.services.cassettes import Take, taking
from dipeo_jupyter.services.keys import Keys
from dipeo_jupyter.services.llm import LiteLLM
from dipeo_jupyter.settings import Settings

KEY = "sk-canary-0123456789abcdef"
NOWHERE = "http://127.0.0.1:9/v1"
"""Where nobody listens."""


def wish(*contents, system=None, **person):
    person = {"service": "openai", "model": "gpt-4.1-nano"} | person
    said = [ChatMessage("system", system)] if system else []
    said += [ChatMessage("user", content) for content in contents or ["hello"]]
    return ChatRequest(Person(**person), said, 20.0)


@dataclass
class Desk:
    """Ask through a cassette, in a mode, as a program does that was started for it."""

    path: Path
    url: str = NOWHERE
    key: str | None = KEY

    def llm(self, mode):
        environ = {"OPENAI_API_KEY": self.key} if self.key else {}
        settings = Settings(
            root=self.path.parent,
            environ=environ,
            api_bases={"openai": self.url},
            cassette=self.path,
            cassette_mode=mode,
        )
        keys = Keys(environ)
        return build_llm(settings, keys, LiteLLM(keys, settings.api_bases))

    def ask(self, mode, *requests, at_once=False) -> list[ChatAnswer]:
        """The answers; one after the other, or all asked at once in this order."""
        return [answer for answer, _ in self.heard(mode, *requests, at_once=at_once)]

    def heard(self, mode, *requests, at_once=False) -> list[tuple[ChatAnswer, list[str]]]:
        """The answers, and the pieces in which each came."""
        llm = self.llm(mode)

        async def one(request):
            pieces: list[str] = []
            return await llm.chat(request, pieces.append), pieces

        async def main():
            with taking(Take()):
                if at_once:
                    return await asyncio.gather(*map(one, requests))
                return [await one(each) for each in requests]

        return asyncio.run(main())

    def write(self, text):
        self.path.write_text(dedent(text), encoding="utf-8")

    @property
    def text(self):
        return self.path.read_text(encoding="utf-8")
