"""What a job writes: its first part is kept, its lines are shown as they come."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable

_PAUSE = 0.05  # seconds between two calls of a listener
_MOST_SHOWN = 200_000  # characters
_LONGEST_LINE = 10_000  # characters; a longer one is shown in pieces


class Captured:
    """The first `limit` bytes of a stream; the rest is only counted."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._cut = 0

    def add(self, data: bytes) -> None:
        room = self._limit - len(self._kept)
        self._kept += data[:room]
        self._cut += max(0, len(data) - room)

    @property
    def cut(self) -> int:
        """How many bytes were not kept."""
        return self._cut

    @property
    def data(self) -> bytes:
        return bytes(self._kept)

    @property
    def text(self) -> str:
        """What was kept, and a last line that says how much was cut."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(self._kept, final=not self._cut)
        return f"{text}\n… {_size(self._cut)} more were cut" if self._cut else text


class Lines:
    """Cuts a stream of bytes into lines of text."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def add(self, data: bytes) -> list[str]:
        """The lines that are complete now."""
        text = self._rest + self._decoder.decode(data)
        *complete, self._rest = text.split("\n")
        if len(self._rest) > _LONGEST_LINE:
            complete.append(self._rest)
            self._rest = ""
        return complete

    def end(self) -> list[str]:
        """The last line, when it was not complete."""
        rest, self._rest = self._rest, ""
        return [rest] if rest else []


class Live:
    """Hands lines to a listener: merged, at most twenty times a second, and not without end.

    What comes before there is one waits for it.
    """

    def __init__(self, listener: Callable[[str], None] | None = None) -> None:
        self._listener = listener
        self._waiting: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0
        self._room = _MOST_SHOWN

    @property
    def open(self) -> bool:
        return self._room > 0

    def add(self, lines: list[str]) -> None:
        if not lines or not self.open:
            return
        text = "\n".join(lines)
        if len(text) >= self._room:
            text = f"{text[: self._room]}\n… the rest of the output is not shown"
        self._room -= len(text) + 1
        self._waiting.append(text)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(self._next, loop.time()), self.flush)

    def listen(self, listener: Callable[[str], None]) -> None:
        """Hand on to this one what there is, and what comes."""
        self._listener = listener
        self.flush()

    def flush(self) -> None:
        """Hand on what waits, at once."""
        self._stop_timer()
        if self._waiting and self._listener is not None:
            text, self._waiting = "\n".join(self._waiting), []
            self._next = asyncio.get_running_loop().time() + _PAUSE
            self._listener(text)

    def close(self) -> None:
        """Never call the listener again."""
        self._stop_timer()
        self._waiting = []
        self._room = 0

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _size(count: int) -> str:
    """A number of bytes as people say it: `99 MB`."""
    for unit, name in ((1_000_000, "MB"), (1_000, "KB")):
        if count >= unit:
            return f"{count // unit} {name}"
    return f"{count} bytes"
