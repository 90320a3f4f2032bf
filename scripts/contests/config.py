"""`scaffold config` beside the reference implementation and devcontainer-rs, and on many dev containers at once."""

import json
import statistics
import subprocess
from pathlib import Path

from case import GIT_ENVIRONMENT, Request, make_repository
from clock import Aim, Contest, Failure, Setting, Times, cache, command, each, is_version, pip_install, say, tool, write
from compare import differences, read_answer
from stand_in import StandIn

REFERENCE = "0.89.0"
RS = "0.0.66"

# The aims: at least so many times faster than the reference, at most so many times the start of the program, and twice as
# many dev containers in at most so many times twice the time.
FASTER = 50
STARTS = 3
LINEAR = 1.2

SIZES = [10, 100, 1_000, 2_000]

IMAGE = "example.test/python:3.13"

TYPICAL = """\
// The dev container of a service, as one finds them.
{
  "name": "${localWorkspaceFolderBasename}",
  "image": "IMAGE",
  "features": {
    // Pinned, so that the container is the same next year.
    "ghcr.io/devcontainers/features/github-cli:1.0.15": {}
  },
  "containerEnv": { "PYTHONDONTWRITEBYTECODE": "1" },
  "remoteEnv": {
    "PATH": "${containerEnv:PATH}:/opt/tools/bin",
    "CACHE": "${localEnv:XDG_CACHE_HOME:/tmp}/${devcontainerId}"
  },
  "mounts": [
    "source=${localEnv:HOME}/.netrc,target=/home/dev/.netrc,type=bind,readonly",
    { "type": "volume", "source": "cache-${devcontainerId}", "target": "/home/dev/.cache" }
  ],
  "runArgs": ["--init", "--shm-size=1g"],
  "forwardPorts": [8000, "db:5432"],
  "portsAttributes": { "8000": { "label": "service", "onAutoForward": "notify" } },
  /* The locked packages, then the hooks of the repository. */
  "postCreateCommand": {
    "packages": "pip install --require-hashes --requirement requirements.txt",
    "hooks": ["git", "config", "core.hooksPath", "${containerWorkspaceFolder}/.hooks"]
  },
  "remoteUser": "dev",
  "customizations": {
    "vscode": {
      "extensions": ["ms-python.python", "charliermarsh.ruff", "tamasfe.even-better-toml"],
      "settings": {
        "python.defaultInterpreterPath": "/opt/venv/bin/python", // The one of the image.
        "python.testing.pytestEnabled": true,
        "editor.formatOnSave": true
      }
    }
  }
}
""".replace("IMAGE", IMAGE)

WITH_FEATURES = TYPICAL.replace('"ghcr.io/devcontainers/features/github-cli:1.0.15": {}',
                                '"./tools": { "version": "1.2" },\n    "./cache": {}')

FEATURES = {
    "tools": {
        "options": {"version": {"type": "string", "default": "latest"}},
        "containerEnv": {"TOOLS": "/opt/tools"},
        "customizations": {"vscode": {"extensions": ["redhat.vscode-yaml"]}},
    },
    "cache": {
        "mounts": [{"type": "volume", "source": "packages-${devcontainerId}", "target": "/var/cache/packages"}],
        "installsAfter": ["./tools"],
        "postCreateCommand": "chown dev /var/cache/packages",
    },
}

# What the image says of itself, as those of the Dev Containers project do.
LABEL = [{"id": "./common"}, {"remoteUser": "dev", "capAdd": ["SYS_PTRACE"],
                              "customizations": {"vscode": {"extensions": ["ms-python.vscode-pylance"]}}}]
IMAGES = {IMAGE: {"labels": {"devcontainer.metadata": json.dumps(LABEL)}, "user": "dev"}}


class Plain:
    """What a devcontainer.json says, its variables replaced."""

    def __init__(self, setting: Setting) -> None:
        folder = repository(setting.scratch / "plain", {".devcontainer/devcontainer.json": TYPICAL})
        lines = contenders(setting, folder, [], [])
        engine = with_engine(setting)
        agree(lines, engine, folder)
        # The reference fails without an engine. The others then need not wait for one, so the time is all their own.
        alone = {name: line for name, line in lines.items() if REFERENCE not in name}
        without_engine = {**engine, "DOCKER_HOST": f"unix://{setting.scratch}/no-engine.sock"}
        self.beside = Contest("config", lines, engine)
        self.alone = Contest("config, no engine", alone, without_engine)
        self.contests = [self.beside, self.alone]

    def aims(self, times: Times) -> list[Aim]:
        start = statistics.median(times["start"]["scaffold --version"])
        ours = statistics.median(next(iter(times[self.alone.title].values())))
        words = f"at most {STARTS} times the start of the program"
        return [faster(self.beside, times), Aim(words, ours <= STARTS * start, f"{ours / start:.1f}")]


class Merged:
    """What it comes to with the metadata of its image and its Features."""

    def __init__(self, setting: Setting) -> None:
        files = {".devcontainer/devcontainer.json": WITH_FEATURES}
        for name, metadata in FEATURES.items():
            whole = {"id": name, "version": "1.0.0", "name": name, **metadata}
            files[f".devcontainer/{name}/devcontainer-feature.json"] = json.dumps(whole, indent=2)
            files[f".devcontainer/{name}/install.sh"] = "#!/bin/sh\n"
        folder = repository(setting.scratch / "merged", files)
        lines = contenders(setting, folder, ["--merged"], ["--include-merged-configuration"])
        self.contest = Contest("config --merged", lines, with_engine(setting))
        agree(lines, self.contest.environment, folder)
        self.contests = [self.contest]

    def aims(self, times: Times) -> list[Aim]:
        return [faster(self.contest, times)]


