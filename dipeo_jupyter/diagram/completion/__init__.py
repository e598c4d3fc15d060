"""What may be written at a place in a light diagram that is being typed.

Pure: text, offset and schema in, suggestions out. `reading` understands broken YAML, `spot` finds
the cursor in it, `suggesting` chooses what fits there (start reading there), `items` writes it so
that the YAML stays right. The real reader of the format has no part in this: what is being typed
is wrong most of the time.
"""

from .items import Completions, Item
from .suggesting import complete

__all__ = ["Completions", "Item", "complete"]
