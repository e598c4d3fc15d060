"""The colours of pictures, light and dark.

A colour stands as an attribute for light pages, where style sheets may be stripped, and again in
a style sheet for readers that prefer dark. Words reach a contrast of 4.5 on their ground, signs
and lines 3 (`tests/diagram/test_picture.py` measures them).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Pair(NamedTuple):
    """One colour, for light and for dark pages."""

    light: str
    dark: str


PALETTE = {
    "panel": Pair("#ffffff", "#0d1117"),
    "rim": Pair("#d1d9e0", "#3d444d"),
    "box": Pair("#f6f8fa", "#161b22"),
    "border": Pair("#818b98", "#768390"),
    "ink": Pair("#1f2328", "#f0f6fc"),
    "soft": Pair("#59636e", "#9ba5b0"),
    "line": Pair("#59636e", "#9198a1"),
    "faint": Pair("#848d97", "#656c76"),
    "white": Pair("#ffffff", "#ffffff"),
    "amber": Pair("#7d4e00", "#e3b341"),
    "blue": Pair("#0550ae", "#58a6ff"),
    "green": Pair("#116329", "#56d364"),
    "grey": Pair("#424a53", "#b1bac4"),
    "orange": Pair("#953800", "#ffa657"),
    "pink": Pair("#99286e", "#f778ba"),
    "teal": Pair("#0b6267", "#39c5cf"),
    "violet": Pair("#6639ba", "#bc8cff"),
    "amber-ground": Pair("#fff8c5", "#2b2411"),
    "blue-ground": Pair("#ddf4ff", "#121d2f"),
    "green-ground": Pair("#dafbe1", "#12261e"),
    "grey-ground": Pair("#e6eaef", "#262c36"),
    "orange-ground": Pair("#fff1e5", "#2f1e10"),
    "pink-ground": Pair("#ffeff7", "#2d1524"),
    "teal-ground": Pair("#d5f5f3", "#0f2729"),
    "violet-ground": Pair("#f6edff", "#241c38"),
    "done": Pair("#1a7f37", "#238636"),
    "fail": Pair("#cf222e", "#da3633"),
    "run": Pair("#0969da", "#1f6feb"),
    "wait": Pair("#9a6700", "#9e6a03"),
    "pause": Pair("#8250df", "#8957e5"),
    "idle": Pair("#59636e", "#656c76"),
    "reuse": Pair("#0e7579", "#137d82"),
}


def paint(**roles: str) -> str:
    """Attributes that give the fill and the stroke their colours: `paint(fill="box")`."""
    names = " ".join(f"{role[0]}-{colour}" for role, colour in roles.items())
    values = " ".join(f'{role}="{PALETTE[colour].light}"' for role, colour in roles.items())
    return f'class="{names}" {values}'


def dark_style(scope: str, body: str) -> str:
    """A style sheet for the colours that `body` uses, inside the element of class `scope` only."""
    rules = "".join(_rules(scope, body))
    return f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"


def _rules(scope: str, body: str) -> Iterable[str]:
    used = {name for chunk in body.split('class="')[1:] for name in chunk.split('"', 1)[0].split()}
    for colour, pair in PALETTE.items():
        for role in ("fill", "stroke"):
            name = f"{role[0]}-{colour}"
            if name in used:
                yield f".{scope} .{name}{{{role}:{pair.dark}}}"
