"""What is seen of a container: its inspection, its image, its files and what its hooks noted, in the form that is compared."""

import base64
import json
import posixpath
import re

from client import Client, EngineError
from scenario import Person, Scenario

# What is kept of `Config`, of a container and of an image.
CONFIG = (
    "User", "Env", "Cmd", "Entrypoint", "WorkingDir", "ExposedPorts", "Volumes", "Labels", "Tty", "OpenStdin", "StdinOnce",
    "AttachStdin", "AttachStdout", "AttachStderr", "Hostname", "Domainname", "StopSignal", "StopTimeout", "Healthcheck", "Shell",
)

# What is kept of `up`'s JSON; whatever else a program prints is its own affair.
UP = ("outcome", "containerId", "composeProjectName", "remoteUser", "remoteWorkspaceFolder")

# The one label that scaffold adds to a container, by how it begins.
OWN_LABEL = "dev.scaffold."

METADATA = "devcontainer.metadata"

HEX_64 = re.compile(r"[0-9a-f]{64}")
BUILT = re.compile(r"(vsc-[^\s:]*?)[0-9a-f]{64}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")
RANDOM_NAME = re.compile(r"/[a-z]+_[a-z]+\d?")


class Observer:
    """Sees containers of one engine, which is asked once what a container is like that nobody asked anything of."""

    def __init__(self, client: Client, person: Person, plain_image: str) -> None:
        self.client = client
        self.person = person
        made = client.create({"Image": plain_image})
        try:
            client.start(made)
            self.plain = client.container(made)["HostConfig"]
            self.files = {path: client.file(made, path) or "" for path in ("/etc/environment", "/etc/profile")}
        finally:
            client.remove(made)

    def find(self, scenario: Scenario) -> str | None:
        """The id of the scenario's container."""
        found = self.client.containers(f"devcontainer.local_folder={scenario.folder}")
        return found[0]["Id"] if found else None

    def container(self, id: str) -> dict:
        """The reduced inspection of a container and of its image."""
        seen = self.client.container(id)
        return {
            "Name": "<random>" if RANDOM_NAME.fullmatch(seen["Name"]) else seen["Name"],
            "Image": seen["Config"]["Image"],
            "State": {"Status": seen["State"]["Status"]},
            "Config": config(seen["Config"], own=True),
            "HostConfig": self.host_config(seen["HostConfig"]),
            "Mounts": sorted((mount(one) for one in seen["Mounts"]), key=lambda one: one["Destination"]),
            "Ports": {port: ports(one, (seen["HostConfig"]["PortBindings"] or {}).get(port)) for port, one in (seen["NetworkSettings"]["Ports"] or {}).items()},
            "Networks": sorted(seen["NetworkSettings"]["Networks"] or {}),
        }

    def host_config(self, given: dict) -> dict:
        """What is not as the engine has it for a container that nobody asked anything of."""
        kept = {key: value for key, value in given.items() if nothing(value) != nothing(self.plain.get(key)) and key != "ConsoleSize"}
        if not kept.get("RestartPolicy", {}).get("Name") or kept["RestartPolicy"]["Name"] == "no":
            kept.pop("RestartPolicy", None)
        if "Mounts" in kept:
            kept["Mounts"] = sorted(kept["Mounts"], key=lambda one: one["Target"])
        return kept

    def image(self, id: str) -> dict:
        """What the image says that a container was made of."""
        return config(self.client.image(self.client.container(id)["Image"])["Config"])

    def users(self, id: str, name: str) -> dict:
        """The remote user in a container, with the owner of what its home had from the start."""
        passwd, group = (table(self.client.file(id, path)) for path in ("/etc/passwd", "/etc/group"))
        entry = next((line for line in passwd if name in (line[0], line[2])), None)
        if entry is None:
            return {}
        of_group = next((line for line in group if line[2] == entry[3]), None)
        owners = {f"{entry[5]}/{path}": self.owner(id, f"{entry[5]}/{path}") for path in (".", "own/file")}
        return {
            "passwd": [*entry[:2], self.uid(entry[2]), self.gid(entry[3]), *entry[4:]],
            "group": of_group and [*of_group[:2], self.gid(of_group[2]), *of_group[3:]],
            "owners": {path: owner for path, owner in owners.items() if owner},
        }

    def owner(self, id: str, path: str) -> str | None:
        found = self.client.files(id, path)
        return f"{self.uid(str(found[0][0].uid))}:{self.gid(str(found[0][0].gid))}" if found else None

    def uid(self, text: str) -> str:
        return "<host uid>" if text == str(self.person.uid) else text

    def gid(self, text: str) -> str:
        return "<host gid>" if text == str(self.person.gid) else text

    def notes(self, id: str) -> list[dict]:
        """What the hooks noted. Commands of one hook, `hook:command`, run at the same time, so their order is that of their names."""
        found = [noted(line) for line in (self.client.file(id, "/log/notes") or "").splitlines()]
        ordered: list[dict] = []
        for one in found:
            hook = one["name"].partition(":")[0]
            at = len(ordered)
            while ":" in one["name"] and at and ordered[at - 1]["name"].startswith(f"{hook}:") and ordered[at - 1]["name"] > one["name"]:
                at -= 1
            ordered.insert(at, one)
        return ordered

    def markers(self, id: str) -> dict:
        """What programs note for themselves in a container."""
        state = self.client.container(id)
        times = {state["Created"]: "<created>", state["State"]["StartedAt"]: "<started>"}
        homes = {line[5].strip("/") for line in table(self.client.file(id, "/etc/passwd")) if re.match("/(root|home)", line[5])}
        found = {}
        for place in sorted([*(f"{home}/.devcontainer" for home in homes), "var/devcontainer"]):
            for entry, data in self.client.files(id, f"/{place}"):
                path = posixpath.normpath(f"/{posixpath.dirname(place)}/{entry.name}")
                text = data.decode("utf-8", "replace")
                for time, name in times.items():
                    text = text.replace(time, name)
                text = TIME.sub("<another time>", text)
                found[path] = {"owner": f"{self.uid(str(entry.uid))}:{self.gid(str(entry.gid))}", "mode": f"{entry.mode:o}"} | ({"text": text} if entry.isfile() else {})
        return found

    def etc(self, id: str) -> dict:
        """Lines that are in /etc/environment and /etc/profile, but not in those of the base image, and the reverse."""
        return {path: changed(before, self.client.file(id, path) or "") for path, before in self.files.items()}


