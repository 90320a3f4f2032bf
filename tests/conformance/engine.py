"""A case's images and container in a real engine, to see that the stand-in says what an engine says."""

import hashlib
import io
import json
import os
import subprocess
import tarfile

from case import BadCase, Request
from stand_in import CONTAINER_IMAGE, full_name


class Engine:
    """Loads what a request needs on entering, and removes it on leaving. One request at a time: they share names."""

    def __init__(self, address: str, request: Request) -> None:
        self.address = address
        self.request = request
        self.container: str | None = None
        self.loaded: list[str] = []

    def __enter__(self) -> "Engine":
        if described := self.request.container:
            self.load(CONTAINER_IMAGE, {"env": []})
            self.container = self.create(described)
        for name, image in (self.request.images or {}).items():
            self.load(name, image)
        return self

    def __exit__(self, *_: object) -> None:
        if self.container:
            self.docker("rm", "--force", self.container)
        for name in self.loaded:
            self.docker("rmi", "--force", name)

    def load(self, name: str, image: dict) -> None:
        self.docker("load", "--quiet", given=archive(name, image))
        self.loaded.append(name)

    def create(self, described: dict) -> str:
        labels = [word for name, value in described["labels"].items() for word in ("--label", f"{name}={value}")]
        variables = [word for pair in described.get("env", []) for word in ("--env", pair)]
        return self.docker("create", *labels, *variables, CONTAINER_IMAGE, "never-started").decode().strip()

    def docker(self, *words: str, given: bytes = b"") -> bytes:
        environment = {**os.environ, "DOCKER_HOST": self.address}
        done = subprocess.run(["docker", *words], input=given, env=environment, capture_output=True, check=False)
        if done.returncode != 0:
            raise BadCase(f"docker {' '.join(words)} failed: {done.stderr.decode().strip()}")
        return done.stdout


def archive(name: str, image: dict) -> bytes:
    """An image of no files, with just what case.json says of it, as `docker load` takes it."""
    layer = tar({})
    config = json.dumps(
        {
            "architecture": image.get("architecture", "amd64"),
            "os": "linux",
            "config": {
                "User": image.get("user", ""),
                "Env": image.get("env", ["PATH=/usr/local/bin:/usr/bin:/bin"]),
                "Labels": image.get("labels"),
                "Entrypoint": image.get("entrypoint"),
                "Cmd": image.get("cmd"),
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
            "history": [{"comment": name}],
        }
    ).encode()
    tagged = full_name(name).removeprefix("docker.io/library/").removeprefix("docker.io/")
    manifest = [{"Config": "config.json", "RepoTags": [tagged], "Layers": ["layer.tar"]}]
    return tar({"config.json": config, "layer.tar": layer, "manifest.json": json.dumps(manifest).encode()})


def tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as written:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            written.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
