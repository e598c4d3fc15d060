"""Text to value and back, by format; what `db` and `endpoint` put into files and take out of them.

Text that is to be written goes out as it is, in every format: whoever produced it knew the format.
Only JSON asks for more: text that is no JSON becomes a JSON string. Values follow these rules:

* csv: a list of objects is a header and rows, a list of lists is rows alone, other lists are one
  column. Cells are text and stay text when read (`007` is no number); the first row names columns.
* xml: `{"name": ...}` is an element, `@name` an attribute, `#text` the text beside attributes or
  children, a list a repeated element. Numbers come back as text.
* jsonl: one JSON value per line. markdown: what is no text stands in a fenced block of JSON.
"""

from __future__ import annotations

import csv
import functools
import io
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, TypeAlias, get_args
from xml.etree import ElementTree as ET

from pydantic import BeforeValidator
from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from ..diagram.language.values import kind
from ..diagram.source import read as read_yaml
from ..diagram.yaml.scalars import is_block_text, write_scalar
from ..errors import DiagramError, NodeError
from .spellings import spelled

Format = Literal["text", "json", "yaml", "csv", "xml", "jsonl", "markdown"]
SUFFIXES: Mapping[str, Format] = {
    **{f".{name}": name for name in get_args(Format)},
    ".txt": "text",
    ".log": "text",
    ".md": "markdown",
    ".yml": "yaml",
    ".ndjson": "jsonl",
}
MAX_DEPTH = 100
"""Levels of XML; other formats have limits of their own."""

_DOCTYPE = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_XML_NAME = re.compile(r"(\{[^{}]*\})?[^\W\d][\w.-]*")
_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def format_of(path: str, default: Format = "text") -> Format:
    """The format that a path's suffix stands for."""
    return SUFFIXES.get(PurePosixPath(path).suffix.lower(), default)


def format_named(name: Any) -> Any:
    """A format as people write it: its suffix (`md`, `.txt`) stands for it too."""
    if not isinstance(name, str):
        return name
    plain = name.strip().lower().removeprefix(".")
    return SUFFIXES.get(f".{plain}", plain) or None


FormatOrNone: TypeAlias = Annotated[
    Format | None,
    BeforeValidator(format_named),
    spelled(get_args(Format), ["txt", "md", "yml", "log", "ndjson"], optional=True),
]


def load(text: str, format: Format) -> Any:  # noqa: A002 - the word people use in diagrams
    """The value that a text stands for. Raises `NodeError` with the line at fault."""
    return _LOADERS[format](text)


def dump(value: Any, format: Format) -> str:  # noqa: A002
    """The text that stands for a value; text itself goes out as it is (see above).

    Raises `NodeError` for a value that the format cannot hold.
    """
    if isinstance(value, str):
        return value if format != "json" or _is_json(value) else _to_json(value)
    return _DUMPERS[format](value)


