"""A small server of the web on loopback: says what it was asked, or what a test tells it to say."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What one request gets; without a status the connection just ends."""

    status: int | None = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    """Whether the answer stops in the middle, until the test is over."""


@dataclass
class WebServer:
    """`answers` are for the requests to come, in order; then each is told what it asked."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    answers: deque[Answer] = field(default_factory=deque)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def will(self, *answers: Answer) -> None:
        self.answers.extend(answers)

    def will_redirect(self, to: str, status: int = 302) -> None:
        self.will(Answer(status, headers={"Location": to}))

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if self.answers:
            return self.answers.popleft()
        told = {"method": asked.method, "path": asked.path, "body": asked.body.decode("latin-1")}
        return Answer(body=json.dumps(told).encode(), headers={"Content-Type": "application/json"})


@contextmanager
def running() -> Iterator[WebServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, self.rfile.read(length))
            answer = told.answer(asked)
            self.close_connection = True
            if answer.status is None:
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            more = 10 if answer.hangs else 0
            if "Content-Length" not in answer.headers:
                self.send_header("Content-Length", str(len(answer.body) + more))
            self.end_headers()
            self.wfile.write(answer.body)
            if answer.hangs:
                self.wfile.flush()
                told.over.wait(30)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_one  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nobody wants to know."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Clients may leave."""

    with Server(("127.0.0.1", 0), Handler) as server:
        told = WebServer(server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield told
        finally:
            told.over.set()
            server.shutdown()
            thread.join()
