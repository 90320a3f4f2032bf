//! Where the engine listens, as the docker client finds it (docker's documentation, "Docker contexts" and "Daemon socket").

use super::{EngineError, hex};
use crate::devcontainer::variable::Environment;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Where the engine of the whole machine listens.
const SYSTEM: &str = "unix:///var/run/docker.sock";

/// An engine's address, and who named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// `unix://`, `tcp://` or another scheme, and the place.
    pub(crate) host: String,
    /// Who says so.
    pub(crate) origin: Origin,
}

/// Who named an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The variable `DOCKER_HOST`.
    Variable,
    /// A context of the docker client.
    Context(String),
    /// Nobody: it is one of the usual places.
    Usual,
}

/// What finding an address has to read.
pub(crate) struct Disk<'a> {
    /// The text of a file, if it is there and can be read.
    pub(crate) read: &'a dyn Fn(&Path) -> Option<String>,
    /// Whether something is there.
    pub(crate) exists: &'a dyn Fn(&Path) -> bool,
}

/// `DOCKER_HOST`, or the context that `DOCKER_CONTEXT` or the docker client's configuration names, or else the first usual socket that is
/// there: the system's, that of an engine without root, that of Docker Desktop.
pub(crate) fn address(environment: &Environment, disk: &Disk<'_>) -> Result<Address, EngineError> {
    let given = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    if let Some(host) = given("DOCKER_HOST") {
        return Ok(Address {
            host: host.clone(),
            origin: Origin::Variable,
        });
    }
    let home = given("HOME").map(PathBuf::from);
    let folder = given("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| home.as_ref().map(|home| home.join(".docker")));
    let chosen = given("DOCKER_CONTEXT").cloned().or_else(|| {
        let text = (disk.read)(&folder.as_ref()?.join("config.json"))?;
        let config: Value = serde_json::from_str(&text).ok()?;
        Some(config.get("currentContext")?.as_str()?.to_owned())
    });
    if let Some(name) = chosen.filter(|name| name != "default" && !name.is_empty()) {
        let host = folder.and_then(|folder| context(&name, &folder, disk));
        return match host {
            Some(host) => Ok(Address {
                host,
                origin: Origin::Context(name),
            }),
            None => Err(EngineError::NoContext(name)),
        };
    }
    let rootless = given("XDG_RUNTIME_DIR").map(|folder| format!("unix://{folder}/docker.sock"));
    let desktop = home.map(|home| format!("unix://{}/.docker/run/docker.sock", home.display()));
    let usual = [Some(SYSTEM.to_owned()), rootless, desktop];
    let is_there = |host: &String| {
        let path = host.strip_prefix("unix://").unwrap_or_default();
        (disk.exists)(Path::new(path))
    };
    let host = usual.into_iter().flatten().find(is_there);
    Ok(Address {
        host: host.unwrap_or_else(|| SYSTEM.to_owned()),
        origin: Origin::Usual,
    })
}

/// The address that a context has: its file lies in a folder that is called by the hash of its name.
fn context(name: &str, folder: &Path, disk: &Disk<'_>) -> Option<String> {
    let hash = hex(&Sha256::digest(name));
    let file = folder.join("contexts/meta").join(hash).join("meta.json");
    let meta: Value = serde_json::from_str(&(disk.read)(&file)?).ok()?;
    let host = meta.pointer("/Endpoints/docker/Host")?.as_str()?;
    Some(host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(variables: &[(&str, &str)], sockets: &[&str], current: &str) -> Option<String> {
        let pairs = variables.iter();
        let environment = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: Environment = environment.collect();
        let read = |path: &Path| {
            let path = path.to_str()?;
            if path == "/home/me/.docker/config.json" {
                return Some(format!("{{ \"currentContext\": \"{current}\" }}"));
            }
            let meta = "{\"Endpoints\":{\"docker\":{\"Host\":\"unix:///run/remote.sock\"}}}";
            // The SHA-256 of `remote`, of which the first digits are proof enough.
            let is_remote = path.starts_with("/home/me/.docker/contexts/meta/b71199eb");
            is_remote.then(|| meta.to_owned())
        };
        let exists = |path: &Path| sockets.iter().any(|socket| Path::new(socket) == path);
        let disk = Disk {
            read: &read,
            exists: &exists,
        };
        address(&environment, &disk).ok().map(|found| found.host)
    }

    #[test]
    fn the_engine_is_found_as_the_docker_client_finds_it() {
        let home = ("HOME", "/home/me");
        let runtime = ("XDG_RUNTIME_DIR", "/run/user/1");
        let host = ("DOCKER_HOST", "tcp://h:1");
        let remote = ("DOCKER_CONTEXT", "remote");
        let rootless = "/run/user/1/docker.sock";
        let found = |text: &str| Some(text.to_owned());
        assert_eq!(
            find(&[home, host, remote], &[], "remote"),
            found("tcp://h:1")
        );
        assert_eq!(
            find(&[home, remote], &[], ""),
            found("unix:///run/remote.sock")
        );
        assert_eq!(
            find(&[home], &[], "remote"),
            found("unix:///run/remote.sock")
        );
        assert_eq!(find(&[home], &[], "gone"), None);
        assert_eq!(find(&[home], &[], "default"), found(SYSTEM));
        assert_eq!(
            find(&[home, runtime], &[rootless], ""),
            found("unix:///run/user/1/docker.sock")
        );
        assert_eq!(
            find(&[home, runtime], &["/var/run/docker.sock", rootless], ""),
            found(SYSTEM)
        );
        assert_eq!(find(&[("DOCKER_HOST", "")], &[], ""), found(SYSTEM));
    }
}
