"""Jobs with a network: they reach public addresses by way of a proxy, and no others."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dipeo_jupyter.engine.ports import Job
from dipeo_jupyter.errors import NodeError
from dipeo_jupyter.services.addresses import forbidden
from dipeo_jupyter.services.sandbox.process import ProcessSandbox
from dipeo_jupyter.services.sandbox.walls import Walls

FETCH = "import urllib.request as web\nreturn web.urlopen(url).read().decode()"
TUNNEL = """import socket
with socket.create_connection(("127.0.0.1", 3128)) as proxy:
    proxy.sendall(f"CONNECT {host} HTTP/1.1\\r\\n\\r\\n".encode())
    if b" 200 " not in (said := proxy.recv(200)):
        return said.decode()
    proxy.sendall(b"GET /through HTTP/1.0\\r\\n\\r\\n")
    return b"".join(iter(lambda: proxy.recv(1000), b"")).decode()"""


class Echo(BaseHTTPRequestHandler):
    """Says what it was asked."""

    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/there")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.path} {self.headers.get('Proxy-Authorization')}".encode())

    def log_message(self, *_):
        """Nobody wants to know."""


@contextmanager
def served():
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def host():
    with served() as address:
        yield address


@pytest.fixture(scope="module")
def walls():
    walls = Walls("bubblewrap")
    try:
        asyncio.run(walls.find())
    except NodeError as error:
        pytest.skip(str(error))
    return walls


def run(walls: Walls, code: str, *, private: bool, network: bool = True, **inputs: str):
    sandbox = ProcessSandbox(walls=walls, private=private)
    job = Job("python", code, inputs, network=network)
    return asyncio.run(sandbox.run(job, lambda _: None)).value


def test_pages_are_fetched_by_way_of_the_proxy(walls, host):
    assert run(walls, FETCH, private=True, url=f"http://{host}/a?b=1") == "/a?b=1 None"


def test_a_redirection_is_followed_through_the_proxy(walls, host):
    assert run(walls, FETCH, private=True, url=f"http://{host}/moved") == "/there None"


def test_a_tunnel_leads_where_it_was_asked_for(walls, host):
    assert "/through" in run(walls, TUNNEL, private=True, host=host)


def test_this_machine_is_not_public(walls, host):
    with pytest.raises(NodeError, match="HTTP Error 403: Not a public address"):
        run(walls, FETCH, private=False, url=f"http://{host}/")
    assert "403" in run(walls, TUNNEL, private=False, host=host)


def test_without_the_word_there_is_no_network(walls, host):
    with pytest.raises(NodeError, match="URLError"):
        run(walls, FETCH, private=True, network=False, url=f"http://{host}/")


@pytest.mark.parametrize("asked", ["GET /x", "GET ftp://h/x HTTP/1.1", "CONNECT :0 HTTP/1.1", "x"])
def test_what_is_no_request_is_refused(walls, asked):
    code = f"""import socket
with socket.create_connection(("127.0.0.1", 3128)) as proxy:
    proxy.sendall({asked!r}.encode() + b"\\r\\n\\r\\n")
    return proxy.recv(100).decode()"""
    assert run(walls, code, private=True).startswith("HTTP/1.1 400 ")


def test_a_job_that_waits_for_its_children_has_none(walls, host):
    code = "import os\ntry:\n    os.wait()\nexcept ChildProcessError:\n    return 'none'"
    assert run(walls, code, private=True) == "none"


def test_landlock_has_no_network_to_give():
    walls = Walls("landlock")
    try:
        asyncio.run(walls.find())
    except NodeError as error:
        pytest.skip(str(error))
    with pytest.raises(NodeError, match="only where bubblewrap works") as caught:
        run(walls, FETCH, private=True, url="http://example.org")
    assert caught.value.field == "network"


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"])
def test_addresses_of_the_internet_are_public(address):
    assert forbidden("h", ["1.1.1.1", address], private=False) is None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.0.1",
        "0.0.0.0",  # noqa: S104 - an address to be refused
        "0.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a00:1::",
        "2001:0:53aa:64c::1",
        "2001:db8::1",
    ],
)
def test_all_other_addresses_are_not(address):
    assert "not a public address" in forbidden("h", ["1.1.1.1", address], private=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "fd00::1", "1.1.1.1"])
def test_where_it_is_allowed_private_addresses_are_reached(address):
    assert forbidden("h", [address], private=True) is None


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fe80::1%eth0", "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "100.100.100.200"],
)
def test_the_metadata_of_a_cloud_are_never_reached(address):
    assert "cloud" in forbidden("h", ["10.0.0.1", address], private=True)
