"""A container engine's HTTP interface, as much of it as looking at a container needs."""

import http.client
import io
import json
import socket
import tarfile
from urllib.parse import quote, urlencode, urlsplit


class EngineError(Exception):
    """What an engine refused, with its words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Unix(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=120)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Client:
    """Asks the engine at an address as `DOCKER_HOST` has it, each time on a connection of its own."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, method: str, path: str, /, *, body: dict | None = None, **query: object) -> bytes:
        url = urlsplit(self.address)
        connection = Unix(url.path) if url.scheme == "unix" else http.client.HTTPConnection(url.netloc, timeout=120)
        words = {key: value if isinstance(value, str) else json.dumps(value) for key, value in query.items()}
        sent = {} if body is None else {"body": json.dumps(body), "headers": {"Content-Type": "application/json"}}
        try:
            connection.request(method, f"{path}?{urlencode(words)}" if words else path, **sent)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            try:
                message = json.loads(said)["message"]
            except (ValueError, KeyError, TypeError):
                message = said.decode("utf-8", "replace")
            raise EngineError(answer.status, f"{method} {path}: {message}")
        return said

    def read(self, path: str, /, **query: object) -> object:
        return json.loads(self.ask("GET", path, **query))

    def containers(self, label: str) -> list[dict]:
        return self.read("/containers/json", all=True, filters={"label": [label]})

    def container(self, name: str) -> dict:
        return self.read(f"/containers/{name}/json")

    def image(self, name: str) -> dict:
        return self.read(f"/images/{quote(name, safe='/:@')}/json")

    def tags(self) -> list[str]:
        return [tag for image in self.read("/images/json") for tag in image["RepoTags"] or [] if tag != "<none>:<none>"]

    def files(self, container: str, path: str) -> list[tuple[tarfile.TarInfo, bytes]]:
        """What lies at a path in a container, each with its bytes; nothing where there is nothing."""
        try:
            data = self.ask("GET", f"/containers/{container}/archive", path=path)
        except EngineError as error:
            if error.status == 404:
                return []
            raise
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            return [(one, archive.extractfile(one).read() if one.isfile() else b"") for one in archive]

    def file(self, container: str, path: str) -> str | None:
        found = self.files(container, path)
        return found[0][1].decode("utf-8", "replace") if found else None

    def start(self, container: str) -> None:
        self.ask("POST", f"/containers/{container}/start")

    def stop(self, container: str, seconds: int) -> None:
        self.ask("POST", f"/containers/{container}/stop", t=seconds)

    def wait(self, container: str) -> None:
        """Waits until it does not run."""
        self.ask("POST", f"/containers/{container}/wait", condition="not-running")

    def remove(self, container: str) -> None:
        self.ask("DELETE", f"/containers/{container}", force=True, v=True)

    def remove_image(self, name: str) -> None:
        self.ask("DELETE", f"/images/{quote(name, safe='/:@')}", force=True)

    def remove_volume(self, name: str) -> None:
        self.ask("DELETE", f"/volumes/{name}", force=True)

    def create(self, body: dict) -> str:
        return json.loads(self.ask("POST", "/containers/create", body=body))["Id"]