def nothing(value: object) -> object:
    """An engine says that there is nothing in several ways."""
    return None if value in ([], {}, "", 0, False) else value


def config(given: dict, *, own: bool = False) -> dict:
    kept = {key: given[key] for key in CONFIG if nothing(given.get(key)) is not None}
    if kept.get("Shell") == ["/bin/sh", "-c"]:
        del kept["Shell"]
    if "Env" in kept:
        kept["Env"] = sorted(kept["Env"])
    if kept.get("Entrypoint") == ["/bin/sh"] and len(kept.get("Cmd", [])) > 2:
        kept["Cmd"] = [kept["Cmd"][0], in_outline(kept["Cmd"][1]), *kept["Cmd"][2:]]
    labels = dict(kept.pop("Labels", {}))
    ours = [name for name in labels if name.startswith(OWN_LABEL)]
    if own and len(ours) == 1:
        del labels[ours[0]]
    if METADATA in labels:
        try:
            labels[METADATA] = json.loads(labels[METADATA])
        except ValueError:
            pass
    return kept | ({"Labels": labels} if labels else {})


def in_outline(script: str) -> str:
    """The first process's script: what it starts stays, how it waits is each program's own."""
    lines = script.split("\n")
    if lines[0] != "echo Container started" or not lines[1].startswith("trap ") or not lines[-1].startswith("while "):
        return script
    return "\n".join(["<says that it runs, ends when told to>", *[line for line in lines[2:-2] if line], "<waits>"])


def mount(one: dict) -> dict:
    kept = {key: one[key] for key in ("Type", "Name", "Source", "Destination", "Driver", "Mode", "RW", "Propagation") if nothing(one.get(key)) is not None}
    if one["Type"] == "volume":
        # Where an engine keeps it.
        del kept["Source"]
        if HEX_64.fullmatch(kept["Name"]):
            kept["Name"] = "<anonymous>"
    return kept


