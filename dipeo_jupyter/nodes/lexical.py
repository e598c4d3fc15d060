"""Which texts have most to do with a few words: by the words alone, without a model.

This is BM25, the usual measure of search engines. There are libraries for it; they bring numpy
along and build an index, for a list that is looked at once. Here equal texts always rank alike.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

_STEM = 6
"""Letters of a word that count, so that `budgets` is found by `budget`."""
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
"""Scripts without spaces between words: of these, pairs of letters count."""
_SATURATION, _LENGTH = 1.2, 0.75
"""BM25's usual k1 and b: how soon a repeated word counts no more, and how far length matters."""


def scores(wanted: str, texts: Sequence[str]) -> list[float]:
    """How much each text has to do with what is wanted; 0.0 when it shares no word with it."""
    counts = [Counter(words_of(text)) for text in texts]
    lengths = [count.total() for count in counts]
    average = sum(lengths) / len(texts) if any(lengths) else 1.0
    found = [0.0] * len(texts)
    words = dict.fromkeys(words_of(wanted))
    telling = [word for word in words if word not in _SAYS_NOTHING]
    for word in telling or words:
        having = sum(word in count for count in counts)
        rarity = math.log(1 + (len(texts) - having + 0.5) / (having + 0.5))
        for place, count in enumerate(counts):
            often = count[word]
            damped = 1 - _LENGTH + _LENGTH * lengths[place] / average
            found[place] += rarity * often * (_SATURATION + 1) / (often + _SATURATION * damped)
    return found


def words_of(text: str) -> list[str]:
    """The words of a text, as they are compared."""
    words: list[str] = []
    for word in _WORD.findall(text.casefold()):
        rest = 0
        for piece in _UNSPACED.finditer(word):
            words.extend([word[rest : piece.start()][:_STEM]] * (piece.start() > rest))
            letters = piece.group()
            words.extend(letters[at : at + 2] for at in range(max(1, len(letters) - 1)))
            rest = piece.end()
        words.extend([word[rest:][:_STEM]] * (rest < len(word)))
    return words


_SAYS_NOTHING = frozenset(
    words_of(
        "a about all an and any anything are as at be been by did do does everything for from had "
        "has have he her his how i in is it its me my not of on or our said say says she so "
        "something tell that the their them there these they things this those to told was we were "
        "what when where which who whom whose why will with you your"
    )
)
"""Words of English by which people say what they want, and not of what it is about: in a short
conversation they are too rare to be told by that."""
