"""A contest: the programs that take part, their times, and what is aimed at. And what it takes to run programs."""

import os
import random
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

SILENT = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in range(3)]


class Failure(Exception):
    """A step that could not be done, or contenders that do not do the same."""


@dataclass
class Setting:
    """What every contest is given."""

    scaffold: Path
    reference: Path | None
    """The reference implementation, if somebody said where it is."""
    scratch: Path
    """A folder that goes away in the end."""
    stack: ExitStack
    """What has to be stopped in the end."""

    @property
    def environment(self) -> dict[str, str]:
        """Nobody's settings. What else a program would keep, it keeps in this home."""
        home = self.scratch / "home"
        home.mkdir(exist_ok=True)
        return {"PATH": search_path(), "HOME": str(home), "LANG": "C.UTF-8"}


@dataclass
class Contest:
    title: str
    lines: dict[str, list[str]]
    """The command line of each contender; the first is the one that the others are held against."""
    environment: dict[str, str]
    clear: Callable[[], None] = lambda: None
    """What is done after each turn, outside of the time."""
    prepare: Callable[[], None] = lambda: None
    """What is done before each turn, outside of the time."""
    rounds: int = 30
    """How many rounds count, where nobody says another number."""


@dataclass
class Aim:
    words: str
    holds: bool
    found: str


# The seconds of each contender of each contest, one number a round.
Times = dict[str, dict[str, list[float]]]


def measure(contests: list[Contest], runs: int | None) -> Times:
    """The seconds that each contender took; a round before the first warms everything up. `runs` goes over what contests say."""
    times: Times = {contest.title: {contender: [] for contender in contest.lines} for contest in contests}
    rounds = {contest.title: runs or contest.rounds for contest in contests}
    for turn in range(max(rounds.values()) + 1):
        turns = [(contest, contender) for contest in contests if turn <= rounds[contest.title] for contender in contest.lines]
        # In one order for all rounds, the same contender would always find the machine as a slow one leaves it.
        for contest, contender in random.sample(turns, len(turns)):
            contest.prepare()
            seconds = wall(contest.lines[contender], contest.environment)
            if turn > 0:
                times[contest.title][contender].append(seconds)
            contest.clear()
    return times


def wall(line: list[str], environment: dict[str, str]) -> float:
    """How long a program takes, from before its start until its end is known."""
    start = time.perf_counter()
    child = os.posix_spawn(line[0], line, environment, file_actions=SILENT)
    _, status = os.waitpid(child, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise Failure(f"{shlex.join(line)} failed with code {os.waitstatus_to_exitcode(status)}")
    return seconds


def table(times: Times) -> str:
    """The median, the shortest time, and the median beside that of the first in the same contest."""
    lines = [f"{'':29}{'median':>11}{'min':>11}{'ratio':>9}"]
    for contest, contenders in times.items():
        of_first = next(iter(contenders.values()))
        lines.append(f"{contest} (rounds: {len(of_first)})")
        first = statistics.median(of_first)
        for contender, seconds in contenders.items():
            median = statistics.median(seconds)
            lines.append(f"  {contender:27}{median * 1e3:8.2f} ms{min(seconds) * 1e3:8.2f} ms{median / first:9.2f}")
    return "\n".join(lines) + "\n"


def at_most(contest: Contest, other: str, aim: float, times: Times) -> Aim:
    """What the first takes, beside another."""
    ours = statistics.median(next(iter(times[contest.title].values())))
    ratio = ours / statistics.median(times[contest.title][other])
    return Aim(f"{contest.title}: at most {aim:g} times {other}", ratio <= aim, f"{ratio:.2f}")


def each(ratios: dict[str, float]) -> str:
    return "; ".join(f"{ratio:.1f} ({what})" for what, ratio in ratios.items())


def cache(name: str) -> Path:
    """The folder of a program that is kept for the next time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scaffold-bench" / name


def pip_install(package: str, version: str, name: str) -> Path:
    """A program from PyPI, in an environment of its own."""
    folder = cache(f"{package}-{version}")
    program = folder / "bin" / name
    if not is_version(program, version):
        say(f"installing {package} {version} in {folder}")
        command([sys.executable, "-m", "venv", "--clear", folder])
        command([folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                 f"{package}=={version}"])
    return program


def is_version(program: Path, version: str) -> bool:
    try:
        return version in command([program, "--version"], environment={**os.environ, "PATH": search_path()})
    except Failure:
        return False


def tool(name: str) -> str:
    if found := shutil.which(name, path=search_path()):
        return found
    raise Failure(f"there is no {name} here")


def search_path() -> str:
    """Where programs are found; the test lab has a docker client and a Node of its own."""
    return os.environ.get("SCAFFOLD_LAB_PATH") or os.environ.get("PATH", os.defpath)


def command(line: list, *, cwd: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """Run a program and return what it printed; what a failing one said is the failure."""
    words = [str(word) for word in line]
    try:
        done = subprocess.run(words, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
    except OSError as error:
        raise Failure(f"cannot run {words[0]}: {error.strerror}") from error
    if done.returncode != 0:
        raise Failure(f"{shlex.join(words)} failed with code {done.returncode}\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


def say(text: str) -> None:
    print(text, flush=True)
