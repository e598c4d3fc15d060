"""Suggestions inside of `{{…}}` and of expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..language.filters import FILTERS
from ..language.functions import FUNCTIONS
from .items import Completions, Item, ends
from .outline import Name, Outline
from .spot import Spot

_BLOCKS = ("if", "unless", "each")
_LOOP = {
    "this": "the item",
    "@index": "its place, from 0",
    "@first": "whether it is the first",
    "@last": "whether it is the last",
    "@key": "its key, in an object",
}
_TAG = re.compile(r"(?<!\\)\{\{(?!\{)((?:(?!\}\}|\{\{).)*)(\}\})?", re.DOTALL)
_HEAD = re.compile(r"\s*(?:#\w+\s+|else\s+if\s+)?", re.DOTALL)
_UNSAYABLE = re.compile(r"[|{}]")
_LITERAL = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_ITERATIONS = re.compile(r"\biterations\(\s*(?P<quote>['\"]?)(?P<label>[^'\"()]*)$")
_WORD = re.compile(r"[\w.]*$")


def in_template(spot: Spot, outline: Outline, names: Sequence[Name]) -> Completions | None:
    """The suggestions when the cursor stands inside of `{{…}}`; None when it does not."""
    open_blocks: list[str] = []
    inside = None
    for tag in _TAG.finditer(spot.typed):
        inside = tag[1] if tag[2] is None else None
        if inside is None:
            _follow(tag[1].strip(), open_blocks)
    if inside is None or inside.startswith("!"):
        return None
    if "|" in inside:
        return ends(spot, inside.rpartition("|")[2].lstrip(), _filters(), "}}")
    word = inside.lstrip()
    if word[:1] in ("#", "/") and not any(map(str.isspace, word)):
        return ends(spot, word, _block_words(open_blocks))
    typed = inside[_HEAD.match(inside).end() :]  # type: ignore[union-attr]
    items = [_item(name) for name in names if not _UNSAYABLE.search(name.text)]
    if "each" in open_blocks:
        items = [Item(name, "variable", detail) for name, detail in _LOOP.items()] + items
    if "." in typed:
        items += _parts(typed, outline)
    if typed == word:
        items += _block_words(open_blocks)
    return ends(spot, typed, items, "}}")


def in_expression(spot: Spot, outline: Outline, names: Sequence[Name]) -> Completions:
    """The names and functions that fit where the cursor stands."""
    said = spot.said
    if asked := _ITERATIONS.search(said):
        return ends(
            spot, asked["quote"] + asked["label"], _arguments(asked["quote"], spot, outline)
        )
    outside = _LITERAL.sub("", said)
    if "'" in outside or '"' in outside:
        return ends(spot, "", ())
    typed = _WORD.search(said)[0]  # type: ignore[index]
    if "." in typed:
        return ends(spot, typed, _parts(typed, outline))
    items = [_item(name) for name in names if name.text.isidentifier()]
    items += [Item(f"{name}(", "function", _arity(name)) for name in FUNCTIONS]
    items += [
        Item(f"iterations({label!r})", "function", "how often the node has run")
        for label in outline.by_label
    ]
    items += [Item(word, "keyword") for word in ("and", "or", "not", "in", "true", "false")]
    return ends(spot, typed, items)


def _follow(tag: str, open_blocks: list[str]) -> None:
    """Keep count of the blocks that are open behind a tag."""
    word = tag[1:].split(maxsplit=1)[0] if tag[1:].strip() else ""
    if tag.startswith("#") and word in _BLOCKS:
        open_blocks.append(word)
    elif tag.startswith("/") and open_blocks:
        open_blocks.pop()


def _block_words(open_blocks: list[str]) -> list[Item]:
    found = []
    if open_blocks:
        found = [Item(f"/{open_blocks[-1]}", "keyword", "ends the block")]
        found.append(Item("else", "keyword", "otherwise"))
    return found + [Item(f"#{block} ", "keyword", "begins a block") for block in _BLOCKS]


def _filters() -> Iterator[Item]:
    for name, each in FILTERS.items():
        needs_value = bool(each.accepts) and each.otherwise is None
        yield Item(f"{name}(" if needs_value else name, "filter")


def _parts(typed: str, outline: Outline) -> list[Item]:
    whole = typed.rpartition(".")[0]
    return [Item(f"{whole}.{part}", "variable") for part in outline.parts(whole)]


def _arguments(quote: str, spot: Spot, outline: Outline) -> Iterator[Item]:
    """Labels in quotes; the last quote is left out where it stands behind the cursor already."""
    there = quote != "" and spot.scalar.decoded(spot.rest).startswith(quote)
    for label in outline.by_label:
        written = f"{quote}{label}{'' if there else quote}" if quote else repr(label)
        yield Item(written, "node", outline.by_label[label].type)


def _arity(name: str) -> str:
    return FUNCTIONS[name].arity


def _item(name: Name) -> Item:
    return Item(name.text, "variable", name.meaning)
