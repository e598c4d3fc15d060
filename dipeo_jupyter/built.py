"""The JavaScript and the styles of cards, if they were built when the package was installed."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

STATIC = Path(__file__).parent / "static"
SCRIPT, STYLE, LOADER = (STATIC / name for name in ("card.js", "card.css", "loader.js"))
"""The loader fetches the script, which is a hundred times as large."""
TRUST_SCRIPT, TRUST_STYLE = STATIC / "trust.js", STATIC / "trust.css"
"""The same for the question whether a diagram is trusted."""


@cache
def script_version() -> str:
    """Tells one script from all others, whoever has it: who asks for one gets no other."""
    return sha256(SCRIPT.read_bytes()).hexdigest()[:16]