def structured(value: Any) -> Any:
    """A list or object that arrived as JSON text, as models write it; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{") and _is_json(value):
        return _from_json(value)
    return value


def filled(value: Any, render: Callable[[str], Any]) -> Any:
    """The same value with each text in it rendered; keys of objects stay as they are."""
    match value:
        case str():
            return render(value)
        case list() | tuple():
            return [filled(each, render) for each in value]
        case dict():
            return {key: filled(each, render) for key, each in value.items()}
        case _:
            return value


def appended(old: str, value: Any, format: Format) -> str:  # noqa: A002
    """The text of a file after something was added at its end.

    Text and markdown: a line; jsonl and csv: a row, or one for each item of a list; json and yaml:
    one item of the list that the file must hold.
    """
    if format in ("json", "yaml"):
        return dump([*_list_in(old, format), structured(value)], format)
    if format == "xml":
        raise NodeError("Nothing can be appended to xml; read it, change it and write it.")
    start = old if not old or old.endswith("\n") else old + "\n"
    if format == "csv" and not isinstance(value, str):
        return start + _csv_rows(value, header=_header(old))
    line = dump(value, format)
    return start + line + ("" if line.endswith("\n") else "\n")


def _list_in(old: str, format: Format) -> list[Any]:  # noqa: A002
    items = load(old, format) if old.strip() else []
    if not isinstance(items, list):
        raise NodeError(f"Only a list can be appended to, and the file holds {kind(items)}.")
    return items


def _invalid(name: str, line: int | None, reason: str) -> NodeError:
    where = f" (line {line})" if line else ""
    return NodeError(f"The text is not valid {name}{where}: {reason.rstrip('.')}.")


# -- json and jsonl ---------------------------------------------------------------------------


def _from_json(text: str, line: int | None = None) -> Any:
    try:
        value = json.loads(text, parse_constant=_finite, parse_float=_finite)
        if "\\u" in text:  # may hold half a character, which cannot travel
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at column {error.colno}"
        raise _invalid("JSON", line or error.lineno, reason) from None
    except RecursionError:
        raise _invalid("JSON", line, "it is nested too deeply") from None
    except UnicodeEncodeError:
        raise _invalid("JSON", line, "an escape stands for half a character") from None
    except ValueError as error:
        raise _invalid("JSON", line, str(error)) from None
    return value


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is not a number that can be kept")
    return number


def _is_json(text: str) -> bool:
    try:
        _from_json(text)
    except NodeError:
        return False
    return True


def _one_line(value: Any, indent: int | None = None) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except (TypeError, ValueError, RecursionError) as error:
        raise NodeError(f"The value cannot be written: {error}.") from None


def _to_json(value: Any) -> str:
    return _one_line(value, indent=2) + "\n"


def _from_jsonl(text: str) -> list[Any]:
    lines = enumerate(text.split("\n"), 1)
    return [_from_json(line, number) for number, line in lines if line.strip()]


def _to_jsonl(value: Any) -> str:
    lines = value if isinstance(value, list) else [value]
    return "".join(_one_line(line) + "\n" for line in lines)


# -- yaml -------------------------------------------------------------------------------------


class _Representer(SafeRepresenter):
    """Writes text so that every reader takes it for text, and several lines as several lines."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> ScalarNode:
        quoted = None if write_scalar(text) == text else '"'
        style = "|" if is_block_text(text) else quoted
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Representer.add_representer(str, _Representer.represent_text)


def _from_yaml(text: str) -> Any:
    try:
        return read_yaml(text)[0]
    except DiagramError as error:
        first = error.problems[0]
        raise _invalid("YAML", first.line, first.message) from None


def _to_yaml(value: Any) -> str:
    writer = YAML(typ="safe", pure=True)
    writer.Representer = _Representer
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # it says None
    writer.width = 1_000_000
    stream = io.StringIO()
    writer.dump(json.loads(_one_line(value)), stream)
    return stream.getvalue().removesuffix("...\n")


# -- csv --------------------------------------------------------------------------------------


