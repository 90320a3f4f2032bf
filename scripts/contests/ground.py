"""The ground of the contests that need an engine: that engine, whoever runs the programs, and what is made for them."""

import json
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

import config
from case import GIT_ENVIRONMENT
from client import Client, EngineError
from clock import Failure, Setting, command, say, tool, write
from compare import differences
from observe import Observer, normalise
from scenario import Person

IMAGE = "debian:bookworm-slim"

# Beyond loopback there is a proxy that does not answer.
NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "localhost,127.0.0.1"}

REFERENCE = f"@devcontainers/cli {config.REFERENCE}"


class NoEngine(Failure):
    """Nobody answers where the engine should."""


def reach() -> Client:
    """The engine that `DOCKER_HOST` names, or that of the machine."""
    address = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if not address.startswith(("unix://", "tcp://")):
        raise NoEngine(f"DOCKER_HOST is `{address}`, and only unix:// and tcp:// can be asked")
    client = Client(address)
    try:
        client.ask("GET", "/_ping")
    except (OSError, EngineError) as error:
        raise NoEngine(f"no engine answers at {address}") from error
    return client


class Ground:
    """Made on entering; on leaving, nothing of it is left in the engine but its cache of builds."""

    def __init__(self, setting: Setting, client: Client) -> None:
        self.setting = setting
        self.client = client
        self.name = f"scaffold-bench-{secrets.token_hex(4)}"
        """What every name begins with that the engine gets to know."""
        self.root = setting.scratch / self.name
        self.person = Person.ordinary(os.environ.get("SCAFFOLD_LAB_USER"))
        """Who runs the programs: an ordinary person, where root knows one."""
        self.start = [tool(self.person.start[0]), *self.person.start[1:]] if self.person.start else []
        self.docker = tool("docker")
        self.reference = str(config.reference(setting))
        self.scaffold = str(self.root / "scaffold")
        home = self.root / "home"
        docker_config = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
        self.environment = {
            **setting.environment, **GIT_ENVIRONMENT, **NO_NETWORK, "HOME": str(home), "TMPDIR": str(self.root / "tmp"),
            "USER": "someone", "DOCKER_HOST": client.address, "DOCKER_CONFIG": docker_config,
            # Buildx writes there; and it is to make the image that is asked for, and nothing beside it.
            "BUILDX_CONFIG": str(home / "buildx"), "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
        }

    def __enter__(self) -> "Ground":
        for name in ("home", "tmp"):
            (self.root / name).mkdir(parents=True)
        # The person may not be able to reach the folder that cargo builds in.
        shutil.copy(self.setting.scaffold, self.scaffold)
        self.person.owns(self.root)
        self.setting.scratch.chmod(0o711)
        try:
            self.client.image(IMAGE)
        except EngineError:
            self.run([self.docker, "pull", "--quiet", IMAGE])
        self.observer = Observer(self.client, self.person, IMAGE)
        who = f"user {self.person.uid}" if self.person.uid else "root"
        say(f"the engine at {self.client.address}, asked by {who}")
        return self

    def __exit__(self, *_: object) -> None:
        for container in self.client.containers("devcontainer.local_folder"):
            if self.name in container["Labels"]["devcontainer.local_folder"]:
                self.client.remove(container["Id"])
        for tag in self.client.tags():
            if self.name in tag:
                self.remove_image(tag)

    def lines(self, lines: dict[str, list[str]]) -> dict[str, list[str]]:
        """The same command lines, run by the person."""
        return {contender: [*self.start, *line] for contender, line in lines.items()}

    def run(self, line: list, environment: dict[str, str] | None = None) -> str:
        return command([*self.start, *line], environment=environment or self.environment)

    def folder(self, name: str, files: dict[str, str]) -> Path:
        """A folder of the person's."""
        folder = self.root / f"{self.name}-{name}"
        for path, text in files.items():
            write(folder / path, text)
        self.person.owns(folder)
        return folder

    def workspace(self, name: str, configuration: dict, files: dict[str, str] | None = None) -> Path:
        """One with a dev container."""
        return self.folder(name, {".devcontainer/devcontainer.json": json.dumps(configuration), **(files or {})})

    def container(self, folder: Path) -> str:
        """The id of the one container of a folder."""
        found = self.client.containers(f"devcontainer.local_folder={folder}")
        if len(found) != 1:
            raise Failure(f"{folder} has {len(found)} containers, where there should be one")
        return found[0]["Id"]

    def seen(self, folder: Path) -> object:
        """What can be seen of the container of a folder, in the form in which the conformance tests compare it."""
        id = self.container(folder)
        seen = {"container": self.observer.container(id), "markers": self.observer.markers(id)}
        return normalise(seen, {id: "<id>", id[:12]: "<short id>"})

    def clear(self, folder: Path) -> None:
        for container in self.client.containers(f"devcontainer.local_folder={folder}"):
            self.client.remove(container["Id"])

    def remove_image(self, name: str) -> None:
        """Removes an image; one that is not there is removed."""
        with suppress(EngineError):
            self.client.remove_image(name)


def require_same(what: str, ours: object, contender: str, theirs: object, *, but: tuple[str, ...] = ()) -> None:
    """Both did the same, but for what lies below the pointers in `but`."""
    found = [one for one in differences(theirs, ours) if not one.pointer.startswith(but)]
    if found:
        named = "; ".join(f"{one.pointer} is {one.reference!r} there and {one.ours!r} here" for one in found)
        raise Failure(f"{contender} does otherwise than scaffold in {what}: {named}")
