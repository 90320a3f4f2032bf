"""Answers: what a program printed, brought into a form that two programs and two machines share, and the differences."""

import json
import re
from dataclasses import dataclass

from case import Request, ids

# The parts of an answer that are compared; whatever else a program prints beside them is its own affair.
PARTS = ("configuration", "workspace", "featuresConfiguration", "mergedConfiguration")

# Where the reference put a Feature's files for a build that this verb does not do.
BUILD_FOLDERS = {"dstFolder", "cachePath"}


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()


@dataclass
class Answer:
    """What a program said: the parts of its JSON, or that it failed and why."""

    parts: dict | None
    message: str = ""
    seconds: float = 0.0

    def outcome(self) -> dict:
        """The form that is recorded and compared."""
        return {"outcome": "error"} if self.parts is None else {"outcome": "success", **self.parts}


@dataclass
class Difference:
    """Where two answers part: a JSON pointer, and what each says there."""

    pointer: str
    reference: object
    ours: object


def read_answer(stdout: bytes, code: int, request: Request) -> dict | None:
    """The normalised parts of a program's last line, or None for a failure."""
    lines = [line for line in stdout.decode("utf-8", "replace").strip().splitlines() if line.strip()]
    if code != 0 or not lines:
        return None
    try:
        printed = json.loads(stdout, parse_int=number)
    except ValueError:
        try:
            printed = json.loads(lines[-1], parse_int=number)
        except ValueError:
            return None
    if not isinstance(printed, dict) or "configuration" not in printed:
        return None
    return normalise({part: printed[part] for part in PARTS if part in printed}, request)


def number(text: str) -> int | float:
    """A whole number beyond what the reference can tell apart is what it takes it for."""
    value = int(text)
    return value if abs(value) <= 2**53 else float(value)


def normalise(parts: dict, request: Request) -> dict:
    """Bring an answer into the recorded form. These are all the rules:

    1. Only the four parts in PARTS are kept. A part that is `null` counts as absent.
    2. `configFilePath`, which the reference prints as a URI object of VS Code's, becomes its `fsPath`.
    3. The folder that the case was laid out in becomes `<root>`, in every string and every key.
    4. `${devcontainerId}`'s value, which follows from that folder, becomes `<id of the folder>` or
       `<id of the folder and file>`, if it is what the specification computes; another value stays as it is.
    5. The host and port of the stand-in registry become `<registry>`, and the digests of what it serves, which follow
       from the port where a Feature names another one, `<digest of …>` with the name in case.json, or
       `<digest of the layer of …>`; another digest stays as it is.
    6. `dstFolder` and `cachePath`, where the reference stages Features for a build, are left out.

    The order of an object's keys does not count, that of an array does. Numbers count by value (1 is 1.0), as 64-bit floats.
    """
    config = parts.get("configuration", {}).get("configFilePath")
    path = config.get("fsPath") if isinstance(config, dict) else config
    names = ids(request.folder, path)
    names |= request.names

    def text(value: str) -> str:
        for found, name in names.items():
            value = value.replace(found, name)
        return value

    def walk(value: object, key: str = "") -> object:
        if key == "configFilePath" and isinstance(value, dict) and "fsPath" in value:
            return text(value["fsPath"])
        if isinstance(value, str):
            return text(value)
        if isinstance(value, list):
            return [walk(one) for one in value]
        if isinstance(value, dict):
            return {text(name): walk(one, name) for name, one in value.items() if name not in BUILD_FOLDERS}
        return value

    return {part: walk(value) for part, value in parts.items() if value is not None}


def reason(stderr: bytes, request: Request) -> str:
    """Why the reference failed: the first error in its log, without time, stack and paths of this machine."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", stderr.decode("utf-8", "replace")).replace(str(request.root), "<root>")
    text = re.sub(r"^\[[^\]]*Z\] ", "", text, flags=re.M)
    text = re.sub(r"(?<=<root>/tmp/)[^\s']+", "…", text)
    kept = [line.strip() for line in text.splitlines() if not re.match(r"\s+at |@devcontainers/cli ", line)]
    return next((line for line in kept if re.match(r"(\w*Error|ERR)\b", line)), next(iter(filter(None, kept)), ""))


def differences(reference: object, ours: object, pointer: str = "") -> list[Difference]:
    """Every place where the two part; an array of another length is one place."""
    if isinstance(reference, dict) and isinstance(ours, dict):
        return [
            found
            for key in sorted(reference.keys() | ours.keys())
            for found in differences(
                reference.get(key, ABSENT), ours.get(key, ABSENT), f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            )
        ]
    if isinstance(reference, list) and isinstance(ours, list) and len(reference) == len(ours):
        pairs = enumerate(zip(reference, ours, strict=True))
        return [found for at, (one, other) in pairs for found in differences(one, other, f"{pointer}/{at}")]
    return [] if same(reference, ours) else [Difference(pointer, reference, ours)]


def same(one: object, other: object) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other


class OnPurpose:
    """The named differences in differences.json, and which of them were met."""

    def __init__(self, entries: list[dict]) -> None:
        self.entries = entries
        self.met: set[int] = set()

    def left(self, case: str, found: list[Difference], ours: dict) -> list[Difference]:
        """The differences that no entry names."""
        return [difference for difference in found if not self.names(case, difference, ours)]

    def names(self, case: str, difference: Difference, ours: dict) -> bool:
        for at, entry in enumerate(self.entries):
            if (
                entry["case"] in (case, "*")
                and is_at(entry, difference)
                and all(same(at_pointer(ours, pointer), value) for pointer, value in entry.get("and", {}).items())
            ):
                self.met.add(at)
                return True
        return False

    def unmet(self) -> list[dict]:
        return [entry for at, entry in enumerate(self.entries) if at not in self.met]


def is_at(entry: dict, difference: Difference) -> bool:
    """An entry names one place and what either says there, or by `/*` all that follows from one cause, whatever it is."""
    if entry["pointer"].endswith("/*"):
        place = entry["pointer"].removesuffix("/*")
        return difference.pointer == place or difference.pointer.startswith(f"{place}/")
    said = same(entry.get("reference", ABSENT), difference.reference) and same(entry.get("ours", ABSENT), difference.ours)
    return entry["pointer"] == difference.pointer and said


def at_pointer(value: object, pointer: str) -> object:
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(key, ABSENT)
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return ABSENT
    return value
