"""What comes back, read piece by piece: never more than is wanted, also of what is packed."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

PACKED = "gzip, deflate"
"""What answers may be packed with: what can be unpacked piece by piece within a limit."""
_GZIP_OR_ZLIB = 47  # told apart by how the data begin
_PIECE = 262_144  # bytes that are unpacked at one go
_SLACK = 65_536  # bytes that packing may add to what cannot be made smaller
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)


class TooLargeError(Exception):
    """An answer is larger than is wanted."""


class UnreadableError(Exception):
    """An answer is packed in a way that was not asked for, or is broken."""


def headers_of(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by their names in small letters; those of one name are joined."""
    found: dict[str, str] = {}
    for raw, value in pairs:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1").strip()
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


async def content_of(pieces: AsyncIterator[bytes], headers: Mapping[str, str], most: int) -> bytes:
    """The whole content, unpacked; raises `TooLargeError` as soon as it is too large."""
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > most + _SLACK:
        raise TooLargeError
    unpacker = _unpacker(headers.get("content-encoding", ""))
    content, came = bytearray(), 0
    async for packed in pieces:
        came += len(packed)
        if came > most + _SLACK:
            raise TooLargeError
        for piece in unpacker.unpack(packed):
            content += piece
            if len(content) > most:
                raise TooLargeError
            await asyncio.sleep(0)  # others have their turn
    unpacker.end()
    return bytes(content)


def text_of(content: bytes, headers: Mapping[str, str]) -> str | None:
    """The text that the content is; None when it is none."""
    named = _CHARSET.search(headers.get("content-type", ""))
    try:
        text = content.decode(named[1] if named else "utf-8-sig")
    except (LookupError, ValueError):
        return None
    return None if "\0" in text else text


class _Plain:
    """Hands on what is not packed."""

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        yield packed

    def end(self) -> None:
        """Nothing is left."""


class _Packed:
    """Unpacks gzip and zlib, in pieces of a size."""

    def __init__(self) -> None:
        self._current = zlib.decompressobj(_GZIP_OR_ZLIB)

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        while packed:
            if self._current.eof:  # one more behind it
                self._current = zlib.decompressobj(_GZIP_OR_ZLIB)
            try:
                piece = self._current.decompress(packed, _PIECE)
            except zlib.error:
                raise UnreadableError("broken") from None
            packed = self._current.unused_data or self._current.unconsumed_tail
            yield piece

    def end(self) -> None:
        if not self._current.eof:
            raise UnreadableError("cut off")


def _unpacker(encoding: str) -> _Plain | _Packed:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip" | "deflate":
            return _Packed()
        case other:
            raise UnreadableError(f"packed with {other[:20]}, which was not asked for")
