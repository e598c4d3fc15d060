"""XML, without anything that defines entities.

`{"name": ...}` is an element, `@name` an attribute, `#text` the text beside attributes or children,
a list a repeated element. Numbers come back as text.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

from ...errors import NodeError
from .in_json import as_cell
from .mistakes import invalid

MAX_DEPTH = 100
"""Levels of XML; other formats have limits of their own."""

_DOCTYPE = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_NAME = re.compile(r"(\{[^{}]*\})?[^\W\d][\w.-]*")
_NOT_HELD = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def from_xml(text: str) -> Any:
    """The value of a text, under the name of its outermost element."""
    if found := _DOCTYPE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise invalid("XML", line, f"{found.group()} is not allowed, since it can define entities")
    try:
        root = ET.fromstring(text)  # noqa: S314 - what makes it dangerous was refused above
    except ET.ParseError as error:
        raise invalid("XML", error.position[0], error.msg.partition(":")[0]) from None
    return {root.tag: _from_element(root, MAX_DEPTH)}


def _from_element(element: ET.Element, depth: int) -> Any:
    if depth == 0:
        raise invalid("XML", None, f"it is nested more than {MAX_DEPTH} levels deep")
    if not len(element) and not element.attrib:
        return element.text or ""
    value: dict[str, Any] = {f"@{name}": text for name, text in element.attrib.items()}
    for child in element:
        inside = _from_element(child, depth - 1)
        if child.tag not in value:
            value[child.tag] = inside
        elif isinstance(value[child.tag], list):
            value[child.tag].append(inside)
        else:
            value[child.tag] = [value[child.tag], inside]
    pieces = [element.text, *(child.tail for child in element)]
    text = "".join(piece for piece in pieces if piece)
    if stripped := text.strip():
        value["#text"] = stripped if len(element) else text
    return value


def to_xml(value: Any) -> str:
    """The text of a value; without a name of its own, its element is `data`."""
    name, inside = "data", value
    if isinstance(value, dict) and len(value) == 1:
        (only, held), *_ = value.items()
        if not isinstance(held, list) and only[:1] not in ("@", "#"):
            name, inside = only, held
    root = ET.Element(_name(name))
    _fill_element(root, {"item": inside} if isinstance(inside, list) else inside, MAX_DEPTH)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _fill_element(element: ET.Element, value: Any, depth: int) -> None:
    if depth == 0:
        raise NodeError(f"xml holds at most {MAX_DEPTH} levels.")
    if not isinstance(value, dict):
        element.text = _text(value)
        return
    for key, held in value.items():
        if key == "#text":
            element.text = _text(held)
        elif key.startswith("@"):
            element.set(_name(key[1:]), _text(held))
        else:
            for each in held if isinstance(held, list) else [held]:
                inside = {"item": each} if isinstance(each, list) else each
                _fill_element(ET.SubElement(element, _name(key)), inside, depth - 1)


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise NodeError(f"{name!r} cannot be the name of something in xml. Use letters and digits.")
    return name


def _text(value: Any) -> str:
    text = as_cell(value)
    if found := _NOT_HELD.search(text):
        raise NodeError(f"xml cannot hold the character {found.group()!r}.")
    return text
