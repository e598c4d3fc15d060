"""The native format: JSON with ids and handles, as the ancestor's canvas saves it.

`reading.py` and `writing.py` are the two ways; start there. `text.py` reads any JSON strictly.
"""

from .reading import survey
from .writing import dumps

__all__ = ["dumps", "survey"]
