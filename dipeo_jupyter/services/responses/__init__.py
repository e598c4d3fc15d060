"""The response cache: what models answered to exactly the same, for all runs and processes.

Start at `cache.ResponseCache`, which stands before another `LLM`. `file` keeps the answers on the
disk of this machine, `shared` in a Redis that several machines ask. Neither the prompts nor keys
are kept: a request is known by a hash.
"""

from .cache import ResponseCache, Store
from .file import ResponseFile
from .shared import SharedResponses

__all__ = ["ResponseCache", "ResponseFile", "SharedResponses", "Store"]
