"""What a diagram needs from outside of it, as far as it shows without asking anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ...diagram.model import Label, NodeSpec, Person
from ...errors import Problem, ServiceError
from ..node import Node

CheckPerson = Callable[[Label, Person], Iterable[Problem]]
"""What the service that speaks with models finds wrong with a person."""
FindFunction = Callable[[str], object]
"""Finds the Python function that is a tool; raises `ServiceError` when there is none."""

LookForKernel = Callable[[], object]
"""Raises `ServiceError` when there is no notebook."""
LookForNotion = Callable[[], object]
"""Raises `ServiceError` when nobody can speak with Notion."""
FindDatabase = Callable[[str], object]
"""Finds a database by its name; raises `ServiceError` when there is none, or none can be had."""
FindKey = Callable[[str, str], object]
"""Finds a key by its name, for a host; raises `ServiceError` when none may go there."""


class Outside(NamedTuple):
    """Whom to ask about it."""

    person: CheckPerson
    function: FindFunction
    kernel: LookForKernel
    key: FindKey
    notion: LookForNotion
    database: FindDatabase


def check_functions(spec: NodeSpec, node: Node, find: FindFunction) -> Iterator[Problem]:
    """Python functions that a node names as tools, and that nobody has given."""
    for name in node.functions:
        try:
            find(name)
        except ServiceError as error:
            field = node.as_written("tools", spec.props)
            path = ("nodes", spec.label, field)
            message = f"Node {spec.label!r} has a tool that is not there. {error}"
            yield Problem("missing_tool", message, spec.label, path, severity="warning")


def check_keys(spec: NodeSpec, node: Node, find: FindKey) -> Iterator[Problem]:
    """Keys that a node sends with a request, and that are not there, or may not go there."""
    for api_key_id, host in node.sent_keys:
        try:
            find(api_key_id, host)
        except ServiceError as error:
            path = ("nodes", spec.label, node.as_written("auth_config", spec.props))
            message = f"Node {spec.label!r} has no key to send. {error}"
            yield Problem("missing_key", message, spec.label, path, severity="warning")


def check_kernel(spec: NodeSpec, node: Node, look: LookForKernel) -> Iterator[Problem]:
    """A node that works among the names of a notebook, and no notebook."""
    if not node.needs_kernel:
        return
    try:
        look()
    except ServiceError as error:
        path = ("nodes", spec.label, "kernel")
        message = f"Node {spec.label!r} has `kernel: true`. {error}"
        yield Problem("missing_kernel", message, spec.label, path, severity="warning")


def check_services(spec: NodeSpec, node: Node, outside: Outside) -> Iterator[Problem]:
    """Notion without a token for it; collections without their library, or of no database."""
    path = ("nodes", spec.label)
    try:
        if node.needs_notion:
            outside.notion()
        if node.needed_database is not None:
            outside.database(node.needed_database)
    except ServiceError as error:
        message = f"Node {spec.label!r} needs what is not there. {error}"
        yield Problem("missing_service", message, spec.label, path, severity="warning")


def advise_on_powers(spec: NodeSpec, node: Node) -> Iterator[Problem]:
    """What a node can do beyond its walls, for people to look at before they run it."""
    for power in node.powers():
        if not power.walled:
            written = node.as_written(power.field, spec.props) if power.field else None
            path = ("nodes", spec.label, *([written] if written else []))
            yield power.problem(spec.label, path)
