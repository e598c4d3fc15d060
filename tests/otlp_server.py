"""A collector on loopback: takes what comes by OTLP over HTTP, and gives it back as spans."""

from __future__ import annotations

import queue
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Collector:
    def __init__(self):
        self.requests = queue.SimpleQueue()
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    raise AssertionError("nobody has asked for gzip")
                requests.put((self.path, self.headers, body))
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def spans(self):
        """What has come so far: the resource's attributes and the spans of each request."""
        found = []
        while not self.requests.empty():
            path, headers, body = self.requests.get()
            assert path == "/v1/traces"
            assert headers["Content-Type"] == "application/x-protobuf"
            for each in ExportTraceServiceRequest.FromString(body).resource_spans:
                resource = {x.key: x.value.string_value for x in each.resource.attributes}
                found += [(resource, x) for scope in each.scope_spans for x in scope.spans]
        return found
