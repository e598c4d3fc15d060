"""The readable format: nodes as a list, and the flow between them in sentences.

`reading.py` has the grammar and is the way in, `writing.py` the way back.
"""

from .reading import survey
from .writing import dumps

__all__ = ["dumps", "survey"]
