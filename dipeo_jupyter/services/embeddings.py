"""Turns texts into vectors: by a real model, or without one by the demo; each text once."""

from __future__ import annotations

import json
import re
from array import array
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from ..diagram.model import Person
from ..engine.ports import Embedded, Embedder, EmbedRequest
from ..errors import ServiceError
from ..protocol.events import Usage
from .providers import DEMO, model_of

BATCH = 100
"""Texts of one request; providers take some hundreds."""
KEPT = 4096
"""Vectors that are kept: some 6 kB each."""
_DIRECTIONS = 256
_WORD = re.compile(r"\w+")


class DemoEmbedder:
    """Fulfils the port `Embedder` for the service `demo`: texts that share words are alike.

    Each word points in one of a few hundred directions. Usage is counted in words.
    """

    async def embed(self, request: EmbedRequest) -> Embedded:
        words = [_WORD.findall(text.casefold()) for text in request.texts]
        return Embedded([*map(_sum, words)], Usage(input_tokens=sum(map(len, words))))

    def identity(self, model: Person) -> Mapping[str, Any]:
        return {"provider": DEMO}


class Embeddings:
    """Fulfils the port `Embedder`: asks the demo, or a real model for what is not known yet.

    A real one is asked for so many texts at a time, for each text once, as long as it is among the
    last few thousand. Without one, `real` is None, and only the demo answers.
    """

    def __init__(self, real: Embedder | None) -> None:
        self._real = real
        self._demo = DemoEmbedder()
        self._known: OrderedDict[tuple[str, str], array[float]] = OrderedDict()

    def identity(self, model: Person) -> Mapping[str, Any]:
        return self._embedder(model).identity(model)

    async def embed(self, request: EmbedRequest) -> Embedded:
        embedder, texts = self._embedder(request.model), request.texts
        whose = json.dumps(dict(embedder.identity(request.model)), sort_keys=True)
        found = {text: self._known.get((whose, text)) for text in texts}
        usage = Usage()
        unknown = [text for text, known in found.items() if known is None]
        for start in range(0, len(unknown), BATCH):
            batch = unknown[start : start + BATCH]
            fresh, took = await embedder.embed(replace(request, texts=batch))
            usage += took
            for text, numbers in zip(batch, fresh, strict=True):
                found[text] = self._known[whose, text] = array("f", numbers)
        for text in found:
            self._known.move_to_end((whose, text))
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        vectors = [vector for text in texts if (vector := found[text]) is not None]
        return Embedded(vectors, usage)

    def _embedder(self, model: Person) -> Embedder:
        if model_of(model)[0] == DEMO:
            return self._demo
        if self._real is None:
            raise ServiceError(
                "Embeddings are not on a cassette, and nobody is asked while one is replayed. "
                "Choose what is remembered by `memory_selector: lexical` or `model`."
            )
        return self._real


def _sum(words: Sequence[str]) -> list[float]:
    """The words of a text together, each in its direction."""
    vector = [0.0] * _DIRECTIONS
    for word in words:
        digest = blake2b(word.encode(errors="replace"), digest_size=2).digest()
        vector[int.from_bytes(digest) % _DIRECTIONS] += 1.0
    return vector
