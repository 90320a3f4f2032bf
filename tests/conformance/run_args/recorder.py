"""An engine that is there to be asked for a container: it says no to it, and keeps what it was asked."""

import json
import socketserver
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

IMAGE = {
    "Id": f"sha256:{0:064}",
    "RepoTags": ["debian:bookworm-slim"],
    "Os": "linux",
    "Architecture": "amd64",
    "Config": {"Cmd": ["bash"], "Env": ["PATH=/usr/bin:/bin"]},
    "RootFS": {"Type": "layers", "Layers": []},
}


@dataclass
class Asked:
    """One request for a container."""

    query: dict[str, str]
    body: dict


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    recorder: "Recorder"

    def handle_error(self, *request: object) -> None:
        """Whoever has read the head of an answer may hang up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*request)


@dataclass
class Recorder:
    """Listens at a socket as an engine with version 1.`minor` of the API."""

    socket: Path
    minor: int
    asked: list[Asked] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"unix://{self.socket}"

    def __enter__(self) -> "Recorder":
        self.server = Server(str(self.socket), Handler)
        self.server.recorder = self
        self.socket.chmod(0o666)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.socket.unlink()

    def take(self) -> list[Asked]:
        """What was asked since the last time."""
        asked, self.asked = self.asked, []
        return asked


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        path = self.path_without_version()
        version = f"1.{self.server.recorder.minor}"
        if path == "/version":
            self.answer(200, {"ApiVersion": version, "MinAPIVersion": "1.24", "Version": "recorder", "Os": "linux", "Arch": "amd64"})
        elif path == "/info":
            self.answer(200, {"OSType": "linux", "Architecture": "x86_64"})
        elif path.startswith("/images/"):
            self.answer(200, IMAGE)
        elif path == "/containers/json":
            self.answer(200, [])
        elif path == "/_ping":
            self.answer(200, "OK")
        else:
            self.answer(404, {"message": f"there is no {path}"})

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path_without_version() == "/containers/create":
            query = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
            self.server.recorder.asked.append(Asked(query, json.loads(body)))
        self.answer(500, {"message": "that will do"})

    def path_without_version(self) -> str:
        path = urlsplit(self.path).path
        return path[path.index("/", 1):] if path.startswith("/v1.") else path

    def answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Api-Version", f"1.{self.server.recorder.minor}")
        self.send_header("Ostype", "linux")
        self.send_header("Docker-Experimental", "false")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def address_string(self) -> str:
        return "recorder"

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""
