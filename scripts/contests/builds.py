"""`scaffold build` beside the docker client with buildx, and beside the reference implementation."""

import time
from pathlib import Path

from clock import Aim, Contest, Failure, Times, at_most, say, write
from ground import IMAGE, REFERENCE, Ground, require_same
from observe import config as config_of
from wire import Wire

# The aim: a build that changes nothing in at most so many times what docker takes.
UNCHANGED = 1.1

ROUNDS = 15
# A turn takes seconds.
ROUNDS_OF_MANY = 5

SCAFFOLD = "scaffold build"
BUILDX = "docker buildx build"

CONFIGURATION = {"build": {"dockerfile": "Dockerfile", "context": ".."}, "remoteUser": "dev"}

DOCKERFILE = f"""\
FROM {IMAGE}
RUN useradd --create-home dev
COPY requirements.txt /opt/
RUN sort /opt/requirements.txt
"""
FEW = {
    ".devcontainer/Dockerfile": DOCKERFILE,
    "requirements.txt": "numpy==2.3.4\npandas==2.3.3\n",
}

# Many files of no bytes: what is compared is the talk about them, and every changed build leaves all in the engine's cache.
FOLDERS = 1_000
FILES_OF_A_FOLDER = 100
MANY = FOLDERS * FILES_OF_A_FOLDER

# A file that no builder is to see. It takes no room on the disk.
LARGE = 5_000_000_000


class Build:
    """Images of which the engine has every layer, and one of a context in which a file has changed."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.sent: dict[str, dict[str, int]] = {}
        few = ground.workspace("few", CONFIGURATION, FEW)
        self.few = self.contest("build", self.lines(few, [SCAFFOLD, BUILDX, REFERENCE]), ROUNDS)
        title = f"build, {MANY:,} files"
        self.many = self.contest(title, self.lines(self.folder_of_many("many")), ROUNDS_OF_MANY)
        self.ignored = self.contest(f"{title}, {LARGE / 1e9:g} GB ignored", self.lines(self.folder_with_large()), ROUNDS_OF_MANY)
        self.contests = [self.few, self.many, self.ignored, self.changed(f"{title}, one changed")]

    def folder_of_many(self, name: str) -> Path:
        folder = self.ground.workspace(name, CONFIGURATION, {".devcontainer/Dockerfile": f"FROM {IMAGE}\nCOPY . /src\n"})
        for number in range(FOLDERS):
            below = folder / f"package_{number // 10}" / f"module_{number}"
            below.mkdir(parents=True)
            for file in range(FILES_OF_A_FOLDER):
                (below / f"file_{file}.py").touch()
        self.ground.person.owns(folder)
        return folder

    def folder_with_large(self) -> Path:
        folder = self.folder_of_many("ignored")
        write(folder / ".dockerignore", "large\n")
        with (folder / "large").open("wb") as large:
            large.truncate(LARGE)
        self.ground.person.owns(folder)
        return folder

    def lines(self, folder: Path, contenders: list[str] | None = None) -> dict[str, list[str]]:
        """The command line of each contender, which ends with the name of its image; the label says the same in each."""
        ground = self.ground
        names = {SCAFFOLD: f"{folder.name}:scaffold", BUILDX: f"{folder.name}:docker", REFERENCE: f"{folder.name}:reference"}
        scaffold = [ground.scaffold, "build", str(folder), "--tag", names[SCAFFOLD]]
        ground.run(scaffold)
        label = ground.client.image(names[SCAFFOLD])["Config"]["Labels"]["devcontainer.metadata"]
        docker = [ground.docker, "buildx", "build", "--load", "--label", f"devcontainer.metadata={label}",
                  "--file", str(folder / ".devcontainer" / "Dockerfile"), str(folder), "--tag", names[BUILDX]]
        reference = [ground.reference, "build", "--workspace-folder", str(folder), "--image-name", names[REFERENCE]]
        lines = {SCAFFOLD: scaffold, BUILDX: docker, REFERENCE: reference}
        return {contender: lines[contender] for contender in contenders or [SCAFFOLD, BUILDX]}

    def contest(self, title: str, lines: dict[str, list[str]], rounds: int) -> Contest:
        """All are proven to make the same image, and to do so once more, when every layer is there."""
        once = self.build(title, lines)
        if self.build(title, lines) != once:
            raise Failure(f"{title}: nothing has changed, and the image is another")
        return Contest(title, self.ground.lines(lines), self.ground.environment, rounds=rounds)

    def changed(self, title: str) -> Contest:
        """Before each turn, one file gets what no build has seen; after it, the image goes."""
        folder = self.folder_of_many("changed")
        lines = self.lines(folder)

        def prepare() -> None:
            (folder / "package_7" / "module_70" / "file_7.py").write_text(f"NOW = {time.time_ns()}\n")

        def clear() -> None:
            for line in lines.values():
                self.ground.remove_image(line[-1])

        once = self.build(title, lines)
        prepare()
        if self.build(title, lines) == once:
            raise Failure(f"{title}: a file has changed, and the image is the same")
        return Contest(title, self.ground.lines(lines), self.ground.environment, clear, prepare, ROUNDS_OF_MANY)

    def build(self, title: str, lines: dict[str, list[str]]) -> dict:
        """What all make, and how many bytes each sends for it."""
        ground = self.ground
        made, self.sent[title] = {}, {}
        for contender, line in lines.items():
            with Wire(ground.root / "wire", ground.client.address) as wire:
                ground.run(line, {**ground.environment, "DOCKER_HOST": wire.address})
            self.sent[title][contender] = wire.sent
            image = ground.client.image(line[-1])
            # As the conformance tests see it.
            made[contender] = {"config": config_of(image["Config"]), "layers": image["RootFS"]["Layers"]}
            require_same(title, made[SCAFFOLD], contender, made[contender])
        return made[SCAFFOLD]

    def aims(self, times: Times) -> list[Aim]:
        for title, sent in self.sent.items():
            counts = ", ".join(f"{count / 1e6:.3f} MB ({contender})" for contender, count in sent.items())
            say(f"{title}: sent to the engine {counts}")
        say("")
        return [at_most(contest, BUILDX, UNCHANGED, times) for contest in (self.few, self.many, self.ignored)]
