"""Changes of a diagram as data, and how a file takes them while all else in it stays as it is.

`edits.py` lists them, `meaning.py` says what each does to a diagram (`references.py`: where a
renamed node or person is named), `document.py` is a file open for editing: start there.
`difference.py` finds what has to be written anew and how finely, part by part: nodes
(`entries.py`), edges (`edge_changes.py`; `arrow_text.py` for chains of them), persons
(`person_changes.py`), or whole `sections.py`. `splicing.py` cuts it into the text in the style
(`styles.py`, `other_words.py`) it had; `outline.py`, `edge_places.py` and `spans.py` know where
everything stands.
Nothing here reads or writes disks.
"""

from .document import Document
from .edits import (
    AddEdge,
    AddNode,
    AddPerson,
    Edit,
    MoveNode,
    RemoveEdge,
    RemoveNode,
    RemovePerson,
    RemovePersonField,
    RemoveProperty,
    RenameNode,
    RenamePerson,
    SetDescription,
    SetEdge,
    SetName,
    SetPersonField,
    SetProperty,
    SetType,
    edit_adapter,
)
from .meaning import apply

__all__ = [
    "AddEdge",
    "AddNode",
    "AddPerson",
    "Document",
    "Edit",
    "MoveNode",
    "RemoveEdge",
    "RemoveNode",
    "RemovePerson",
    "RemovePersonField",
    "RemoveProperty",
    "RenameNode",
    "RenamePerson",
    "SetDescription",
    "SetEdge",
    "SetName",
    "SetPersonField",
    "SetProperty",
    "SetType",
    "apply",
    "edit_adapter",
]
