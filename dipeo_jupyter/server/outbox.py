"""What one connection is still to be told, within bounds, in order.

Whatever happens in a run is put here at once and without waiting; a task writes it as fast as the
reader takes it. So a slow reader costs neither the run nor other readers any time, and costs the
server no more memory than the limits say.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ..engine.pace import at_length
from ..protocol.events import Entry, ExecutionId, TokenDelta
from ..protocol.long_json import is_long, long_json
from ..protocol.wire import frame_of_entry
from .limits import ServerLimits

Frame: TypeAlias = str | bytes
"""JSON as text, or as its bytes where it is long: those go out as they are."""
Write: TypeAlias = Callable[[Sequence[Frame]], Awaitable[None]]
"""Gives frames to the reader, and returns when they were taken; raises when they cannot be."""
AT_ONCE = 8_000
"""Bytes that are written together, since waiting for each frame alone takes longer than writing it.
A reader must take so much within the time for one."""
BESIDE_TEXT = 256
"""What an item costs beside its text, about."""
MOST_KNOWN, LARGEST_KNOWN = 256, 20_000
"""Frames that are kept for others who hear them, and characters in one."""


class Frames:
    """The frames of the latest entries, which all who follow a run are told."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[ExecutionId, int], str] = OrderedDict()

    def of(self, entry: Entry) -> str:
        """The frame of an entry that is kept; it is made once, however many hear it."""
        key = (entry.execution_id, entry.seq)
        text = self._known.get(key)
        if text is None:
            text = frame_of_entry(entry)
            if len(text) <= LARGEST_KNOWN:
                self._known[key] = text
                if len(self._known) > MOST_KNOWN:
                    self._known.popitem(last=False)
        return text

    async def of_large(self, entry: Entry) -> bytes | None:
        """The frame of an entry that must not be made on the event loop; None for all others."""
        event = entry.event
        values = [getattr(event, name, None) for name in ("inputs", "outputs", "values", "value")]
        return await at_length(long_json, entry.to_wire()) if is_long(*values) else None


@dataclass(slots=True, eq=False)
class Stream:
    """The entries of one run on their way to one reader. `told` is the number of the last."""

    execution_id: ExecutionId
    told: int
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def move(self, seq: int) -> None:
        """An entry is told."""
        self.told = seq
        self._moved.set()

    async def reach(self, seq: int) -> None:
        """Wait until this entry is told."""
        while self.told < seq:
            self._moved.clear()
            await self._moved.wait()


@dataclass(slots=True, eq=False)
class _Item:
    """A frame; or pieces of one answer, which become a frame when their turn comes."""

    text: Frame = ""
    stream: Stream | None = None
    delta: Entry | None = None
    pieces: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        return BESIDE_TEXT + len(self.text) + sum(map(len, self.pieces))

    def frame(self) -> Frame:
        if self.delta is None:
            return self.text
        event = self.delta.event
        assert isinstance(event, TokenDelta)
        whole = TokenDelta(node=event.node, activation=event.activation, text="".join(self.pieces))
        return frame_of_entry(self.delta._replace(event=whole))


class Outbox:
    def __init__(self, write: Write, limits: ServerLimits, frames: Frames | None = None) -> None:
        self._write = write
        self._frames = frames or Frames()
        self._limits = limits
        self._items: deque[_Item] = deque()
        self._bytes = 0
        self._in_flight = 0
        self._last_deltas: dict[tuple[ExecutionId, str, int], _Item] = {}
        self._only_deltas = True
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._urgent, self._empty = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._empty.set()

    @property
    def held(self) -> int:
        """How much is not told yet, in bytes."""
        return self._bytes + self._in_flight

    def say(self, text: str) -> None:
        """Add a reply. Whoever takes commands sees to it, by `room`, that they do not pile up."""
        self._add(_Item(text))

    def tell(self, stream: Stream, entry: Entry, frame: Frame | None = None) -> bool:
        """Add an entry, whose frame may be known; False when there is too much already."""
        if isinstance(entry.event, TokenDelta):
            return self._tell_piece(stream, entry, entry.event)
        if self._is_full and self._items:
            return False
        self._forget_deltas(entry.execution_id)
        self._add(_Item(frame or self._frames.of(entry), stream))
        stream.move(entry.seq)
        return True

    def drop(self, stream: Stream) -> None:
        """Tell nothing more of what was added for this stream."""
        self._items = deque(item for item in self._items if item.stream is not stream)
        self._forget_deltas(stream.execution_id)
        self._bytes = sum(item.size for item in self._items)
        self._signal()

    async def room(self) -> None:
        """Wait until less than half of what may be held is held."""
        await self._room.wait()

    async def empty(self) -> None:
        """Wait until all is told."""
        await self._empty.wait()

    async def run(self) -> None:
        """Write what there is, for ever; raises what the writing raises."""
        while True:
            await self._news.wait()
            if not self._urgent.is_set():  # pieces of answers gather for a moment
                try:
                    async with asyncio.timeout(self._limits.delta_interval):
                        await self._urgent.wait()
                except TimeoutError:
                    pass
            while self._items:
                await self._write_first()

    async def _write_first(self) -> None:
        frames = [self._take()]
        while self._items and self._in_flight + self._items[0].size <= AT_ONCE:
            frames.append(self._take())
        await self._write(frames)
        self._in_flight = 0
        self._signal()

    def _take(self) -> Frame:
        item = self._items.popleft()
        size = item.size
        self._in_flight += size
        self._bytes -= size
        if item.delta is not None:  # what follows is another piece
            self._last_deltas = {k: v for k, v in self._last_deltas.items() if v is not item}
        return item.frame()

    def _tell_piece(self, stream: Stream, entry: Entry, event: TokenDelta) -> bool:
        key = (entry.execution_id, event.node, event.activation)
        before = self._last_deltas.get(key)
        if before is not None and before.stream is stream:
            before.pieces.append(event.text)
            self._bytes += len(event.text)
            return not self._is_full
        if self._is_full and self._items:
            return False
        item = _Item(stream=stream, delta=entry, pieces=[event.text])
        self._last_deltas[key] = item
        self._add(item, urgent=False)
        return True

    def _forget_deltas(self, execution_id: ExecutionId) -> None:
        """What comes next stands behind something else, and cannot be told before it."""
        if self._last_deltas:
            self._last_deltas = {
                key: item for key, item in self._last_deltas.items() if key[0] != execution_id
            }

    def _add(self, item: _Item, *, urgent: bool = True) -> None:
        self._items.append(item)
        self._bytes += item.size
        if urgent:
            self._urgent.set()
        self._signal()

    def _signal(self) -> None:
        if self._items:
            self._news.set()
            self._empty.clear()
        else:
            self._news.clear()
            self._urgent.clear()
            if not self._in_flight:
                self._empty.set()
        if self.held * 2 <= self._limits.held_bytes and (
            len(self._items) * 2 <= self._limits.held_frames
        ):
            self._room.set()
        else:
            self._room.clear()

    @property
    def _is_full(self) -> bool:
        limits = self._limits
        return self.held > limits.held_bytes or len(self._items) >= limits.held_frames
