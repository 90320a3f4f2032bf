"""A stand-in for a registry and a web server: the Features, tarballs and images of a case, on loopback."""

import base64
import gzip
import hashlib
import io
import json
import re
import socket
import ssl
import subprocess
import sys
import tarfile
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from stand_in import image_details

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"
IMAGE_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
FEATURE_CONFIG = "application/vnd.devcontainers"
FEATURE_LAYER = "application/vnd.devcontainers.layer.v1+tar"

# What case.json may say; README.md tells what each means.
KEYS = {"features", "tarballs", "images", "auth", "moved", "digests"}
ARTIFACT_KEYS = {
    "features": {"metadata", "files", "prefix", "gzip", "content", "served", "tags", "annotation", "manifest", "status"},
    "tarballs": {"metadata", "files", "prefix", "gzip", "content", "status"},
    "images": {"tags", "docker", "platforms", "manifest", "served", "status", "labels", "env", "user", "architecture", "entrypoint", "cmd"},
}

# The first byte of a TLS connection.
TLS_HANDSHAKE = b"\x16"


class BadRegistry(Exception):
    """A registry that cannot be made of what case.json says, with the reason."""


@dataclass
class Tls:
    """A certificate for localhost, and that of the authority that signed it, which can be trusted by naming it."""

    authority: Path
    context: ssl.SSLContext

    @staticmethod
    def make(folder: Path) -> "Tls":
        folder.mkdir()

        def make(name: str, *options: str) -> tuple[Path, Path]:
            certificate, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                 "-subj", f"/CN={name}", *options, "-keyout", str(key), "-out", str(certificate)],
                capture_output=True, check=True,
            )
            return certificate, key

        authority, signing = make("authority")
        certificate, key = make(
            "localhost", "-CA", str(authority), "-CAkey", str(signing), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-addext", "basicConstraints=critical,CA:FALSE",
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return Tls(authority, context)


@dataclass
class Answer:
    """What a GET is answered with."""

    body: bytes = b""
    kind: str = "application/octet-stream"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


class Registry:
    """What a case's `registry` says. It has its address from the start, and answers between entering and leaving."""

    def __init__(self, described: dict, tls: Tls | None = None) -> None:
        self.tls = tls
        self.server = Server(("127.0.0.1", 0), self)
        self.address = f"localhost:{self.server.server_port}"
        self.names = {self.address: "<registry>"}
        self.described = described
        self.auth = described.get("auth")
        self.manifests: dict[tuple[str, str], Answer] = {}
        self.blobs: dict[tuple[str, str], Answer] = {}
        self.tarballs: dict[str, Answer] = {}
        check(described)
        for kind, make in (("features", self.add_feature), ("tarballs", self.add_tarball), ("images", self.add_image)):
            for name, one in described.get(kind, {}).items():
                make(name, self.filled(one))

    def __enter__(self) -> "Registry":
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def filled(self, value: object) -> object:
        """A value with `<registry>` and `<digest of …>` filled in, as far as the digests are known yet."""
        if isinstance(value, str):
            return self.filled_bytes(value.encode()).decode()
        if isinstance(value, list):
            return [self.filled(one) for one in value]
        if isinstance(value, dict):
            return {self.filled(key): self.filled(one) for key, one in value.items()}
        return value

    def filled_bytes(self, data: bytes) -> bytes:
        for real, name in self.names.items():
            data = data.replace(name.encode(), real.encode())
        if unknown := re.search(rb"<digest of [^>]*>", data):
            raise BadRegistry(f"`{unknown[0].decode()}` is the digest of nothing that was made before it")
        return data

    def fill_files(self, folder: Path) -> None:
        for file in folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                data = file.read_bytes()
                if (filled := self.filled_bytes(data)) != data:
                    file.write_bytes(filled)

    def add_feature(self, full: str, one: dict) -> None:
        name, _ = split(full)
        layer, config = archive(one), b"{}"
        annotation = one.get("annotation", one.get("metadata"))
        title = f"devcontainer-feature-{name.rpartition('/')[2]}.tgz"
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(FEATURE_CONFIG, config),
            "layers": [{**descriptor(FEATURE_LAYER, layer), "annotations": {"org.opencontainers.image.title": title}}],
            "annotations": {"dev.containers.metadata": text(annotation), "com.github.package.type": "devcontainer_feature"},
        }
        if annotation is False or annotation is None:
            del manifest["annotations"]["dev.containers.metadata"]
        self.remember(layer, f"<digest of the layer of {full}>")
        for place, _ in places(full, one):
            self.add_blob(place, config)
            self.add_blob(place, layer, one.get("served"))
        self.add_manifest(full, one, manifest, MANIFEST)

    def add_manifest(self, full: str, one: dict, manifest: dict, kind: str) -> None:
        change = one.get("manifest", {})
        if isinstance(change, dict):
            manifest = {key: value for key, value in {**manifest, **change}.items() if value is not None}
        data = change.encode() if isinstance(change, str) else compact(manifest).encode()
        self.remember(data, f"<digest of {full}>")
        said = (("Docker-Content-Digest", digest(data)),) if self.described.get("digests", True) else ()
        answer = Answer(data, kind, headers=said)
        if "status" in one:
            answer = Answer(errors("UNKNOWN", "the stand-in does not want to"), "application/json", one["status"])
        for place, reference in places(full, one):
            self.manifests[place, reference] = self.manifests[place, digest(data)] = answer

    def add_blob(self, name: str, data: bytes, served: object = None) -> None:
        self.blobs[name, digest(data)] = Answer(data if served is None else text(served).encode())

    def add_tarball(self, path: str, one: dict) -> None:
        data = archive({"gzip": True, **one})
        self.remember(data, f"<digest of {path}>")
        self.tarballs[f"/{path}"] = Answer(data, "application/gzip", one.get("status", 200))

    def add_image(self, full: str, one: dict) -> None:
        name, _ = split(full)
        docker = one.get("docker", False)
        if "platforms" not in one:
            self.add_manifest(full, one, self.image_manifest(name, full, one, docker), DOCKER_MANIFEST if docker else MANIFEST)
            return
        entries = []
        for platform, image in one["platforms"].items():
            system, architecture, *variant = platform.split("/")
            data = compact(self.image_manifest(name, full, {**image, "architecture": architecture}, docker)).encode()
            kind = DOCKER_MANIFEST if docker else MANIFEST
            self.manifests[name, digest(data)] = Answer(data, kind, headers=(("Docker-Content-Digest", digest(data)),))
            where = {"architecture": architecture, "os": system, **({"variant": variant[0]} if variant else {})}
            entries.append({**descriptor(kind, data), "platform": where})
        kind = DOCKER_INDEX if docker else INDEX
        self.add_manifest(full, one, {"schemaVersion": 2, "mediaType": kind, "manifests": entries}, kind)

    def image_manifest(self, name: str, full: str, image: dict, docker: bool) -> dict:
        details = image_details(full, image)
        described = {"architecture": details["Architecture"], "os": "linux", "config": details["Config"],
                     "rootfs": {"type": "layers", "diff_ids": []}}
        config = compact(described).encode()
        self.add_blob(name, config, image.get("served"))
        layer = gzip.compress(b"", mtime=0)
        return {"schemaVersion": 2, "mediaType": DOCKER_MANIFEST if docker else MANIFEST,
                "config": descriptor("application/vnd.docker.container.image.v1+json" if docker else IMAGE_CONFIG, config),
                "layers": [descriptor(IMAGE_LAYER, layer)]}

    def remember(self, data: bytes, name: str) -> None:
        """The same bytes keep the name that they had first."""
        self.names.setdefault(digest(data), name)

    def answer(self, url: str, headers: dict, form: dict) -> Answer:
        parts = urlsplit(url)
        path = unquote(parts.path)
        if found := self.tarballs.get(path.removeprefix("/moved")):
            return moved_to(path) if self.described.get("moved") and path in self.tarballs else found
        if path == "/token" and self.auth:
            return self.token(parse_qs(parts.query), headers, form)
        if moved := re.fullmatch(r"/moved/(.+)/(sha256:[0-9a-f]{64})", path):
            return self.blobs[moved[1], moved[2]]
        named = re.fullmatch(r"/v2/(?:(.+)/(manifests|blobs|tags)/([^/]+))?", path)
        if not named:
            return Answer(b"404 page not found\n", "text/plain", 404)
        name, what, reference = named.groups()
        if refused := self.refused(name or "", headers):
            return refused
        if what == "manifests":
            return self.manifests.get((name, reference)) or missing("MANIFEST_UNKNOWN", "manifest unknown")
        if what == "blobs":
            return self.blob(name, reference)
        if what == "tags":
            tags = sorted(tag for one, tag in self.manifests if one == name and ":" not in tag)
            return in_json({"name": name, "tags": tags}) if tags else missing("NAME_UNKNOWN", "repository name not known to registry")
        return in_json({})

    def blob(self, name: str, reference: str) -> Answer:
        found = self.blobs.get((name, reference)) or missing("BLOB_UNKNOWN", "blob unknown to registry")
        if found.status == 200 and self.described.get("moved"):
            return moved_to(f"/{name}/{reference}")
        return found

    def refused(self, name: str, headers: dict) -> Answer | None:
        """Why a request is not let in, or None. A token is good for one repository."""
        if not self.auth:
            return None
        given = headers.get("authorization", "")
        if self.auth["scheme"] == "basic":
            wanted, challenge = f"Basic {self.credential()}", 'Basic realm="stand-in"'
        else:
            scope = f"repository:{name}:pull"
            wanted = f"Bearer {token_for(scope)}"
            challenge = f'Bearer realm="http://{self.address}/token",service="stand-in",scope="{scope}"'
        if given == wanted:
            return None
        return Answer(errors("UNAUTHORIZED", "authentication required"), "application/json", 401, (("WWW-Authenticate", challenge),))

    def token(self, query: dict, headers: dict, form: dict) -> Answer:
        wanted = query | form
        given = headers.get("authorization")
        if "identity" in self.auth:
            allowed = form.get("grant_type") == ["refresh_token"] and form.get("refresh_token") == [self.auth["identity"]]
        else:
            allowed = given == f"Basic {self.credential()}" if "user" in self.auth else given is None
        if not allowed or wanted.get("service") != ["stand-in"] or "scope" not in wanted:
            return Answer(errors("UNAUTHORIZED", "authentication required"), "application/json", 401)
        return in_json({self.auth.get("answers", "token"): token_for(wanted["scope"][0])})

    def credential(self) -> str:
        return base64.b64encode(f"{self.auth['user']}:{self.auth['password']}".encode()).decode()


