"""Draws images: by a real model, or without one by the demo."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from ..diagram.model import Person
from ..engine.ports import Drawn, DrawRequest, Painter
from ..engine.prices import FREE, Price
from ..engine.values import image_url
from ..errors import ServiceError
from ..protocol.events import Usage
from .providers import DEMO, drawing_options_of, model_of

_FIELDS = 8
"""How many fields of one colour the demo's images are wide and high."""
_PIXELS = 16
"""The same of a field."""
_START = b"\x89PNG\r\n\x1a\n"


class DemoPainter:
    """Fulfils the port `Painter` for the service `demo`: the same words give the same small PNG.

    It is a pattern in two colours, whose left half is the mirror of the right one. Usage is counted
    in words.
    """

    async def draw(self, request: DrawRequest) -> Drawn:
        image = image_url(pattern(request.prompt))
        assert image is not None
        return Drawn((image,), Usage(input_tokens=len(request.prompt.split())))

    def identity(self, model: Person) -> Mapping[str, Any]:
        return {"provider": DEMO}

    def price(self, model: Person) -> Price | None:
        return FREE


class Drawings:
    """Fulfils the port `Painter`: asks the demo, or a real model.

    While a cassette is replayed, only the demo draws.
    """

    def __init__(self, real: Painter, *, replaying: bool = False) -> None:
        self._real = real
        self._demo = DemoPainter()
        self._replaying = replaying

    async def draw(self, request: DrawRequest) -> Drawn:
        painter = self._painter(request.model)
        if self._replaying and painter is self._real:
            raise ServiceError(
                "Drawings are not on a cassette, and nobody is asked while one is replayed. "
                "Let the demo draw, by `image_generation: {model: demo}`."
            )
        return await painter.draw(request)

    def identity(self, model: Person) -> Mapping[str, Any]:
        options = drawing_options_of(model)
        bare = Person(service=model.service, model=model.model)
        return {**self._painter(model).identity(bare), **options}

    def price(self, model: Person) -> Price | None:
        return self._painter(model).price(model)

    def _painter(self, model: Person) -> Painter:
        return self._demo if model_of(model)[0] == DEMO else self._real


def pattern(text: str) -> bytes:
    """A PNG that depends on nothing but a text."""
    size = 6 + _FIELDS * _FIELDS // 16  # two colours, and a bit for each field of one half
    digest = blake2b(text.encode(errors="replace"), digest_size=size).digest()
    colours, bits = digest[:6], int.from_bytes(digest[6:])
    rows = []
    for number in range(_FIELDS):
        half = [bits >> (number * _FIELDS // 2 + place) & 1 for place in range(_FIELDS // 2)]
        row = b"".join(bytes([each]) * _PIXELS for each in (*half, *half[::-1]))
        rows += [b"\0" + row] * _PIXELS  # each row begins with how it is filtered: not at all
    size = _FIELDS * _PIXELS
    header = struct.pack(">IIBBBBB", size, size, 8, 3, 0, 0, 0)  # 8 bits, by number of the colour
    parts = ((b"IHDR", header), (b"PLTE", colours), (b"IDAT", zlib.compress(b"".join(rows))))
    return _START + b"".join(_chunk(*each) for each in (*parts, (b"IEND", b"")))


def _chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG: how long it is, what it is, and a checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
