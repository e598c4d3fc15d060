"""The type of a node that does not say it, as in the ancestor's own examples."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..model import Label

# The first line that fits decides: a condition may have a person too, and most nodes a prompt.
_BY_FIELDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("condition", ("condition_type", "conditionType", "expression")),
    ("json_schema_validator", ("json_schema", "schema_path")),
    ("template_job", ("template_content", "template_path")),
    ("sub_diagram", ("diagram_name", "diagram_data")),
    ("hook", ("hook_type",)),
    ("api_job", ("url+method",)),
    ("person_job", ("person", "personId", "default_prompt", "defaultPrompt")),
    ("person_job", ("first_only_prompt", "firstOnlyPrompt", "memorize_to", "memory_profile")),
    ("db", ("sub_type", "subType", "source_details", "sourceDetails", "operation+file")),
    ("job", ("code", "language", "code_type")),
    ("job", ("file_path+function_name", "filePath+functionName")),
    ("endpoint", ("save_to_file", "saveToFile", "file_name")),
    ("user_response", ("prompt",)),
    ("start", ("trigger_mode", "custom_data", "initialData", "output_data_structure")),
)
_BRANCHES = frozenset({"condtrue", "condfalse"})
_LOOKS = frozenset({"flipped"})
"""Fields that say how a node is drawn, and nothing about what it does."""


def infer_type(
    label: Label | None, fields: Iterable[str], exits: Collection[str], *, first: bool
) -> str | None:
    """What a node must be, by its fields, its label and the exits its connections leave by.

    None when nothing tells.
    """
    present = set(fields) - _LOOKS
    for node_type, groups in _BY_FIELDS:
        if any(present.issuperset(group.split("+")) for group in groups):
            return node_type
    if not _BRANCHES.isdisjoint(exits):
        return "condition"
    if (label or "").casefold() == "start" or (first and present <= {"data"}):
        return "start"
    return None if present or exits else "endpoint"
