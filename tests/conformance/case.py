"""A case: a folder with `case.json`, perhaps `workspace/`, and `answer.json`; and how it is laid out to be read."""

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from registry import BadRegistry, Registry, Tls

CASES = Path(__file__).resolve().parent / "cases"

# What case.json may say; README.md tells what each means.
KEYS = {
    "about", "folder", "open", "config", "inside", "merged", "env", "git", "files", "bytes", "symlinks", "images",
    "container", "registry", "home", "programs", "says", "needs",
}

# Git as it is on no one's machine in particular.
GIT_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.test", "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.test", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}


class BadCase(Exception):
    """A case that cannot be laid out, with the reason."""


@dataclass
class Request:
    """One reading of a configuration, the same for both programs."""

    name: str
    about: str
    root: Path
    """What is machine-specific: every path below it is written `<root>/…` in answers."""
    folder: Path
    config: Path | None = None
    inside: bool = False
    """The folder is not named, but is the one the program runs in."""
    merged: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    images: dict | None = None
    container: dict | None = None
    registry: Registry | None = None
    says: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """What the reference needs on this machine beside the docker client."""
    any_image: bool = False
    """It was found in a folder: every image it names is there and says nothing, and its environment is the caller's."""

    @property
    def names(self) -> dict[str, str]:
        """What is only so in this run, and what answers call it."""
        return {str(self.root): "<root>"} | (self.registry.names if self.registry else {})


def load(name: str) -> dict:
    try:
        case = json.loads((CASES / name / "case.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadCase(f"{name}/case.json: {error}") from error
    if unknown := sorted(set(case) - KEYS):
        raise BadCase(f"{name}/case.json: `{unknown[0]}` is no key of a case; there are {', '.join(sorted(KEYS))}")
    if not case.get("about"):
        raise BadCase(f"{name}/case.json: `about` has to say what the case shows")
    return case


def lay_out(name: str, scratch: Path, tls: Tls | None = None) -> Request:
    """Make the case's workspace below `scratch`."""
    try:
        return laid_out(name, load(name), scratch, tls)
    except BadRegistry as error:
        raise BadCase(f"{name}/case.json: {error}") from error


def laid_out(name: str, case: dict, scratch: Path, tls: Tls | None) -> Request:
    root = scratch / name
    registry = Registry(case["registry"], tls) if "registry" in case else None
    workspace = root / case.get("folder", "workspace")
    (root / "home").mkdir(parents=True)
    if "worktree" in case.get("git", {}).values():
        make_repository(root / "repository", commit=True)
    for place, kind in sorted(case.get("git", {}).items()):
        make_git(root, workspace / place, kind)
    fill(workspace, CASES / name / "workspace", case)
    write(root / "home", {path: text.encode() for path, text in case.get("home", {}).items()})
    write(root / "bin", {path: text.encode() for path, text in case.get("programs", {}).items()}, mode=0o755)
    if registry:
        registry.fill_files(workspace)
        registry.fill_files(root / "home")
    folder = Path(os.path.normpath(workspace / case.get("open", ".")))
    config = Path(os.path.normpath(folder / case["config"])) if "config" in case else None
    environment, images = with_root(case.get("env", {}), root), case.get("images", {})
    if registry:
        environment, images = registry.filled(environment), registry.filled(images)
    return Request(
        name=name,
        about=case["about"],
        root=root,
        folder=folder,
        config=config,
        inside=case.get("inside", False),
        merged=case.get("merged", False),
        environment=environment,
        images=images,
        container=container(case, folder, config),
        registry=registry,
        says=tuple(case.get("says", [])),
        needs=(*case.get("needs", []), *(["openssl"] if "tarballs" in case.get("registry", {}) else [])),
    )


def make_git(root: Path, place: Path, kind: str) -> None:
    if kind == "repository":
        make_repository(place, commit=False)
    elif kind == "worktree":
        place.parent.mkdir(parents=True, exist_ok=True)
        git(root / "repository", "worktree", "add", "--quiet", "--detach", str(place))
    else:
        raise BadCase(f"`git` knows `repository` and `worktree`, not `{kind}`")


def make_repository(place: Path, *, commit: bool) -> None:
    place.mkdir(parents=True, exist_ok=True)
    git(place, "init", "--quiet", "--initial-branch", "main")
    if commit:
        git(place, "commit", "--quiet", "--allow-empty", "--message", "Begin")


def git(place: Path, *words: str) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), **GIT_ENVIRONMENT}
    done = subprocess.run(["git", *words], cwd=place, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BadCase(f"git {' '.join(words)} failed: {done.stderr.strip()}")


def fill(workspace: Path, source: Path, case: dict) -> None:
    """Copy the case's files, then make what git would mangle."""
    workspace.mkdir(parents=True, exist_ok=True)
    if source.exists():
        shutil.copytree(source, workspace, dirs_exist_ok=True)
    written = {path: text.encode("utf-8", "surrogatepass") for path, text in case.get("files", {}).items()}
    written |= {path: text.encode("latin-1") for path, text in case.get("bytes", {}).items()}
    write(workspace, written)
    for path, target in case.get("symlinks", {}).items():
        link = workspace / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)


def write(folder: Path, files: dict[str, bytes], mode: int = 0o644) -> None:
    for path, data in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        file.chmod(mode)


def with_root(value: object, root: Path) -> object:
    """A value of case.json with `<root>` filled in."""
    if isinstance(value, str):
        return value.replace("<root>", str(root))
    if isinstance(value, list):
        return [with_root(one, root) for one in value]
    if isinstance(value, dict):
        return {key: with_root(one, root) for key, one in value.items()}
    return value


def container(case: dict, folder: Path, config: Path | None) -> dict | None:
    """The case's container, with the labels by which a tool finds the one of this folder."""
    if "container" not in case:
        return None
    described = dict(case["container"])
    labels = {"devcontainer.local_folder": str(folder)}
    if described.pop("labelled", "with config file") == "with config file":
        labels["devcontainer.config_file"] = str(config or found_config(folder))
    described["labels"] = labels | described.get("labels", {})
    return described


def found_config(folder: Path) -> Path:
    places = [folder / ".devcontainer" / "devcontainer.json", folder / ".devcontainer.json"]
    return next((place for place in places if place.is_file()), places[0])


def ids(folder: Path, config: str | None) -> dict[str, str]:
    """`${devcontainerId}` of a folder, computed from its labels as the specification says, to the name it has in answers."""
    local = {"devcontainer.local_folder": str(folder)}
    named = {devcontainer_id(local): "<id of the folder>"}
    if config:
        named[devcontainer_id(local | {"devcontainer.config_file": config})] = "<id of the folder and file>"
    return named


def devcontainer_id(labels: dict[str, str]) -> str:
    text = json.dumps(labels, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    digits = ""
    while number:
        number, digit = divmod(number, 32)
        digits = "0123456789abcdefghijklmnopqrstuv"[digit] + digits
    return digits.rjust(52, "0")