def ports(bindings: list | None, asked: list | None) -> list | None:
    """Host ports that the engine chose are masked; so is the second binding that IPv6 makes."""
    if bindings is None:
        return None
    chosen = any(one["HostPort"] in ("", "0") for one in asked or [])
    found = [{"HostIp": one["HostIp"].replace("::", "0.0.0.0"), "HostPort": "<random>" if chosen else one["HostPort"]} for one in bindings]
    return [one for at, one in enumerate(found) if one not in found[:at]]


def table(text: str | None) -> list[list[str]]:
    return [line.split(":") for line in (text or "").splitlines() if line.count(":") >= 3]


def changed(before: str, after: str) -> list[str]:
    one, other = before.splitlines(), after.splitlines()
    return sorted(f"-{line}" for line in one if line not in other) + sorted(f"+{line}" for line in other if line not in one)


def noted(line: str) -> dict:
    name, user, groups, umask, cwd, tty, words, *pairs = base64.b64decode(line).decode("utf-8", "replace").split("\0")
    environment = dict(pair.partition("=")[::2] for pair in pairs if pair)
    return {"name": name, "user": user, "groups": groups, "umask": umask, "cwd": cwd, "tty": tty, "words": words, "env": environment}


def normalise(value: object, names: dict[str, str]) -> object:
    """Bring what was seen into the recorded form. These are all the rules:

    1. The container's id becomes `<id>`, its first twelve digits `<short id>`, a name that the engine chose `<random>`, an
       anonymous volume's `<anonymous>`, and a host port that the engine chose `<random>`.
    2. The folder that the case was laid out in becomes `<root>`, `${devcontainerId}`'s value `<id of the folder and file>`.
    3. The hash in the name of an image that was built, `vsc-NAME-HASH`, becomes `<hash>`.
    4. The times at which the container was made and started become `<created>` and `<started>` in marker files, and the
       uid and gid of the person who ran the program `<host uid>` and `<host gid>` in files' owners, passwd and group.
    5. Of `Config`, the keys in CONFIG are kept. Of `HostConfig`, what differs from the engine's own for a container that
       nobody asked anything of. What says nothing (null, empty, 0, false) counts as absent.
    6. How the first process waits is left out (`in_outline`), and `devcontainer.metadata` is parsed. The one label of a container that begins with OWN_LABEL is left out; two would stay.
    7. Mounts are sorted by where they are. Where an engine keeps a volume is left out. Variables are sorted, in `Env` and in
       /etc/environment, since docker's client gives them to an engine in any order.
    8. Of `up`'s JSON, the keys in UP are kept.
    9. What the image's Dockerfile left in /etc does not count: only lines that differ from the base image's do.

    The order of an object's keys does not count, that of an array does.
    """

    def text(given: str) -> str:
        for found, name in names.items():
            given = given.replace(found, name)
        return BUILT.sub(r"\1<hash>", given)

    def walk(one: object) -> object:
        if isinstance(one, str):
            return text(one)
        if isinstance(one, list):
            return [walk(each) for each in one]
        if isinstance(one, dict):
            return {text(key): walk(each) for key, each in one.items()}
        return one

    return walk(value)


def result(stdout: bytes, code: int) -> dict:
    """The kept keys of what `up` printed last, or that it failed."""
    lines = [line for line in stdout.decode("utf-8", "replace").splitlines() if line.strip()]
    if code != 0 or not lines:
        return {"outcome": "error"}
    try:
        printed = json.loads(lines[-1])
    except ValueError:
        return {"outcome": "exit code 0, without JSON"}
    return {key: printed[key] for key in UP if printed.get(key) is not None}


def names_of(id: str | None, scenario: Scenario) -> dict[str, str]:
    return ({id: "<id>", id[:12]: "<short id>"} if id else {}) | scenario.names


def gone(client: Client, id: str) -> None:
    """Remove a container with its volumes, and the images that were built for it."""
    try:
        seen = client.container(id)
    except EngineError:
        return
    client.remove(id)
    for one in seen["Mounts"]:
        if one["Type"] == "volume" and not HEX_64.fullmatch(one["Name"]):
            try:
                client.remove_volume(one["Name"])
            except EngineError as error:
                # Another case has it too, and will remove it.
                if error.status not in (404, 409):
                    raise
    if built := BUILT.match(seen["Config"]["Image"]):
        for tag in [tag for tag in client.tags() if tag.startswith(built[0])]:
            client.remove_image(tag)
