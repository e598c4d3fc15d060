"""A small Notion on loopback: pages, blocks and databases in memory, and faults on demand."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TOKEN = "ntn_canary_4711"  # noqa: S105 - it opens nothing


@dataclass(frozen=True)
class Fault:
    """What one request gets instead of its answer; without a status the connection just ends."""

    status: int | None
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: Any
    headers: dict[str, str]


@dataclass
class NotionServer:
    """`children` are the blocks of pages and blocks, `rows` the pages of data sources, by id."""

    base_url: str
    pages: dict[str, Any] = field(default_factory=dict)
    children: dict[str, list[Any]] = field(default_factory=dict)
    databases: dict[str, list[Any]] = field(default_factory=dict)
    rows: dict[str, list[Any]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    faults: deque[Fault | None] = field(default_factory=deque)
    """One for each request to come; None lets it pass."""

    def forget(self) -> None:
        """Be as new."""
        for each in (self.pages, self.children, self.databases, self.rows, self.requests):
            each.clear()
        self.arrived.clear()
        self.faults.clear()

    def paths(self) -> list[str]:
        return [f"{each.method} {each.path}" for each in self.requests]

    def answer(self, request: Request, query: dict[str, str]) -> tuple[int, Any]:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return error(401, "unauthorized", "API token is invalid.")
        for method, pattern, action in self.routes():
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                return action(*found.groups(), request.body, query)
        return error(400, "invalid_request_url", f"No such path: {request.path}")

    def routes(self) -> Iterator[tuple[str, str, Any]]:
        name = "([0-9a-f-]+)"
        yield "GET", f"/v1/pages/{name}", self.read_page
        yield "POST", "/v1/pages", self.create_page
        yield "GET", f"/v1/blocks/{name}/children", self.list_children
        yield "PATCH", f"/v1/blocks/{name}/children", self.add_children
        yield "PATCH", f"/v1/blocks/{name}", self.update_block
        yield "GET", f"/v1/databases/{name}", self.read_database
        yield "POST", f"/v1/data_sources/{name}/query", self.query_rows

    def read_page(self, name: str, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        return (200, self.pages[name]) if name in self.pages else missing(name)

    def create_page(self, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        if not isinstance(body.get("parent"), dict):
            return error(400, "validation_error", "body.parent should be an object")
        page = {"object": "page", "id": f"{len(self.pages):032x}", **body}
        self.pages[page["id"]] = page
        return 200, page

    def list_children(self, name: str, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        return listed(self.children[name], query) if name in self.children else missing(name)

    def add_children(self, name: str, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        if name not in self.children:
            return missing(name)
        if len(body["children"]) > 100:
            return error(400, "validation_error", "body.children.length should be ≤ 100")
        self.children[name] += body["children"]
        return 200, {"object": "list", "results": body["children"], "has_more": False}

    def update_block(self, name: str, body: Any, query: dict[str, str]) -> tuple[int, Any]:
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
        return listed(self.rows[name], body) if name in self.rows else missing(name)


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
        if fault is None:
            status, answer = self.notion.answer(request, dict(parse_qsl(address.query)))
            fault = Fault(status, json.dumps(answer))
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
