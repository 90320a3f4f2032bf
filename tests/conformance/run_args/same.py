"""What two requests for a container, or two inspections of one, have in common when they say the same."""

import re

# Objects whose keys are a person's, so that one without a value says something.
MAPS = {"Volumes", "ExposedPorts", "Labels", "Annotations", "StorageOpt", "Sysctls", "Tmpfs", "Config", "DriverOpts", "Options", "PortBindings",
        "EndpointsConfig", "Networks"}

# Fields for which nothing and zero are not the same.
TELLING = {"Init", "StopTimeout", "MaskedPaths", "ReadonlyPaths"}

# What the docker client says of a container that nobody says anything of.
DEFAULTS = {
    "MemorySwappiness": -1,
    "NetworkMode": "default",
    "RestartPolicy": {"Name": "no"},
    "ConsoleSize": [0, 0],
}

# What `up` adds to a container, or has in its hands.
OWN_LABELS = re.compile(r"devcontainer\.(local_folder|config_file|metadata)|dev\.scaffold\..*")
OWN_ENTRYPOINT = ["/bin/sh"]

HEX_64 = re.compile(r"[0-9a-f]{64}")


def request(asked: dict) -> dict:
    """Bring the body of a request into the form that is compared. These are all the rules:

    1. What says nothing (null, empty, 0, false) counts as absent, but for the fields in TELLING and the keys of MAPS. So does what the docker
       client says without being asked (DEFAULTS), and an endpoint of the network `default` that says nothing.
    2. `Env` becomes what each variable is in the end, since the docker client gives the variables of flags to an engine in any order. `Binds`
       are sorted for the same reason.
    3. What `up` has in its hands is left out: Entrypoint and Cmd, and its labels (OWN_LABELS).
    4. The file in which the docker client writes the id is left out, since the client writes it.
    """
    config = {key: value for key, value in asked.items() if key not in ("Entrypoint", "Cmd")}
    config["Env"] = effective(config.get("Env"))
    config["Labels"] = {name: value for name, value in (config.get("Labels") or {}).items() if not OWN_LABELS.fullmatch(name)}
    host = dict(config.get("HostConfig") or {})
    host.pop("ContainerIDFile", None)
    host["Binds"] = sorted(host.get("Binds") or [])
    config["HostConfig"] = host
    kept = tidy(config)
    endpoints = kept.get("NetworkingConfig", {}).get("EndpointsConfig", {})
    if endpoints.get("default") == {}:
        del endpoints["default"]
    return tidy(kept)


def inspection(seen: dict) -> dict:
    """Bring an inspection into the form that is compared: the rules of `request`, and these:

    1. A host name and an alias that the engine took from the container's id are left out, and so is the name that it gave the container, and
       what it calls an anonymous volume, and where it keeps it.
    2. Of `NetworkSettings`, what was asked of each network is kept.
    """
    id, host = seen["Id"], seen["HostConfig"]
    links = [link.replace(f":{seen['Name']}/", ":/<name>/") for link in host["Links"] or []]
    config = {**seen["Config"], "HostConfig": {**host, "Links": links}}
    if config["Hostname"] == id[:12]:
        config["Hostname"] = ""
    networks = {name: endpoint(one, id) for name, one in (seen["NetworkSettings"]["Networks"] or {}).items()}
    mounts = sorted((mount(one) for one in seen["Mounts"]), key=lambda one: one["Destination"])
    return request(config) | {"Mounts": mounts, "Networks": networks, "Platform": seen["Platform"]}


def endpoint(given: dict, id: str) -> dict:
    kept = {key: given.get(key) for key in ("IPAMConfig", "Links", "DriverOpts")}
    kept["Aliases"] = [alias for alias in given.get("Aliases") or [] if alias != id[:12]]
    return tidy(kept)


def mount(given: dict) -> dict:
    kept = dict(given)
    if HEX_64.fullmatch(kept.get("Name", "")):
        kept["Name"] = kept["Source"] = "<anonymous>"
    return kept


def effective(variables: list[str] | None) -> dict[str, str | None]:
    """What each variable is in the end; one without a value is taken away."""
    found: dict[str, str | None] = {}
    for variable in variables or []:
        name, has_value, value = variable.partition("=")
        found[name] = value if has_value else None
    return found


def tidy(value: object, name: str = "") -> object:
    """Without what says nothing."""
    if isinstance(value, list):
        return [tidy(one) for one in value]
    if not isinstance(value, dict):
        return value
    if name in MAPS or name == "Env":
        return {key: tidy(one) for key, one in value.items()}
    kept = {key: tidy(one, key) for key, one in value.items()}
    return {key: one for key, one in kept.items() if says_something(key, one)}


def says_something(name: str, value: object) -> bool:
    if name in DEFAULTS and value == DEFAULTS[name]:
        return False
    if name in TELLING:
        return value is not None
    return value not in ([], {}, "", 0, None) and value is not False
