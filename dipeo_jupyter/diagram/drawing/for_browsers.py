"""The signs of nodes and states, for pictures that a browser draws.

python -m dipeo_jupyter.diagram.drawing.for_browsers labextension/src/diagram/signs.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .glyphs import KINDS, MARKS, OTHER_KIND, OTHER_NAMES


def signs() -> str:
    """JSON: by kind of node and by state, the path (on a grid of 16 by 16) and the colour."""
    return json.dumps(
        {
            "kinds": {name: [sign.path, sign.colour] for name, sign in KINDS.items()},
            "other": [OTHER_KIND.path, OTHER_KIND.colour],
            "names": OTHER_NAMES,
            "marks": {name: [sign.path, sign.colour] for name, sign in MARKS.items()},
        },
        indent=2,
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(signs() + "\n", encoding="utf-8")
