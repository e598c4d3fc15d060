"""Markdown as blocks of Notion: headings, lists, tasks, tables, code, quotes, pictures, links."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...errors import ServiceError

_PLAIN = "plain text"
_LANGUAGES = frozenset(
    re.findall(
        r"\S+",
        "bash c c++ c# clojure coffeescript css dart diff docker elixir elm erlang f# flow fortran "
        "gherkin glsl go graphql groovy haskell html java javascript json julia kotlin latex less "
        "lisp livescript lua makefile markdown markup matlab mermaid nix objective-c ocaml pascal "
        "perl php powershell prolog protobuf python r reason ruby rust sass scala scheme scss "
        "shell sql swift typescript verilog vhdl webassembly xml yaml",
    )
)
"""What Notion colours; it refuses all other names."""
_ALSO = {
    "cpp": "c++",
    "cs": "c#",
    "csharp": "c#",
    "dockerfile": "docker",
    "js": "javascript",
    "jsx": "javascript",
    "console": "shell",
    "md": "markdown",
    "py": "python",
    "rb": "ruby",
    "rs": "rust",
    "sh": "bash",
    "tex": "latex",
    "toml": _PLAIN,
    "ts": "typescript",
    "tsx": "typescript",
    "yml": "yaml",
    "zsh": "shell",
}
_TASK = re.compile(r"\[([ xX])\]\s+")
_LINK = re.compile(r"(?:https?|mailto):\S+", re.IGNORECASE)
_PICTURE = re.compile(r"https?://\S+", re.IGNORECASE)
_DEEPEST_HEADING = 3

Style = Mapping[str, Any]


def blocks_of(text: str) -> list[dict[str, Any]]:
    """The blocks that show this Markdown. Raises `ServiceError` where nothing can read it."""
    try:
        # Slow to import, and few need it.
        from markdown_it import MarkdownIt  # noqa: PLC0415
        from markdown_it.tree import SyntaxTreeNode  # noqa: PLC0415
    except ImportError:
        raise ServiceError(
            "Markdown needs the package markdown-it-py: pip install 'dipeo_jupyter[notion]'."
        ) from None
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return list(_blocks(SyntaxTreeNode(reader.parse(text))))


def _blocks(parent: Any) -> Iterator[dict[str, Any]]:
    for node in parent.children:
        yield from _BLOCKS.get(node.type, _other)(node)


def _other(node: Any) -> Iterator[dict[str, Any]]:
    if node.children:
        yield from _blocks(node)
    elif node.content.strip():
        yield _block("paragraph", [_piece(node.content.strip(), {})])


def _paragraph(node: Any) -> Iterator[dict[str, Any]]:
    """Pictures stand on their own in Notion, behind the text that they were in."""
    text = _text(node)
    if text:
        yield _block("paragraph", text)
    yield from _pictures(node)


def _heading(node: Any) -> Iterator[dict[str, Any]]:
    yield _block(f"heading_{min(int(node.tag[1]), _DEEPEST_HEADING)}", _text(node))


def _code(node: Any) -> Iterator[dict[str, Any]]:
    written = (node.info.split() or [""])[0].lower()
    known = _ALSO.get(written, written if written in _LANGUAGES else _PLAIN)
    yield _block("code", [_piece(node.content.removesuffix("\n"), {})], language=known)


def _quote(node: Any) -> Iterator[dict[str, Any]]:
    yield _with_text_of_first("quote", node)


def _items(node: Any) -> Iterator[dict[str, Any]]:
    kind = "numbered_list_item" if node.type == "ordered_list" else "bulleted_list_item"
    for item in node.children:
        made = _with_text_of_first(kind, item)
        text = made[kind]["rich_text"]
        task = _TASK.match(text[0]["text"]["content"]) if text else None
        if task is None:
            yield made
            continue
        first = {**text[0], "text": {"content": text[0]["text"]["content"][task.end() :]}}
        pieces = [first, *text[1:]] if first["text"]["content"] else text[1:]
        inside = {**made[kind], "rich_text": pieces, "checked": task[1] != " "}
        yield {"type": "to_do", "to_do": inside}


def _with_text_of_first(kind: str, node: Any) -> dict[str, Any]:
    """A block whose text is the first paragraph of this, with the rest below."""
    inner = list(_blocks(node))
    text = inner.pop(0)["paragraph"]["rich_text"] if _starts_with_text(inner) else []
    return _block(kind, text, **({"children": inner} if inner else {}))


def _starts_with_text(inner: list[dict[str, Any]]) -> bool:
    return bool(inner) and inner[0]["type"] == "paragraph"


def _table(node: Any) -> Iterator[dict[str, Any]]:
    lines = [row for part in node.children for row in part.children]
    rows = [[_text(cell) for cell in line.children] for line in lines]
    yield {
        "type": "table",
        "table": {
            "table_width": len(rows[0]),
            "has_column_header": True,
            "has_row_header": False,
            "children": [{"type": "table_row", "table_row": {"cells": row}} for row in rows],
        },
    }


def _line(_: Any) -> Iterator[dict[str, Any]]:
    yield {"type": "divider", "divider": {}}


def _pictures(node: Any) -> Iterator[dict[str, Any]]:
    for each in node.walk():
        if each.type == "image" and _PICTURE.fullmatch(each.attrs["src"]):
            caption = [_piece(each.content, {})] if each.content else []
            inside = {"type": "external", "external": {"url": each.attrs["src"]}}
            yield {"type": "image", "image": {**inside, "caption": caption}}


def _text(node: Any) -> list[dict[str, Any]]:
    """The pieces of a text; those that look the same are one."""
    pieces: list[dict[str, Any]] = []
    for content, style in _inline(node, {}):
        piece = _piece(content, style)
        if pieces and _look(pieces[-1]) == _look(piece):
            pieces[-1]["text"]["content"] += content
        elif content:
            pieces.append(piece)
    return pieces


def _look(piece: Mapping[str, Any]) -> Any:
    return piece.get("annotations"), piece["text"].get("link")


def _inline(node: Any, style: Style) -> Iterator[tuple[str, Style]]:
    for each in node.children:
        match each.type:
            case "text" | "html_inline":
                yield each.content, style
            case "softbreak" | "hardbreak":
                yield "\n", style
            case "code_inline":
                yield each.content, {**style, "code": True}
            case "image":
                if not _PICTURE.fullmatch(each.attrs["src"]):
                    yield each.content, style
            case "link" if _LINK.fullmatch(each.attrs["href"]):
                yield from _inline(each, {**style, "link": each.attrs["href"]})
            case kind:
                own = {_STYLES[kind]: True} if kind in _STYLES else {}
                yield from _inline(each, {**style, **own})


def _piece(content: str, style: Style) -> dict[str, Any]:
    text: dict[str, Any] = {"content": content}
    if "link" in style:
        text["link"] = {"url": style["link"]}
    looks = {name: value for name, value in style.items() if name != "link"}
    return {"type": "text", "text": text, **({"annotations": looks} if looks else {})}


def _block(kind: str, text: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"type": kind, kind: {"rich_text": text, **more}}


_STYLES = {"strong": "bold", "em": "italic", "s": "strikethrough"}
_BLOCKS: Mapping[str, Callable[[Any], Iterator[dict[str, Any]]]] = {
    "paragraph": _paragraph,
    "heading": _heading,
    "fence": _code,
    "code_block": _code,
    "blockquote": _quote,
    "bullet_list": _items,
    "ordered_list": _items,
    "table": _table,
    "hr": _line,
}
