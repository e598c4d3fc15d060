"""The changes there are: plain data that travels as JSON. `meaning.py` says what each does."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue, TypeAdapter

from ..model import Edge, Frozen, Label, NodeSpec, Person, Position


def _as_path(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


PropertyPath = Annotated[tuple[str | int, ...], BeforeValidator(_as_path), Field(min_length=1)]
"""A property's name, or the way from it into its value."""


class SetProperty(Frozen):
    """Give a node's property a value. Longer paths lead into maps and lists: `("tools", 0)`.

    Maps on the way are made when they are missing; an index may be that of the first free place.
    A label, a type and a position are no properties: `RenameNode`, `SetType`, `MoveNode`.
    """

    type: Literal["set_property"] = "set_property"
    node: Label
    path: PropertyPath
    value: JsonValue


class RemoveProperty(Frozen):
    type: Literal["remove_property"] = "remove_property"
    node: Label
    path: PropertyPath


class RenameNode(Frozen):
    """Change a label, and all that names the node by it: edges, templates, expressions."""

    type: Literal["rename_node"] = "rename_node"
    node: Label
    label: Label


class SetType(Frozen):
    """Make a node one of another type; its properties stay as they are."""

    type: Literal["set_type"] = "set_type"
    node: Label
    node_type: str = Field(min_length=1)


class MoveNode(Frozen):
    """Put a node elsewhere on the canvas; without a position the layout finds its place."""

    type: Literal["move_node"] = "move_node"
    node: Label
    position: Position | None


class AddNode(Frozen):
    """Add a node after another one, or at the end."""

    type: Literal["add_node"] = "add_node"
    node: NodeSpec
    after: Label | None = None


class RemoveNode(Frozen):
    """Remove a node and its edges."""

    type: Literal["remove_node"] = "remove_node"
    node: Label


class AddEdge(Frozen):
    type: Literal["add_edge"] = "add_edge"
    edge: Edge


class RemoveEdge(Frozen):
    """Remove an edge, by its place in `Diagram.edges`."""

    type: Literal["remove_edge"] = "remove_edge"
    index: int = Field(ge=0)


class SetEdge(Frozen):
    """Put another edge in the place of one, by its place in `Diagram.edges`."""

    type: Literal["set_edge"] = "set_edge"
    index: int = Field(ge=0)
    edge: Edge


class AddPerson(Frozen):
    type: Literal["add_person"] = "add_person"
    label: Label
    person: Person


class RemovePerson(Frozen):
    """Remove a person; refused while a node speaks to it."""

    type: Literal["remove_person"] = "remove_person"
    person: Label


class RenamePerson(Frozen):
    """Change a person's label, and the properties that name the person."""

    type: Literal["rename_person"] = "rename_person"
    person: Label
    label: Label


class SetPersonField(Frozen):
    type: Literal["set_person_field"] = "set_person_field"
    person: Label
    field: str
    value: JsonValue


class RemovePersonField(Frozen):
    type: Literal["remove_person_field"] = "remove_person_field"
    person: Label
    field: str


class SetName(Frozen):
    """Name the diagram; None takes its name away."""

    type: Literal["set_name"] = "set_name"
    name: str | None


class SetDescription(Frozen):
    type: Literal["set_description"] = "set_description"
    description: str | None


Edit = Annotated[
    SetProperty
    | RemoveProperty
    | RenameNode
    | SetType
    | MoveNode
    | AddNode
    | RemoveNode
    | AddEdge
    | RemoveEdge
    | SetEdge
    | AddPerson
    | RemovePerson
    | RenamePerson
    | SetPersonField
    | RemovePersonField
    | SetName
    | SetDescription,
    Field(discriminator="type"),
]
edit_adapter: TypeAdapter[Edit] = TypeAdapter(Edit)
