"""A small Notion on loopback: pages, blocks and databases in memory, and faults on demand.

It refuses what Notion's published API refuses (version 2025-09-03): requests that are too large,
too deep or too long, tables without rows, filters on properties that are not there.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TOKEN = "ntn_canary_4711"  # noqa: S105 - it opens nothing
TRASHED = "Can't edit block that is archived. You must unarchive the block before editing."
NEED_CHILDREN = {"table": 1, "column": 1, "column_list": 2}


@dataclass(frozen=True)
class Fault:
    """What one request gets instead of its answer; without a status the connection just ends.

    With `late`, the request is obeyed all the same.
    """

    status: int | None
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    late: bool = False


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: Any
    headers: dict[str, str]


class RefusedError(Exception):
    """A request that Notion does not take."""


@dataclass
class NotionServer:
    """`children` are the blocks of pages and blocks, `rows` the pages of data sources, by id."""

    base_url: str
    pages: dict[str, Any] = field(default_factory=dict)
    children: dict[str, list[Any]] = field(default_factory=dict)
    databases: dict[str, list[Any]] = field(default_factory=dict)
    rows: dict[str, list[Any]] = field(default_factory=dict)
    items: dict[str, list[Any]] = field(default_factory=dict)
    """What properties hold, by the id of the property."""
    trash: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    faults: deque[Fault | None] = field(default_factory=deque)
    """One for each request to come; None lets it pass."""
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def forget(self) -> None:
        """Be as new."""
        for each in (self.pages, self.children, self.databases, self.rows, self.items):
            each.clear()
        self.trash.clear()
        self.requests.clear()
        self.arrived.clear()
        self.faults.clear()

    def paths(self) -> list[str]:
        return [f"{each.method} {each.path}" for each in self.requests]

    def tree(self, name: str) -> list[Any]:
        """The texts below a page or block, each with those below it."""
        return [
            (text, self.tree(each["id"])) if self.children.get(each["id"]) else text
            for each in self.children.get(name, [])
            for text in [text_of(each)]
        ]

    def answer(self, request: Request, query: dict[str, str]) -> tuple[int, Any]:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return error(401, "unauthorized", "API token is invalid.")
        if "Notion-Version" not in request.headers:
            return error(400, "missing_version", "Notion-Version header should be defined.")
        for method, pattern, action in self.routes():
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                try:
                    return action(*found.groups(), request.body, query)
                except RefusedError as refused:
                    return error(400, "validation_error", str(refused))
        return error(400, "invalid_request_url", f"No such path: {request.path}")

    def routes(self) -> Iterator[tuple[str, str, Any]]:
        name = "([0-9a-f-]+)"
        yield "GET", f"/v1/pages/{name}", self.read_page
        yield "GET", f"/v1/pages/{name}/properties/([^/]+)", self.list_property
        yield "POST", "/v1/pages", self.create_page
        yield "GET", f"/v1/blocks/{name}/children", self.list_children
        yield "PATCH", f"/v1/blocks/{name}/children", self.add_children
        yield "PATCH", f"/v1/blocks/{name}", self.update_block
        yield "GET", f"/v1/databases/{name}", self.read_database
        yield "POST", f"/v1/data_sources/{name}/query", self.query_rows

    def read_page(self, name: str, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        return (200, self.pages[name]) if name in self.pages else missing(name)

    def list_property(
        self, name: str, wanted: str, body: Any, query: dict[str, str]
    ) -> tuple[int, Any]:
        if name not in self.pages or wanted not in self.items:
            return missing(name)
        return listed(self.items[wanted], query)

    def create_page(self, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        parent = body.get("parent")
        if not isinstance(parent, dict):
            return error(400, "validation_error", "body.parent should be an object")
        check_texts(body["properties"], "body.properties")
        check_blocks(body)
        home = self.home(parent)
        if home is None:
            return missing(str(parent))
        name = f"{next(self.numbers):032x}"
        page = {"object": "page", "id": name, "parent": parent, "in_trash": False}
        page["properties"] = body["properties"]
        self.pages[name] = page
        home.append(page)
        self.children[name] = [self.made(each) for each in body.get("children", [])]
        return 200, page

    def home(self, parent: Mapping[str, Any]) -> list[Any] | None:
        """Where the page of this parent is listed."""
        match parent:
            case {"page_id": name} if name in self.pages:
                return []
            case {"database_id": name} if len(self.databases.get(name, ())) == 1:
                return self.rows[self.databases[name][0]["id"]]
            case {"data_source_id": name} if name in self.rows:
                return self.rows[name]
            case _:
                return None

    def list_children(self, name: str, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        return listed(self.children[name], query) if name in self.children else missing(name)

    def add_children(self, name: str, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        if name not in self.children:
            return missing(name)
        if name in self.trash:
            return error(400, "validation_error", TRASHED)
        check_blocks(body)
        made = [self.made(each) for each in body["children"]]
        self.children[name] += made
        return 200, {"object": "list", "results": made, "has_more": False}

    def made(self, block: dict[str, Any]) -> dict[str, Any]:
        """The block as it is from now on: with an id, and its children apart."""
        kind, inside, children = parts(block)
        name = f"{next(self.numbers):032x}"
        self.children[name] = [self.made(each) for each in children]
        rest = {key: value for key, value in inside.items() if key != "children"}
        return {
            "object": "block",
            "id": name,
            "type": kind,
            "has_children": bool(children),
            kind: rest,
        }

    def update_block(self, name: str, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        check_texts(body, "body")
        for block in (each for blocks in self.children.values() for each in blocks):
            if block.get("id") == name:
                block.update(body)
                return 200, block
        return missing(name)

    def read_database(self, name: str, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        if name not in self.databases:
            return missing(name)
        return 200, {"object": "database", "id": name, "data_sources": self.databases[name]}

    def query_rows(self, name: str, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        if name not in self.rows:
            return missing(name)
        found = [row for row in self.rows[name] if passes(row, body.get("filter"))]
        for order in reversed(body.get("sorts", [])):
            found.sort(
                key=lambda row: held(row, order["property"]),
                reverse=order["direction"] == "descending",
            )
        return listed(found, body)


def held(row: Any, name: str) -> Any:
    """The value of a row's property."""
    if name not in row.get("properties", {}):
        raise RefusedError(f"Could not find property with name or id: {name}")
    value = row["properties"][name]
    for kind in ("title", "rich_text"):
        if kind in value:
            return "".join(each["text"]["content"] for each in value[kind])
    return next(value[kind] for kind in ("checkbox", "number") if kind in value)


