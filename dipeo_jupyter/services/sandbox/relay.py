"""Runs beside a job that has a network: hands on what comes to a port inside to a socket outside.

Started as a script, with the socket and the job's command: it listens, leaves a process of its own
behind, and becomes the job. It imports nothing of the package.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

PORT = 3128
_PIECE = 65_536
_HIGHEST = 4_096


def _main() -> None:
    outside, *command = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", PORT))
    if (between := os.fork()) == 0:
        if os.fork() == 0:  # nobody's child, so that a job that waits for its own does not get it
            _hand_on(listener, outside)
        os._exit(0)
    os.waitpid(between, 0)
    listener.close()
    os.execv(command[0], command)  # noqa: S606 - what this process is for


def _hand_on(listener: socket.socket, outside: str) -> None:
    here = listener.fileno()
    os.closerange(0, here)
    os.closerange(here + 1, _HIGHEST)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_serve, args=(client, outside), daemon=True).start()


def _serve(client: socket.socket, outside: str) -> None:
    with client, socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(outside)
        except OSError:  # there is no network any more
            return
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(_PIECE):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # one side has gone; the other is told by the end
        return


if __name__ == "__main__":
    _main()
