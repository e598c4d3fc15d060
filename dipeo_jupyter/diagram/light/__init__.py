"""The light format: `nodes`, `connections` and `persons` in YAML, the way people write them.

`reading.py` and `writing.py` are the two ways; start there.
"""

from .reading import loads, survey
from .writing import dumps

__all__ = ["dumps", "loads", "survey"]
