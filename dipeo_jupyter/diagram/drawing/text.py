"""Text as it will be drawn: how wide it is about, where it breaks, what must not be in it.

No font is at hand here, and the reader's may be any. The widths are those of a wide one (DejaVu
Sans), so that text fits everywhere and leaves a little room in most places.
"""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"
BOLD = 1.13
"""How much wider bold letters are."""
WIDE_LETTER, OTHER_LETTER = 1.05, 0.72
LETTERS = {
    0.33: " ijlIJ'`,.·:;|",
    0.42: "/\\-()[]ftr!",
    0.52: 'sz?*_"',
    0.59: "cvxykFL",
    0.65: "abdeghnopquEKPSTY0123456789${}",
    0.72: "ABCRUVXZ",
    0.79: "DGHNOQ&",
    0.86: "w#+<=>^~×→M",
    1.00: "mW%@…",
}
"""Widths in em, and the letters that are about so wide."""
WIDTHS = {letter: width for width, letters in LETTERS.items() for letter in letters}
BREAKS = " _-./"
"""After these a line may end."""
FORBIDDEN = frozenset({"Cc", "Cs"})
"""Categories of letters that XML does not allow, or that do something instead of being seen."""
STRAY = frozenset("\ufffe\uffff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""No letters, and marks that turn the direction of all that follows them."""


def clean(text: str) -> str:
    """The text on one line, without control characters; letters of all scripts stay."""
    line = " ".join(text.split())
    if line.isascii() and line.isprintable():
        return line
    return "".join(
        letter
        for letter in line
        if letter not in STRAY and unicodedata.category(letter) not in FORBIDDEN
    )


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text is, in pixels, in a font of `size` pixels."""
    return sum(map(_em, text)) * size * (BOLD if bold else 1.0)


def fit(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """The text, or as much of its beginning as fits, with an ellipsis."""
    end = _end(text, room, size, bold=bold)
    if end == len(text):
        return text
    end = _end(text, room - width_of(ELLIPSIS, size, bold=bold), size, bold=bold)
    return text[:end].rstrip() + ELLIPSIS


def wrap(text: str, room: float, size: float, *, bold: bool = False) -> list[str]:
    """The text on one line or two, each cut with an ellipsis where it must be."""
    end = _end(text, room, size, bold=bold)
    if end == len(text):
        return [text]
    stop = max(text.rfind(each, 0, end + (each == " ")) for each in BREAKS) + 1
    # A break near the beginning would waste the line.
    if stop <= end // 3:
        stop = end
    return [text[:stop].rstrip(), fit(text[stop:].lstrip(), room, size, bold=bold)]


def _em(letter: str) -> float:
    if letter in WIDTHS:
        return WIDTHS[letter]
    if unicodedata.combining(letter) or unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0.0
    wide = unicodedata.east_asian_width(letter) in {"W", "F"} or letter > "\uffff"
    return WIDE_LETTER if wide else OTHER_LETTER


def _end(text: str, room: float, size: float, *, bold: bool) -> int:
    """How many letters fit; a letter and the marks on it stay together."""
    left = room / (size * (BOLD if bold else 1.0))
    for place, letter in enumerate(text):
        left -= _em(letter)
        if left < 0:
            return place
    return len(text)
