"""Images in the values of a run: how notebooks show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from ..engine.values import is_image

_STYLE = "display:block;max-width:100%;max-height:24em;margin:4px 0"
_DEPTH = 8
"""How deep in a value images are looked for."""


def images_in(value: Any, depth: int = _DEPTH) -> Iterator[str]:
    """The images of a JSON value, at any depth; addresses in the web are none.

    Whoever is shown those would ask somebody else's server for them.
    """
    if is_image(value):
        yield value
    elif isinstance(value, Mapping | list) and depth:
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from images_in(each, depth - 1)


def as_html(images: Iterable[str], alt: str) -> str:
    """The images below each other."""
    return "".join(
        f'<img src="{escape(each)}" alt="{escape(alt)}" style="{_STYLE}">' for each in images
    )


def in_words(value: Any) -> Any:
    """A JSON value with a few words in place of each image."""
    if is_image(value):
        kind, _, data = value.partition(";base64,")
        return f"<{kind.removeprefix('data:')}, {-(-len(data) * 3 // 4096):,} kB>"
    if isinstance(value, Mapping):
        return {key: in_words(each) for key, each in value.items()}
    return [in_words(each) for each in value] if isinstance(value, list) else value