def _from_csv(text: str) -> list[dict[str, str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise _invalid("CSV", reader.line_num, str(error)) from None
    if not rows:
        return []
    header = rows[0][1]
    if len(set(header)) < len(header):
        raise _invalid("CSV", 1, f"a column stands twice in {', '.join(header)}")
    for line, row in rows:
        if len(row) > len(header):
            raise _invalid("CSV", line, f"{len(row)} cells under {len(header)} columns")
    return [dict(zip(header, row + [""] * len(header), strict=False)) for _, row in rows[1:]]


def _header(text: str) -> list[str] | None:
    rows = csv.reader(io.StringIO(text, newline=""))
    return next((row for row in rows if row), None)


def _csv_rows(value: Any, header: list[str] | None = None) -> str:
    """Rows under a header that is there already, or with the header they need."""
    rows: list[Any] = [value] if isinstance(value, dict) else value
    if not isinstance(rows, list):
        raise NodeError(f"csv needs a list of objects or of lists, and this is {kind(value)}.")
    if all(isinstance(row, dict) for row in rows):
        columns = header or list(dict.fromkeys(key for row in rows for key in row))
        table = [_under(columns, row) for row in rows]
        return _csv_text(table if header or not columns else [columns, *table])
    if not all(isinstance(row, list) for row in rows):
        # Plain values: one more row of a table, or a table of one column.
        rows = [rows] if header else [["value"], *([row] for row in rows)]
    if header and (wide := max(map(len, rows))) > len(header):
        raise NodeError(f"A row has {wide} cells, and the csv has {len(header)} columns.")
    return _csv_text(rows)


def _under(columns: list[str], row: dict[str, Any]) -> list[Any]:
    if unknown := [key for key in row if key not in columns]:
        raise NodeError(f"The csv has no column {unknown[0]!r}; it has {', '.join(columns)}.")
    return [row.get(column) for column in columns]


def _csv_text(rows: list[list[Any]]) -> str:
    table = [[_cell(each) for each in row] for row in rows]
    # The writer itself does not see that a lone carriage return needs quotes.
    returns = any("\r" in cell for row in table for cell in row)
    stream = io.StringIO()
    writer = functools.partial(csv.writer, stream, lineterminator="\n")
    (writer(quoting=csv.QUOTE_ALL) if returns else writer()).writerows(table)
    return stream.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _one_line(value)


# -- xml --------------------------------------------------------------------------------------


def _from_xml(text: str) -> Any:
    if found := _DOCTYPE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise _invalid("XML", line, f"{found.group()} is not allowed, since it can define entities")
    try:
        root = ET.fromstring(text)  # noqa: S314 - what makes it dangerous was refused above
    except ET.ParseError as error:
        raise _invalid("XML", error.position[0], error.msg.partition(":")[0]) from None
    return {root.tag: _from_element(root, MAX_DEPTH)}


def _from_element(element: ET.Element, depth: int) -> Any:
    if depth == 0:
        raise _invalid("XML", None, f"it is nested more than {MAX_DEPTH} levels deep")
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


def _to_xml(value: Any) -> str:
    name, inside = "data", value
    if isinstance(value, dict) and len(value) == 1:
        (only, held), *_ = value.items()
        if not isinstance(held, list) and only[:1] not in ("@", "#"):
            name, inside = only, held
    root = ET.Element(_xml_name(name))
    _fill_element(root, {"item": inside} if isinstance(inside, list) else inside, MAX_DEPTH)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _fill_element(element: ET.Element, value: Any, depth: int) -> None:
    if depth == 0:
        raise NodeError(f"xml holds at most {MAX_DEPTH} levels.")
    if not isinstance(value, dict):
        element.text = _xml_text(value)
        return
    for key, held in value.items():
        if key == "#text":
            element.text = _xml_text(held)
        elif key.startswith("@"):
            element.set(_xml_name(key[1:]), _xml_text(held))
        else:
            for each in held if isinstance(held, list) else [held]:
                inside = {"item": each} if isinstance(each, list) else each
                _fill_element(ET.SubElement(element, _xml_name(key)), inside, depth - 1)


def _xml_name(name: str) -> str:
    if not _XML_NAME.fullmatch(name):
        raise NodeError(f"{name!r} cannot be the name of something in xml. Use letters and digits.")
    return name


def _xml_text(value: Any) -> str:
    text = _cell(value)
    if found := _NOT_IN_XML.search(text):
        raise NodeError(f"xml cannot hold the character {found.group()!r}.")
    return text


# -- text and markdown ------------------------------------------------------------------------


def _to_text(value: Any) -> str:
    return _to_json(value) if isinstance(value, list | dict) else _cell(value)


def _to_markdown(value: Any) -> str:
    return f"```json\n{_to_json(value)}```\n"


def _as_it_is(text: str) -> str:
    return text


_LOADERS: Mapping[Format, Callable[[str], Any]] = {
    "text": _as_it_is,
    "markdown": _as_it_is,
    "json": _from_json,
    "jsonl": _from_jsonl,
    "yaml": _from_yaml,
    "csv": _from_csv,
    "xml": _from_xml,
}
_DUMPERS: Mapping[Format, Callable[[Any], str]] = {
    "text": _to_text,
    "markdown": _to_markdown,
    "json": _to_json,
    "jsonl": _to_jsonl,
    "yaml": _to_yaml,
    "csv": _csv_rows,
    "xml": _to_xml,
}
