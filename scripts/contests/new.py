"""`scaffold new` beside `cp -r`, copier and cookiecutter.

For the templates `library` and `python`, the time that each takes to make the same project: scaffold from its template;
`cp -r` from the finished project; copier and cookiecutter from templates that are made here of a project, with name and
package as variables in the same places, paths included, and every other file marked to be copied.
"""

import json
import os
import re
import statistics
from pathlib import Path

from clock import Aim, Contest, Failure, Setting, Times, command, each, pip_install, tool, write

TEMPLATES = ["library", "python"]
PEERS = {"copier": "9.19.1", "cookiecutter": "2.7.1"}

# The aims: less than so many times as long as `cp -r`, at least so many times faster than a peer, at most so many bytes.
COPIES = 3
FASTER = 20
# TLS for registries and BuildKit's session take about half of it.
BYTES = 8_000_000

# The project that is made and timed, and the one that the peers' templates are made of.
NAME = "Heron Ledger"
PATTERN = "Quokka Census"

# Holds hashes of the other files, so it says something else for every name.
RECEIPT = ".scaffold.json"


class New:
    """A folder in which each contender makes its project at the same place."""

    def __init__(self, setting: Setting) -> None:
        self.scaffold = setting.scaffold
        self.scratch = setting.scratch
        self.environment = setting.environment
        self.peers = {name: pip_install(name, version, name) for name, version in PEERS.items()}
        # What is measured works in `out`. cookiecutter names the project's folder itself, the others are told the name.
        self.out = self.scratch / "out"
        self.project = self.out / snake(NAME)
        self.kept = self.scratch / "kept"
        for folder in (self.out, self.kept):
            folder.mkdir()
        self.contests = [self.contest(template) for template in TEMPLATES]

    def contest(self, template: str) -> Contest:
        """The command line of each contender, all proven to make the same project."""
        folder = self.scratch / template
        pattern = folder / "pattern"
        finished = folder / "finished"
        for project, name in ((pattern, PATTERN), (finished, NAME)):
            command(self.scaffold_line(template, project, name), environment=self.environment)
        copier_template(pattern, folder / "copier")
        cookiecutter_template(pattern, folder / "cookiecutter")
        lines = {
            "scaffold new": self.scaffold_line(template, self.project, NAME),
            "cp -r": [tool("cp"), "-r", str(finished), str(self.project)],
            "copier": [str(self.peers["copier"]), "copy", "--quiet", "--defaults", "--data", f"name={NAME}",
                       str(folder / "copier"), str(self.project)],
            "cookiecutter": [str(self.peers["cookiecutter"]), "--no-input", "--output-dir", str(self.out),
                             str(folder / "cookiecutter"), f"name={NAME}"],
        }
        expected = tree(finished)
        for contender, line in lines.items():
            command(line, environment=self.environment)
            require_same(contender, template, expected, tree(self.project))
            self.clear()
        lines = {f"{name} {PEERS[name]}" if name in PEERS else name: line for name, line in lines.items()}
        return Contest(f"new, {template}, {len(expected)} files", lines, self.environment, self.clear)

    def scaffold_line(self, template: str, project: Path, name: str) -> list[str]:
        return [str(self.scaffold), "new", str(project), "--template", template, "--name", name]

    def clear(self) -> None:
        """Make room for the next project. Nothing is deleted before the end, since that slows ext4 down for minutes."""
        self.out.rename(self.kept / str(len(os.listdir(self.kept))))
        self.out.mkdir()

    def aims(self, times: Times) -> list[Aim]:
        copies: dict[str, float] = {}
        faster: dict[str, float] = {}
        for template, contest in zip(TEMPLATES, self.contests, strict=True):
            ours, copy, *peers = map(statistics.median, times[contest.title].values())
            copies[template] = ours / copy
            faster |= {f"{peer}, {template}": seconds / ours for peer, seconds in zip(PEERS, peers, strict=True)}
        size = self.scaffold.stat().st_size
        return [
            Aim(f"under {COPIES} times `cp -r`", max(copies.values()) < COPIES, each(copies)),
            Aim(f"at least {FASTER} times faster than a peer", min(faster.values()) >= FASTER, each(faster)),
            Aim(f"binary of at most {BYTES / 1e6:g} MB", size <= BYTES, f"{size / 1e6:.2f} MB"),
        ]


def copier_template(pattern: Path, template: Path) -> None:
    """A template of copier's that makes what the pattern is; what ends in .jinja is rendered, all else is copied."""
    questions = {
        "name": {"type": "str", "default": "Example"},
        "package": {"type": "str", "default": "{{ name|lower|replace(' ', '_') }}"},
    }
    for path, text in tree(pattern).items():
        rendered = variables(text.decode(), "")
        target = template / (variables(path, "") or path)
        write(target.with_name(f"{target.name}.jinja") if rendered else target, rendered or text)
    write(template / "copier.yml", json.dumps(questions))


def cookiecutter_template(pattern: Path, template: Path) -> None:
    """A template of cookiecutter's that makes what the pattern is; what needs no rendering is copied."""
    copied = []
    for path, text in tree(pattern).items():
        rendered = variables(text.decode(), "cookiecutter.")
        target = f"{{{{cookiecutter.package}}}}/{variables(path, 'cookiecutter.') or path}"
        if not rendered:
            copied.append(target)
        write(template / target, rendered or text)
    questions = {
        "name": "Example",
        "package": "{{ cookiecutter.name|lower|replace(' ', '_') }}",
        "_copy_without_render": copied,
    }
    write(template / "cookiecutter.json", json.dumps(questions))


def variables(text: str, prefix: str) -> str:
    """The text as Jinja that renders to it, with variables for the pattern's names; empty if it has none of them."""
    package = snake(PATTERN)
    values = {
        PATTERN: f"{{{{ {prefix}name }}}}",
        package: f"{{{{ {prefix}package }}}}",
        package.replace("_", "-"): f"{{{{ {prefix}package|replace('_', '-') }}}}",
    }
    names = "|".join(map(re.escape, values))
    if not re.search(names, text):
        return ""
    # A brace that stands before another, or comes to stand there, must not begin a tag.
    return re.sub(rf"{names}|{{(?=[{{%#]|{names})", lambda found: values.get(found[0], "{{ '{' }}"), text)


def snake(name: str) -> str:
    return name.lower().replace(" ", "_")


def tree(folder: Path) -> dict[str, bytes]:
    """What each file below the folder says, by its path there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def require_same(contender: str, template: str, expected: dict[str, bytes], made: dict[str, bytes]) -> None:
    for path in expected | made:
        if path not in made:
            raise Failure(f"{contender} does not make {path} of {template}")
        if path not in expected:
            raise Failure(f"{contender} makes {path}, which is not in {template}")
        if made[path] != expected[path] and path != RECEIPT:
            raise Failure(f"{contender} makes another {path} than scaffold does for {template}")
