"""Requests by https: the address was judged, and the name is still what the certificate shows."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess

import httpcore
import pytest

from dipeo_jupyter.engine.ports.web import WebRequest
from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.services.web import WebService

OPENSSL = shutil.which("openssl")
PUBLIC = "93.184.216.34"
NAME = "tls.example.org"

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl makes the certificate")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, shown = folder / "key.pem", folder / "shown.pem"
    command = f"{OPENSSL} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    command += f" -subj /CN={NAME} -addext subjectAltName=DNS:{NAME} -keyout {key} -out {shown}"
    subprocess.run(command.split(), check=True, capture_output=True)
    return shown, key


def ask(certificate, host):
    """What a server says to a request for this host, and which name it was called by."""
    called = []
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(*certificate)
    theirs.sni_callback = lambda _, name, __: called.append(name)
    ours = ssl.create_default_context(cafile=str(certificate[0]))

    async def look_up(name: str, port: int) -> list[str]:
        return [PUBLIC]

    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        said = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"host:"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))
        await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=theirs)
        port = server.sockets[0].getsockname()[1]

        class Beyond(httpcore.AsyncNetworkBackend):
            async def connect_tcp(self, address, _, *more):
                assert address == PUBLIC
                return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", port, *more)

        web = WebService(lambda *_: "", look_up=look_up)
        web._beyond, web._tls = Beyond(), ours
        try:
            return (await web.send(WebRequest("GET", f"https://{host}/"))).text, called
        finally:
            server.close()

    return asyncio.run(main())


def test_the_name_goes_along_to_the_address_that_was_judged(certificate):
    assert ask(certificate, NAME) == (f"Host: {NAME}", [NAME])


def test_a_certificate_of_another_name_is_refused(certificate):
    with pytest.raises(ServiceError, match=r"is not good \(Hostname mismatch") as caught:
        ask(certificate, "other.example.org")
    assert not caught.value.retryable
