"""A case of `up`: a folder with `case.json`, perhaps `workspace/`, and `answer.json`; and how it is laid out."""

import json
import os
import pwd
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from case import BadCase, fill, found_config, ids, make_git, make_repository, with_root, write  # noqa: E402

HERE = Path(__file__).resolve().parent
CASES = HERE / "cases"
DOCKERFILE = HERE / "images" / "Dockerfile"

# What case.json may say; README.md tells what each means.
KEYS = {"about", "folder", "open", "config", "env", "git", "files", "symlinks", "then", "says", "buildkit", "ends"}


@dataclass
class Person:
    """Who runs the programs: root lets an ordinary user do it, anyone else does it."""

    uid: int
    gid: int
    start: tuple[str, ...] = ()

    @staticmethod
    def ordinary(user: str | None) -> "Person":
        if os.getuid() != 0 or not user:
            return Person(os.getuid(), os.getgid())
        entry = pwd.getpwnam(user)
        return Person(entry.pw_uid, entry.pw_gid, ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"))

    def owns(self, folder: Path) -> None:
        if os.getuid() == 0 != self.uid:
            for place, folders, files in os.walk(folder):
                for name in (".", *folders, *files):
                    os.lchown(Path(place) / name, self.uid, self.gid)


@dataclass
class Scenario:
    """One case, laid out below a folder of its own."""

    name: str
    root: Path
    """Every path below it is written `<root>/…` in answers."""
    folder: Path
    config: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)
    then: dict[str, str] = field(default_factory=dict)
    buildkit: bool = True
    ends: bool = False
    """Whether its container ends by itself, at once."""
    laid_out: dict[str, bytes] = field(default_factory=dict)

    @property
    def names(self) -> dict[str, str]:
        """What is only so in this run, and what answers call it."""
        return {str(self.root): "<root>"} | ids(self.folder, str(self.config or found_config(self.folder)))

    def change(self) -> None:
        """Write what the case says to write before the second `up`."""
        write(self.folder, {path: text.encode() for path, text in self.then.items()})
        self.laid_out = self.laid_out | {str((self.folder / path).relative_to(self.root)): text.encode() for path, text in self.then.items()}

    def new_files(self) -> dict[str, bytes]:
        """What lies in the case's folder that was not laid out, or is not as it was."""
        return {path: data for path, data in files_below(self.root).items() if self.laid_out.get(path) != data}


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


def lay_out(name: str, scratch: Path, person: Person) -> Scenario:
    """Make the case's workspace below `scratch`, afresh."""
    case, root = load(name), scratch / name
    shutil.rmtree(root, ignore_errors=True)
    workspace = root / case.get("folder", "workspace")
    for folder in ("home", "tmp"):
        (root / folder).mkdir(parents=True)
    if "worktree" in case.get("git", {}).values():
        make_repository(root / "repository", commit=True)
    for place, kind in sorted(case.get("git", {}).items()):
        make_git(root, workspace / place, kind)
    fill(workspace, CASES / name / "workspace", case)
    folder = Path(os.path.normpath(workspace / case.get("open", ".")))
    person.owns(root)
    return Scenario(
        name=name,
        root=root,
        folder=folder,
        config=Path(os.path.normpath(folder / case["config"])) if "config" in case else None,
        environment=with_root(case.get("env", {}), root),
        then=case.get("then", {}),
        buildkit=case.get("buildkit", True),
        ends=case.get("ends", False),
        laid_out=files_below(root),
    )


def files_below(root: Path) -> dict[str, bytes]:
    found = {}
    for place, folders, files in os.walk(root):
        if Path(place) == root:
            folders[:] = sorted(set(folders) - {"home", "tmp", "repository"})
        folders[:] = [one for one in folders if one != ".git"]
        for name in files:
            file = Path(place) / name
            found[str(file.relative_to(root))] = b"" if file.is_symlink() else file.read_bytes()
    return found


def images_of(names: list[str]) -> list[str]:
    """The stages of the images' Dockerfile that cases name, in its order."""
    order = re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE.read_text("utf-8"), re.M)
    wanted = set()
    for name in names:
        for file in (CASES / name).rglob("*"):
            if file.is_file() and file.name != "answer.json":
                wanted |= set(re.findall(r"\bup/([a-z-]+)", file.read_text("utf-8", "replace")))
    if unknown := sorted(wanted - set(order)):
        raise BadCase(f"there is no image `up/{unknown[0]}` in images/Dockerfile")
    return [one for one in order if one in wanted]


def build(stage: str, person: Person) -> None:
    arguments = ["--build-arg", f"UID={person.uid}", "--build-arg", f"GID={person.gid}"]
    line = [*person.start, "docker", "buildx", "build", "--quiet", "--load", "--target", stage, *arguments, "--tag", f"up/{stage}", "-"]
    # The person may not be able to read this folder.
    context = subprocess.run(["tar", "--create", "--directory", DOCKERFILE.parent, "."], capture_output=True, check=True).stdout
    done = subprocess.run(line, input=context, capture_output=True, check=False)
    if done.returncode != 0:
        raise BadCase(f"up/{stage} cannot be built: {done.stderr.decode('utf-8', 'replace').strip()}")
