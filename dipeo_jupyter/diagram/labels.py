"""What a label may be."""

from __future__ import annotations

import re

MAX_LABEL = 200

# Control characters, and those that make text run backwards and so hide what it says.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]",
)


def label_fault(label: str) -> str | None:
    """What is wrong with a label, as the end of a sentence; None when it may be used."""
    if not label.strip():
        return "is empty"
    if len(label) > MAX_LABEL:
        return f"has more than {MAX_LABEL} characters"
    if _INVISIBLE.search(label):
        return "contains a control character"
    return None
