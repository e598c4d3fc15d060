"""The words in which people are asked whether a diagram may do what it asks for: for all faces.

python -m dipeo_jupyter.client.trust_words labextension/src/views/trust.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ASKS = "This diagram asks for more than a sandbox gives"
IS_FILE = "It is a file, and may have come from anywhere. Look at it first."
RUNS_FILE = "It runs a file that may have come from anywhere. Look at that one first."
ONCE = "Run once"
ALWAYS = "Trust and run"
NO = "Don't run"
REMEMBERED = "What is trusted is not asked again until it changes."


def words() -> str:
    """JSON: what the front end says, by what it is said for."""
    return json.dumps(
        {
            "asks": ASKS,
            "isFile": IS_FILE,
            "runsFile": RUNS_FILE,
            "once": ONCE,
            "always": ALWAYS,
            "no": NO,
            "remembered": REMEMBERED,
        },
        indent=2,
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(words() + "\n", encoding="utf-8")
