"""The light format: `nodes`, `connections` and `persons` in YAML, the way people write them.

`reading.py` and `writing.py` are the two ways; start there. Both other formats build on this one:
`endpoints`, `arrows`, `nodes` and `persons` say what labels and edges look like in all of them.
"""

from .reading import loads, survey
from .writing import dumps

__all__ = ["dumps", "loads", "survey"]
