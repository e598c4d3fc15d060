"""What a node type is: its settings as fields, its behaviour as `run`."""

from __future__ import annotations

from .base import DRAWING_ONLY, ErrorTypes, Node, NodeType, Refusal
from .context import ChildResult, Context, EffectPolicy
from .failures import DefaultValue, RetryPolicy
from .named import NodeTypes, node_type_named
from .values import Inputs, Result

__all__ = [
    "DRAWING_ONLY",
    "ChildResult",
    "Context",
    "DefaultValue",
    "EffectPolicy",
    "ErrorTypes",
    "Inputs",
    "Node",
    "NodeType",
    "NodeTypes",
    "Refusal",
    "Result",
    "RetryPolicy",
    "node_type_named",
]
