"""The readable format: nodes as a list, and the flow between them in sentences.

`reading.py` and `writing.py` are the two ways; start there.
"""

from .reading import survey
from .writing import dumps

__all__ = ["dumps", "survey"]
