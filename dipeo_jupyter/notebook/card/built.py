"""Where the card's JavaScript is, if it was built when the package was installed."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).parents[2] / "static"
SCRIPT, STYLE = STATIC / "card.js", STATIC / "card.css"
