"""The JavaScript of cards, styles included, if it was built when the package was installed."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

STATIC = Path(__file__).parent / "static"
SCRIPT, LOADER = STATIC / "card.js", STATIC / "loader.js"
"""The loader fetches the script, which is a hundred times as large."""
TRUST_SCRIPT = STATIC / "trust.js"
"""The same for the question whether a diagram is trusted."""


@cache
def script_version() -> str:
    """Tells one script from all others, whoever has it: who asks for one gets no other."""
    return sha256(SCRIPT.read_bytes()).hexdigest()[:16]