def passes(row: Any, wanted: Any) -> bool:
    match wanted:
        case None:
            return True
        case {"and": list(all_of)}:
            return all(passes(row, each) for each in all_of)
        case {"property": str(name), **condition} if len(condition) == 1:
            ((_, test),) = condition.items()
            return held(row, name) == test["equals"]
        case _:
            raise RefusedError("body.filter should have exactly one condition")


def parts(block: dict[str, Any]) -> tuple[str, dict[str, Any], list[Any]]:
    """A block's type, what it holds, and its children."""
    kind = block.get("type") or next((x for x in block if isinstance(block[x], dict)), None)
    if kind is None or not isinstance(block.get(kind), dict):
        raise RefusedError(f"body.children: {json.dumps(block)[:60]} has no type that is defined")
    return kind, block[kind], block[kind].get("children", [])


def text_of(block: dict[str, Any]) -> str:
    kind, inside, _ = parts(block)
    pieces = inside.get("rich_text", [])
    cells = ["".join(x["text"]["content"] for x in each) for each in inside.get("cells", [])]
    return "".join(each["text"]["content"] for each in pieces) or "|".join(cells) or kind


def check_blocks(body: Any) -> None:
    """Refuse what is too large for one request."""
    if len(json.dumps(body)) > 500_000:
        raise RefusedError("body is larger than 500kB")
    if number_of_blocks(body.get("children", []), 0) > 1000:
        raise RefusedError("body has more than 1000 blocks")
    check_texts(body.get("children", []), "body.children")


def number_of_blocks(blocks: list[Any], depth: int) -> int:
    if len(blocks) > 100:
        raise RefusedError(f"body.children.length should be ≤ `100`, instead was `{len(blocks)}`.")
    total = 0
    for block in blocks:
        kind, _, children = parts(block)
        if children and depth == 2:
            raise RefusedError(f"body.children: {kind}.children should be not present")
        if len(children) < NEED_CHILDREN.get(kind, 0):
            raise RefusedError(f"body.children: {kind}.children.length is too small")
        total += 1 + number_of_blocks(children, depth + 1)
    return total


def check_texts(value: Any, where: str) -> None:
    match value:
        case dict():
            for name, each in value.items():
                check_texts(each, f"{where}.{name}")
        case list():
            if len(value) > 100:
                raise RefusedError(f"{where}.length should be ≤ `100`, instead was `{len(value)}`.")
            for each in value:
                check_texts(each, where)
        case str():
            end = where.rpartition(".")[2]
            most = {"content": 2000, "url": 2000, "expression": 1000}.get(end)
            length = len(value.encode("utf-16-le")) // 2
            if most is not None and length > most:
                raise RefusedError(f"{where}.length should be ≤ `{most}`, instead was `{length}`.")


def listed(items: list[Any], page: dict[str, Any]) -> tuple[int, Any]:
    size, start = int(page.get("page_size", 100)), int(page.get("start_cursor", 0))
    if not 1 <= size <= 100:
        return error(400, "validation_error", "page_size should be 1 to 100")
    more = start + size < len(items)
    cursor = str(start + size) if more else None
    found = items[start : start + size]
    return 200, {"object": "list", "results": found, "has_more": more, "next_cursor": cursor}


def error(status: int, code: str, message: str) -> tuple[int, Any]:
    return status, {"object": "error", "status": status, "code": code, "message": message}


def missing(name: str) -> tuple[int, Any]:
    return error(404, "object_not_found", f"Could not find {name}.")


class Handler(BaseHTTPRequestHandler):
    notion: NotionServer

    def handle_one(self) -> None:
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        request = Request(self.command, address.path, body, dict(self.headers))
        self.notion.requests.append(request)
        self.notion.arrived.set()
        fault = self.notion.faults.popleft() if self.notion.faults else None
        if fault is None or fault.late:
            status, answer = self.notion.answer(request, dict(parse_qsl(address.query)))
            fault = fault or Fault(status, json.dumps(answer))
        if fault.status is not None:
            self.reply(fault.status, fault.body.encode(), fault.headers)

    do_GET = do_POST = do_PATCH = handle_one  # noqa: N815 - names the library asks for

    def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Tests are quiet."""


@contextmanager
def running() -> Iterator[NotionServer]:
    """A server that is gone, with its threads and sockets, at the end of the block."""
    handler = type("BoundHandler", (Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = False  # so that closing waits for them
        handler.notion = NotionServer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield handler.notion
        finally:
            server.shutdown()
            thread.join()