class Server(ThreadingHTTPServer):
    """Takes TLS and plain HTTP on one port. Where there is no certificate, a TLS connection is closed."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], registry: Registry) -> None:
        super().__init__(address, handler(registry))
        self.registry = registry

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        if request.recv(1, socket.MSG_PEEK) != TLS_HANDSHAKE:
            super().finish_request(request, client_address)
        elif self.registry.tls:
            with self.registry.tls.context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        else:
            request.recv(1 << 16)

    def handle_error(self, request: socket.socket, client_address: object) -> None:
        """A client that goes away, or trusts no certificate of ours, is no concern of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:  # noqa: N802
            headers = {name.lower(): value for name, value in self.headers.items()}
            found = registry.answer(self.path, headers, parse_qs(self.content().decode("utf-8", "replace")))
            self.send_response(found.status)
            self.send_header("Content-Type", found.kind)
            self.send_header("Content-Length", str(len(found.body)))
            for name, value in found.headers:
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(found.body)

        do_HEAD = do_GET
        do_POST = do_GET

        def content(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            data = b""
            while length := int(self.rfile.readline(), 16):
                data += self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()
            return data

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def check(described: dict) -> None:
    known = [("registry", KEYS, described)]
    known += [(name, keys, one) for kind, keys in ARTIFACT_KEYS.items() for name, one in described.get(kind, {}).items()]
    for where, keys, one in known:
        if unknown := sorted(set(one) - keys):
            raise BadRegistry(f"`{where}`: `{unknown[0]}` is no key of it; there are {', '.join(sorted(keys))}")


def split(full: str) -> tuple[str, str]:
    name, colon, tag = full.rpartition(":")
    if not colon:
        raise BadRegistry(f"`{full}` has no tag")
    return name, tag


def places(full: str, one: dict) -> list[tuple[str, str]]:
    """Each name and tag that an artifact has; one of `tags` may be of another name."""
    name, tag = split(full)
    return [(name, tag), *(split(other) if "/" in other else (name, other) for other in one.get("tags", []))]


def archive(one: dict) -> bytes:
    """A Feature's files as a tar file that is the same on every machine."""
    if "content" in one:
        return one["content"].encode()
    prefix = one.get("prefix", "./")
    files = {"install.sh": "true\n"} | one.get("files", {})
    if one.get("metadata") is not None:
        files["devcontainer-feature.json"] = one["metadata"]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as written:
        for path, value in sorted(files.items()):
            data = text(value).encode()
            entry = tarfile.TarInfo(f"{prefix}{path}")
            entry.size = len(data)
            written.addfile(entry, io.BytesIO(data))
    data = buffer.getvalue()
    return gzip.compress(data, mtime=0) if one.get("gzip") else data


def text(value: object) -> str:
    return value if isinstance(value, str) else compact(value)


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def descriptor(kind: str, data: bytes) -> dict:
    return {"mediaType": kind, "digest": digest(data), "size": len(data)}


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def token_for(scope: str) -> str:
    return hashlib.sha256(scope.encode()).hexdigest()


def in_json(value: object) -> Answer:
    return Answer(compact(value).encode(), "application/json")


def moved_to(path: str) -> Answer:
    return Answer(status=307, headers=(("Location", f"/moved{path}"),))


def missing(code: str, message: str) -> Answer:
    return Answer(errors(code, message), "application/json", 404)


def errors(code: str, message: str) -> bytes:
    return compact({"errors": [{"code": code, "message": message, "detail": None}]}).encode()
