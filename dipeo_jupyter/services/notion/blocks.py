"""What is to be written, cut into requests that Notion takes.

Notion's limits: 2000 characters in a piece of text, 100 pieces in a text, 100 blocks in a list, two
levels of blocks below the first, 1000 blocks and 500 kB in a request. What does not fit below a
block is added to it afterwards. Nothing is lost, and the order stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Block: TypeAlias = Mapping[str, Any]

TEXT_LENGTH = 2_000
"""Of one piece of text, as JavaScript counts: 😀 counts twice."""
PIECES = 100
BLOCKS = 100
DEPTH = 2
ALL_BLOCKS = 1_000
ALL_BYTES = 400_000
"""Less than 500 kB, because of what stands around the blocks."""
TEXT_BYTES = 200_000
_NEED_CHILDREN = {"table": 1, "column": 1, "column_list": 2}
"""Blocks that Notion makes only together with so many of their children."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Children that are still to be added, below the block at these positions in the request.

    `held` says how many it has been sent with.
    """

    path: tuple[int, ...]
    held: int
    children: Sequence[Block]


@dataclass(slots=True)
class Portion:
    """The blocks of one request, and what is missing below them."""

    blocks: list[Block] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    count: int = 0
    size: int = 0

    def has_room(self, block: Block, *, whole: bool = False) -> bool:
        count, size = _weight(block, whole=whole)
        return self.count + count <= ALL_BLOCKS and self.size + size <= ALL_BYTES

    def take(self, block: Block, path: tuple[int, ...]) -> Block:
        """The block with as many of its children as there is room for."""
        bare, children = _parted(block)
        self.count += 1
        self.size += _size(bare)
        kept: list[Block] = []
        for position, child in enumerate(children):
            deep = len(path) + _least_height(child) > DEPTH
            if deep or position == BLOCKS or not self.has_room(child):
                self.missing.append(Missing(path, position, children[position:]))
                break
            kept.append(self.take(child, (*path, position)))
        return _joined(bare, kept) if kept else bare


def portions(blocks: Sequence[Block]) -> Iterator[Portion]:
    """What goes into one request after the other."""
    portion = Portion()
    for block in blocks:
        full = len(portion.blocks) == BLOCKS or not portion.has_room(block, whole=True)
        if full and portion.blocks:
            yield portion
            portion = Portion()
        portion.blocks.append(portion.take(block, (len(portion.blocks),)))
    yield portion


def fitted(value: Any) -> Any:
    """The same with long texts in pieces that Notion takes, at any depth."""
    if isinstance(value, Mapping):
        return {name: fitted(each) for name, each in value.items()}
    if not isinstance(value, list):
        return value
    return [part for each in value for part in _pieces(fitted(each))]


def fitted_blocks(blocks: Sequence[Any]) -> list[Any]:
    """The same, where a block with more pieces than Notion takes becomes several of its kind."""
    return [part for block in blocks for part in _blocks_of(fitted(block))]


def _pieces(piece: Any) -> list[Any]:
    match piece:
        case {"text": {"content": str(content)}} if _length(content) > TEXT_LENGTH:
            # What Notion once said of the whole is not true of a part.
            rest = {name: each for name, each in piece.items() if name != "plain_text"}
            return [{**rest, "text": {**piece["text"], "content": x}} for x in _parts(content)]
        case _:
            return [piece]


def _parts(text: str) -> Iterator[str]:
    """As long as Notion takes, and never cut within a character that counts twice."""
    while text:
        part = text[:TEXT_LENGTH]
        while (beyond := _length(part) - TEXT_LENGTH) > 0:
            part = part[: -((beyond + 1) // 2)]
        yield part
        text = text[len(part) :]


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _blocks_of(block: Any) -> list[Any]:
    if not isinstance(block, Mapping):
        return [block]
    bare, children = _parted(block)
    below = fitted_blocks(children)
    name = kind_of(block)
    inside = bare.get(name)
    texts = list(_texts(inside)) if isinstance(inside, Mapping) else []
    if len(texts) < 2:  # noqa: PLR2004
        return [_joined(bare, below) if below else block]
    several = [{**bare, name: {**inside, "rich_text": each}} for each in texts]  # type: ignore[dict-item]
    return [*several[:-1], _joined(several[-1], below) if below else several[-1]]


def _texts(inside: Mapping[str, Any]) -> Iterator[list[Any]]:
    pieces = inside.get("rich_text")
    if not isinstance(pieces, list):
        return
    text: list[Any] = []
    size = 0
    for piece in pieces:
        more = _size(piece)
        if text and (len(text) == PIECES or size + more > TEXT_BYTES):
            yield text
            text, size = [], 0
        text.append(piece)
        size += more
    yield text


def kind_of(block: Any) -> str:
    """A block's type, which need not be written: what it has besides says it too."""
    if not isinstance(block, Mapping):
        return ""
    if isinstance(block.get("type"), str):
        return str(block["type"])
    return next((name for name, each in block.items() if isinstance(each, Mapping)), "")


def _parted(block: Any) -> tuple[Block, list[Any]]:
    """A block without its children, and these."""
    if not isinstance(block, Mapping):
        return block, []
    name = kind_of(block)
    inside = block.get(name)
    holder = inside if isinstance(inside, Mapping) and "children" in inside else block
    children = holder.get("children")
    if not isinstance(children, list) or not children:
        return block, []
    bare = {name: each for name, each in holder.items() if name != "children"}
    return (bare if holder is block else {**block, name: bare}), children


def _joined(bare: Block, children: Sequence[Block]) -> Block:
    name = kind_of(bare)
    inside = bare.get(name)
    if not isinstance(inside, Mapping):
        return {**bare, "children": children}
    return {**bare, name: {**inside, "children": children}}


def _weight(block: Any, *, whole: bool) -> tuple[int, int]:
    """Blocks and bytes: all of them, or only those that cannot be sent later."""
    bare, children = _parted(block)
    if not whole:
        children = children[: _NEED_CHILDREN.get(kind_of(block), 0)]
    weights = [(1, _size(bare)), *(_weight(child, whole=whole) for child in children)]
    return sum(x for x, _ in weights), sum(x for _, x in weights)


def _least_height(block: Any) -> int:
    needed = _parted(block)[1][: _NEED_CHILDREN.get(kind_of(block), 0)]
    return max((1 + _least_height(child) for child in needed), default=0)


def _size(value: Any) -> int:
    return len(json.dumps(value)) + 1
