"""A stand-in for a container engine: as much of its HTTP interface as reading a configuration needs, on loopback."""

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

CONTAINER_ID = "c0ffee" + "0" * 58

# What the container was made of: an image that says nothing, so that its labels are its own.
CONTAINER_IMAGE = "example.test/container"


def image_details(name: str, image: dict) -> dict:
    """What an engine says of an image that case.json describes."""
    digest = hashlib.sha256(json.dumps([name, image], sort_keys=True).encode()).hexdigest()
    config = {
        "User": image.get("user", ""),
        "Env": image.get("env", ["PATH=/usr/local/bin:/usr/bin:/bin"]),
        "Labels": image.get("labels"),
        "Entrypoint": image.get("entrypoint"),
        "Cmd": image.get("cmd"),
    }
    return {
        "Id": f"sha256:{digest}",
        "RepoTags": [name],
        "Architecture": image.get("architecture", "amd64"),
        "Os": "linux",
        "Config": config,
        "RootFS": {"Type": "layers", "Layers": []},
    }


def container_details(container: dict) -> dict:
    """What an engine says of a running container."""
    return {
        "Id": CONTAINER_ID,
        "Name": "/stand-in",
        "Created": "2026-01-02T03:04:05.000000006Z",
        "Image": "sha256:" + "0" * 64,
        "State": {"Status": "running", "Running": True, "StartedAt": "2026-01-02T03:04:06.000000007Z"},
        "Config": {
            "Image": CONTAINER_IMAGE,
            "User": container.get("user", ""),
            "Env": container.get("env", []),
            "Labels": container.get("labels", {}),
        },
        "NetworkSettings": {"Ports": {}},
        "Mounts": [],
    }


class StandIn:
    """Serves images by name and at most one container. With `any_image`, every name is an image that says nothing."""

    def __init__(self, images: dict, container: dict | None = None, *, any_image: bool = False) -> None:
        self.images = {full_name(name): image_details(name, image) for name, image in images.items()}
        self.container = container and container_details(container)
        self.any_image = any_image
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True
        self.address = f"tcp://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "StandIn":
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path: str, query: dict) -> object | None:
        """What a GET is answered with, or None where there is nothing."""
        if path == "/_ping":
            return "OK"
        if path == "/version":
            return {"Version": "26.1.5", "ApiVersion": "1.45", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64"}
        if path == "/containers/json":
            return self.containers(query)
        if (named := re.fullmatch(r"/containers/([0-9a-f]{12,64})/json", path)) and CONTAINER_ID.startswith(named[1]):
            return self.container
        if name := re.fullmatch(r"/images/(.+)/json", path):
            return self.image(name[1])
        return None

    def image(self, name: str) -> dict | None:
        found = self.images.get(full_name(name))
        return found or (image_details(name, {}) if self.any_image else None)

    def containers(self, query: dict) -> list[dict]:
        filters = json.loads(query.get("filters", ["{}"])[0])
        wanted = filters.get("label", [])
        if not self.container or not all(self.has_label(label) for label in wanted):
            return []
        config = self.container["Config"]
        return [{"Id": CONTAINER_ID, "Names": ["/stand-in"], "Image": config["Image"], "Labels": config["Labels"],
                 "Created": 1767323045, "State": "running", "Status": "Up", "Ports": []}]

    def has_label(self, label: str) -> bool:
        name, _, value = label.partition("=")
        labels = self.container["Config"]["Labels"]
        return labels.get(name) == value if "=" in label else name in labels


def full_name(name: str) -> str:
    """A name as an engine completes it: `x` is `docker.io/library/x:latest`."""
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif not re.search(r"[.:]|^localhost$", first):
        name = f"docker.io/{name}"
    return name if re.search(r"@|:[^/]+$", name) else f"{name}:latest"


def handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802
            url = urlsplit(self.path)
            path = re.sub(r"^/v\d+\.\d+/", "/", unquote(url.path))
            found = stand_in.answer(path, parse_qs(url.query))
            if found is None:
                self.reply(404, {"message": f"the stand-in engine has no {path}"})
            else:
                self.reply(200, found)

        do_HEAD = do_GET

        def do_POST(self) -> None:  # noqa: N802
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.reply(404, {"message": f"the stand-in engine takes no {self.path}"})

        def reply(self, status: int, body: object) -> None:
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if isinstance(body, str) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Api-Version", "1.45")
            self.send_header("OSType", "linux")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