class All:
    """Every dev container of a repository, in repositories of several sizes."""

    def __init__(self, setting: Setting) -> None:
        environment = with_engine(setting)
        self.contests = [self.contest(setting, environment, size) for size in SIZES]

    def contest(self, setting: Setting, environment: dict[str, str], size: int) -> Contest:
        folder = repository(setting.scratch / f"all-{size}", projects(size))
        line = [str(setting.scaffold), "config", "--all", "--json", str(folder)]
        found = command(line, environment=environment).count('"configFilePath"')
        if found != size:
            raise Failure(f"scaffold finds {found} dev containers, where there are {size}")
        return Contest(f"config --all, {size:,} dev containers", {"scaffold config --all": line}, environment)

    def aims(self, times: Times) -> list[Aim]:
        medians = [statistics.median(*times[contest.title].values()) for contest in self.contests]
        one = {size: median / size for size, median in zip(SIZES, medians, strict=True)}
        growth = {f"{size:,} after {smaller:,}": one[size] / one[smaller]
                  for smaller, size in zip(SIZES, SIZES[1:], strict=False)}
        last = list(growth.values())[-1]
        say("ms for each dev container: " + ", ".join(f"{time * 1e3:.3f} of {size:,}" for size, time in one.items()) + "\n")
        linear = "; ".join(f"{ratio:.2f} ({what})" for what, ratio in growth.items())
        return [Aim(f"at most {LINEAR} times linear, in the end", last <= LINEAR, linear)]


def contenders(setting: Setting, folder: Path, ours: list[str], theirs: list[str]) -> dict[str, list[str]]:
    """The command line of each, ours first."""
    question = ["read-configuration", "--workspace-folder", str(folder), *theirs]
    rs = pip_install("devcontainer-rs", RS, "devcontainer")
    return {
        "scaffold config": [str(setting.scaffold), "config", "--json", *ours, str(folder)],
        f"@devcontainers/cli {REFERENCE}": [str(reference(setting)), *question],
        f"devcontainer-rs {RS}": [str(rs), *question],
    }


def reference(setting: Setting) -> Path:
    tool("docker")
    if setting.reference:
        if not is_version(setting.reference, REFERENCE):
            raise Failure(f"{setting.reference} is not @devcontainers/cli {REFERENCE}")
        return setting.reference.absolute()
    folder = cache(f"devcontainers-cli-{REFERENCE}")
    program = folder / "node_modules" / ".bin" / "devcontainer"
    if not is_version(program, REFERENCE):
        say(f"installing @devcontainers/cli {REFERENCE} in {folder}")
        folder.mkdir(parents=True, exist_ok=True)
        command([tool("npm"), "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder,
                 f"@devcontainers/cli@{REFERENCE}"])
    return program


def with_engine(setting: Setting) -> dict[str, str]:
    """An environment in which a stand-in answers for the engine."""
    stand_in = setting.stack.enter_context(StandIn(IMAGES))
    temporary = setting.scratch / "tmp"
    temporary.mkdir(exist_ok=True)
    return {**setting.environment, **GIT_ENVIRONMENT, "USER": "someone", "TMPDIR": str(temporary),
            "DOCKER_HOST": stand_in.address}


def repository(folder: Path, files: dict[str, str]) -> Path:
    """A git repository with these files."""
    make_repository(folder, commit=False)
    for path, text in files.items():
        write(folder / path, text)
    return folder


def projects(size: int) -> dict[str, str]:
    """The files of a repository with so many dev containers, some folders deep, beside sources and what git ignores."""
    files = {".gitignore": "build/\n"}
    for number in range(size):
        project = f"team-{number % 7}/area-{number // 7 % 11}/project-{number}"
        files |= {
            f"{project}/.devcontainer/devcontainer.json": TYPICAL,
            f"{project}/.devcontainer/Dockerfile": f"FROM {IMAGE}\n",
            f"{project}/README.md": "# A project\n",
            f"{project}/pyproject.toml": "[project]\n",
            f"{project}/src/project/__init__.py": "",
            f"{project}/src/project/main.py": "print()\n",
            f"{project}/tests/test_main.py": "",
            f"{project}/build/.devcontainer/devcontainer.json": "{}",
        }
    return files


def agree(lines: dict[str, list[str]], environment: dict[str, str], folder: Path) -> None:
    """Prove that the reference answers as we do. Where another one answers otherwise, it is said."""
    request = Request(folder.name, "", folder.parent, folder)
    ours, *others = [(name, answer(name, line, environment, request)) for name, line in lines.items()]
    for name, theirs in others:
        pointers = [found.pointer for found in differences(theirs, ours[1])]
        if pointers and REFERENCE in name:
            raise Failure(f"{name} answers otherwise than scaffold: {', '.join(pointers)}")
        if pointers:
            say(f"{name} answers otherwise ({folder.name}): {', '.join(pointers)}")


def answer(name: str, line: list[str], environment: dict[str, str], request: Request) -> dict:
    done = subprocess.run(line, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    found = read_answer(done.stdout, done.returncode, request)
    if found is None:
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise Failure(f"{name} reads no configuration, and ends with code {done.returncode}\n{said}".rstrip())
    return found


def faster(contest: Contest, times: Times) -> Aim:
    ours, *theirs = map(statistics.median, times[contest.title].values())
    ratios = dict(zip(list(contest.lines)[1:], (seconds / ours for seconds in theirs), strict=True))
    words = f"{contest.title}: at least {FASTER} times faster than the reference"
    return Aim(words, ratios[f"@devcontainers/cli {REFERENCE}"] >= FASTER, each(ratios))
