"""The bytes that a program sends to an engine, counted on their way."""

import socket
import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

CHUNK = 1 << 16


class Wire(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A socket at `place` that passes on what is said to the engine at `engine`, an address as `DOCKER_HOST` has it."""

    daemon_threads = True

    def __init__(self, place: Path, engine: str) -> None:
        super().__init__(str(place), Both)
        place.chmod(0o666)
        self.address = f"unix://{place}"
        self.engine = urlsplit(engine)
        self.sent = 0
        self.lock = threading.Lock()

    def __enter__(self) -> "Wire":
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        Path(self.server_address).unlink()

    def dial(self) -> socket.socket:
        if self.engine.scheme != "unix":
            return socket.create_connection((self.engine.hostname, self.engine.port))
        there = socket.socket(socket.AF_UNIX)
        there.connect(self.engine.path)
        return there

    def count(self, data: bytes) -> None:
        with self.lock:
            self.sent += len(data)


class Both(socketserver.BaseRequestHandler):
    """One connection, both ways."""

    server: Wire

    def handle(self) -> None:
        with self.server.dial() as engine:
            back = threading.Thread(target=pump, args=(engine, self.request), daemon=True)
            back.start()
            pump(self.request, engine, self.server.count)
            back.join()


def pump(source: socket.socket, target: socket.socket, count: Callable[[bytes], None] = lambda _: None) -> None:
    """Passes on all that comes, and then that no more will."""
    with suppress(OSError):
        while data := source.recv(CHUNK):
            count(data)
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
