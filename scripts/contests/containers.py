"""`scaffold up`, `exec` and `down` beside the reference implementation and the docker client."""

import subprocess
import time
from pathlib import Path

from clock import Aim, Contest, Failure, Times, at_most, say
from ground import IMAGE, REFERENCE, Ground, require_same
from observe import result

# The aims: a new container in at most so many times what `docker run` takes, one that runs already in less than so many times
# what the reference takes, and a command in it in at most so many times what `docker exec` takes.
COLD = 1.15
WARM = 0.1
COMMAND = 1.0

# A turn takes seconds, or has to be prepared for as long.
ROUNDS = 15

PLAIN = {"image": IMAGE, "userEnvProbe": "none", "updateRemoteUserUID": False}

# The uid of a user that is nobody's on a desk.
DOCKERFILE = f"FROM {IMAGE}\nRUN useradd --uid 4321 --create-home --shell /bin/bash dev\n"

# `docker run --detach` attaches to nothing, and does nothing in the container.
OF_DOCKER_RUN = ("/container/Config/Attach", "/markers")


class Up:
    """A container that is made and started, and one that is there already."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.plain = self.cold("no probe, no uid", PLAIN)
        others = [self.cold("as one writes it", {"image": IMAGE})]
        if ground.person.uid == 0:
            say("left out: a user who gets the person's uid, since root has none to give; SCAFFOLD_LAB_USER names another person")
        else:
            image = f"{ground.name}:user"
            context = ground.folder("user-image", {"Dockerfile": DOCKERFILE})
            ground.run([ground.docker, "buildx", "build", "--quiet", "--load", "--tag", image, context])
            others.append(self.cold("a user gets the uid", {"image": image, "remoteUser": "dev"}))
        self.warm = self.running()
        self.contests = [self.plain, *others, self.warm]

    def cold(self, title: str, configuration: dict) -> Contest:
        """The container is made and started; all images are there."""
        ground = self.ground
        folder = ground.workspace(title.replace(",", "").replace(" ", "-"), configuration)
        lines = up_lines(ground, folder)
        ground.run(lines["scaffold up"])
        ours = ground.seen(folder)
        lines["docker run --detach"] = docker_run(ground, folder)
        ground.clear(folder)
        for contender, line in list(lines.items())[1:]:
            ground.run(line)
            but = OF_DOCKER_RUN if contender.startswith("docker") else ()
            require_same(f"up, {title}", ours, contender, ground.seen(folder), but=but)
            ground.clear(folder)
        return Contest(f"up, new: {title}", ground.lines(lines), ground.environment, lambda: ground.clear(folder), rounds=ROUNDS)

    def running(self) -> Contest:
        """The container is there and runs, so that only that is found out."""
        ground = self.ground
        folder = ground.workspace("running", PLAIN)
        lines = up_lines(ground, folder)
        ground.run(lines["scaffold up"])
        id = ground.container(folder)
        said = {contender: result(ground.run(line).encode(), 0) for contender, line in lines.items()}
        if said[REFERENCE] != said["scaffold up"] or ground.container(folder) != id:
            raise Failure(f"up of a container that runs: one says {said[REFERENCE]}, and the other {said['scaffold up']}")
        return Contest("up, running", ground.lines(lines), ground.environment)

    def aims(self, times: Times) -> list[Aim]:
        return [
            at_most(self.plain, "docker run --detach", COLD, times),
            at_most(self.warm, REFERENCE, WARM, times),
        ]


class Exec:
    """A command that does nothing, in a container that runs."""

    def __init__(self, ground: Ground) -> None:
        folder = ground.workspace("exec", {"image": IMAGE})
        ground.run(up_lines(ground, folder)["scaffold up"])
        id = ground.container(folder)
        inside = f"/workspaces/{folder.name}"

        def lines(*words: str) -> dict[str, list[str]]:
            return {
                "scaffold exec": [ground.scaffold, "exec", str(folder), "--", *words],
                "docker exec": [ground.docker, "exec", "--user", "root", "--workdir", inside, id, *words],
                REFERENCE: [ground.reference, "exec", "--workspace-folder", str(folder), *words],
            }

        for contender, line in ground.lines(lines("sh", "-c", "id; pwd; exit 3")).items():
            done = subprocess.run(line, env=ground.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  check=False)
            if done.returncode != 3 or done.stdout.split() != ["uid=0(root)", "gid=0(root)", "groups=0(root)", inside]:
                said = f"{done.stdout}{done.stderr}".rstrip()
                raise Failure(f"{contender} runs a command otherwise, with code {done.returncode}\n{said}")
        self.contest = Contest("exec true", ground.lines(lines("true")), ground.environment)
        self.contests = [self.contest]

    def aims(self, times: Times) -> list[Aim]:
        return [at_most(self.contest, "docker exec", COMMAND, times)]


class Down:
    """A container that runs, and is gone. The docker client kills it, scaffold lets it end by itself."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.folder = ground.workspace("down", PLAIN)
        ground.run(up_lines(ground, self.folder)["scaffold up"])
        name = f"{ground.name}-down"
        self.start = docker_run(ground, self.folder, "--name", name)
        ground.clear(self.folder)
        lines = {
            "scaffold down": [ground.scaffold, "down", str(self.folder)],
            "docker rm --force": [ground.docker, "rm", "--force", name],
        }
        for contender, line in lines.items():
            self.prepare()
            ground.run(line)
            if ground.client.containers(f"devcontainer.local_folder={self.folder}"):
                raise Failure(f"{contender} leaves the container")
        self.contests = [Contest("down", ground.lines(lines), ground.environment, prepare=self.prepare, rounds=ROUNDS)]

    def prepare(self) -> None:
        """A container that answers to the signal that ends it: its first process does so soon after it has said that it runs."""
        id = self.ground.run(self.start).strip()
        while b"Container started" not in self.ground.client.ask("GET", f"/containers/{id}/logs", stdout=True):
            time.sleep(0.01)
        time.sleep(0.05)

    def aims(self, times: Times) -> list[Aim]:
        return []


def up_lines(ground: Ground, folder: Path) -> dict[str, list[str]]:
    return {
        "scaffold up": [ground.scaffold, "up", "--json", str(folder)],
        REFERENCE: [ground.reference, "up", "--workspace-folder", str(folder)],
    }


def docker_run(ground: Ground, folder: Path, *options: str) -> list[str]:
    """What one would have to type for the container that a folder has."""
    seen = ground.client.container(ground.container(folder))
    [mount] = seen["HostConfig"]["Mounts"]
    labels = [word for name, value in seen["Config"]["Labels"].items() for word in ("--label", f"{name}={value}")]
    [entrypoint] = seen["Config"]["Entrypoint"]
    return [ground.docker, "run", "--detach", *options, *labels, "--mount",
            f"type={mount['Type']},source={mount['Source']},target={mount['Target']}", "--entrypoint", entrypoint,
            seen["Config"]["Image"], *seen["Config"]["Cmd"]]
