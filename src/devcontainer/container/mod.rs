//! A configuration in its merged form → the container that the engine is asked for.
//!
//! The plan has the shape of the engine's own interface (Docker Engine API, `ContainerCreate`), so that it can be printed and compared.

mod mount;
mod run_args;

use super::script::{as_list, is_given};
use super::variable::Environment;
use super::workspace_folder::WorkspaceFolder;
use crate::hint::Hint;
use mount::{MountFault, mount};
use run_args::draft::{Draft, Host};
use run_args::fault::RunArgFault;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What the container is made of, beside the configuration.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings<'a> {
    /// The image that it is started from.
    pub(crate) image: &'a str,
    /// The image's own ENTRYPOINT and CMD.
    pub(crate) image_command: &'a [String],
    /// The labels by which it is found again, and the others.
    pub(crate) labels: &'a BTreeMap<String, String>,
    /// The project's folder on the host, from which relative paths are meant.
    pub(crate) folder: &'a str,
    /// Where the project lies in it.
    pub(crate) workspace: &'a WorkspaceFolder,
    /// The texts of the files that `--env-file` and `--label-file` name, by path.
    pub(crate) files: &'a BTreeMap<String, String>,
    /// The host's environment, from which a variable without a value is taken.
    pub(crate) environment: &'a Environment,
    /// What it is for.
    pub(crate) purpose: Purpose,
}

/// What a container is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Somebody works in it, until they stop it.
    Work,
    /// One command is run in it, while somebody holds the other end of what its first process reads; then it ends, and is removed.
    OneCommand,
}

/// A container, as the engine is asked for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContainerPlan {
    /// Its name, if it is to have a given one.
    pub(crate) name: Option<String>,
    /// The platform of its image, if it is to be a given one.
    pub(crate) platform: Option<String>,
    /// The body of the request.
    pub(crate) body: Value,
    /// What was asked for and is left aside, with the reason.
    pub(crate) remarks: Vec<String>,
    /// What an old engine would leave aside without a word.
    pub(crate) needs: Vec<Need>,
}

/// Something that engines know from a version of their API on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    /// What needs it, as it is written.
    pub(crate) what: String,
    /// The minor version: 1.x.
    pub(crate) minor: u32,
}

impl Need {
    fn new(what: &str, minor: u32) -> Self {
        Self {
            what: what.to_owned(),
            minor,
        }
    }
}

/// Why there is no such container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    /// A mount that cannot be.
    #[error("the mount `{}` cannot be made", .mount.escape_debug())]
    Mount {
        /// As it is written.
        mount: String,
        /// Why.
        source: MountFault,
    },
    /// A port that is none.
    #[error("`appPort` cannot be `{0}`")]
    Port(String),
    /// A flag of `docker run`, or what a property says in its place.
    #[error("`{property}` cannot be used")]
    RunArg {
        /// The property.
        property: &'static str,
        /// What is wrong with the flag.
        source: RunArgFault,
    },
}

impl Hint for PlanError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Mount { .. } => {
                "write `type=bind,source=/on/the/host,target=/in/the/container` or `type=volume,source=NAME,target=…`".to_owned()
            }
            Self::Port(_) => "give a number, or text as `docker run -p` takes it: `\"8080:80\"`".to_owned(),
            Self::RunArg { source, .. } => return source.hint(),
        })
    }
}

/// The files of the host that have to be read.
pub(crate) fn wanted_files(config: &Map<String, Value>) -> Vec<String> {
    let files = flags_of(config).into_iter();
    files.flat_map(|(_, args)| run_args::files(&args)).collect()
}

/// The flags of `docker run` that properties say, in the order in which they count.
fn flags_of(config: &Map<String, Value>) -> [(&'static str, Vec<String>); 3] {
    let texts = |property: &str| {
        let members = as_list(config.get(property).cloned());
        let texts = members
            .iter()
            .filter_map(|one| one.as_str().map(str::to_owned));
        texts.collect::<Vec<_>>()
    };
    let each = |flag: &str, values: Vec<String>| {
        let words = values.into_iter().map(|value| format!("{flag}={value}"));
        words.collect()
    };
    [
        ("runArgs", texts("runArgs")),
        ("capAdd", each("--cap-add", texts("capAdd"))),
        ("securityOpt", each("--security-opt", texts("securityOpt"))),
    ]
}

/// The platform that `runArgs` want the image for, the last one.
pub(crate) fn platform_of_run_args(config: &Map<String, Value>) -> Option<String> {
    let [(_, args), ..] = flags_of(config);
    run_args::last(&args, "platform").filter(|platform| !platform.is_empty())
}

/// The user whom `runArgs` name, the last one.
pub(crate) fn user_of_run_args(config: &Map<String, Value>) -> Option<String> {
    let [(_, args), ..] = flags_of(config);
    run_args::last(&args, "user").filter(|user| !user.is_empty())
}

/// The container that `merged` asks for.
pub(crate) fn plan(
    merged: &Map<String, Value>,
    surroundings: &Surroundings<'_>,
) -> Result<ContainerPlan, PlanError> {
    let mut plan = ContainerPlan::empty(surroundings.image);
    plan.publish(merged.get("appPort"))?;
    plan.mount_all(merged, surroundings)?;
    let variables = merged.get("containerEnv").and_then(Value::as_object);
    for (name, value) in variables.into_iter().flatten() {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        plan.push("/Env", format!("{name}={value}"));
    }
    if let Some(user) = merged.get("containerUser").and_then(Value::as_str) {
        plan.body["User"] = user.into();
    }
    plan.flags(merged, surroundings)?;
    if merged.get("init").is_some_and(is_given) {
        plan.body["HostConfig"]["Init"] = true.into();
    }
    if merged.get("privileged").is_some_and(is_given) {
        plan.body["HostConfig"]["Privileged"] = true.into();
    }
    for (name, value) in surroundings.labels {
        plan.body["Labels"][name] = value.clone().into();
    }
    for pointer in ["/HostConfig/CapAdd", "/HostConfig/CapDrop"] {
        plan.sort_capabilities(pointer);
    }
    plan.command(merged, surroundings);
    if surroundings.purpose == Purpose::OneCommand {
        plan.end_with_its_command();
    }
    Ok(plan)
}

impl ContainerPlan {
    /// What the docker client asks for when it is asked for nothing but an image.
    fn empty(image: &str) -> Self {
        Self {
            name: None,
            platform: None,
            body: json!({
                "Image": image,
                "AttachStdout": true,
                "AttachStderr": true,
                "Env": [],
                "Labels": {},
                "HostConfig": {},
            }),
            remarks: Vec::new(),
            needs: Vec::new(),
        }
    }

    /// What `docker run` would be told by its flags.
    fn flags(
        &mut self,
        merged: &Map<String, Value>,
        surroundings: &Surroundings<'_>,
    ) -> Result<(), PlanError> {
        let host = Host {
            files: surroundings.files,
            environment: surroundings.environment,
            folder: surroundings.folder,
        };
        let fault = |property| move |source| PlanError::RunArg { property, source };
        let mut draft = Draft::new(self, host);
        for (property, args) in flags_of(merged) {
            draft.add(&args).map_err(fault(property))?;
        }
        draft.finish().map_err(fault("runArgs"))
    }

    /// Adds to the list at a pointer, which is made where it is not there.
    fn push(&mut self, pointer: &str, value: impl Into<Value>) {
        let place = self.at(pointer);
        if let Value::Array(members) = place {
            members.push(value.into());
        } else {
            *place = json!([value.into()]);
        }
    }

    fn at(&mut self, pointer: &str) -> &mut Value {
        let steps = pointer.split('/').skip(1);
        steps.fold(&mut self.body, |place, step| &mut place[step])
    }

    /// Each capability once, with its prefix and in the order of letters, as the docker client asks for them.
    fn sort_capabilities(&mut self, pointer: &str) {
        let Some(Value::Array(all)) = self.body.pointer(pointer) else {
            return;
        };
        let all = all.iter().filter_map(Value::as_str).map(|name| {
            let name = name.to_uppercase();
            match name.as_str() {
                "ALL" => name,
                whole if whole.starts_with("CAP_") => name,
                _ => format!("CAP_{name}"),
            }
        });
        let all: BTreeSet<String> = all.collect();
        *self.at(pointer) = json!(all);
    }

    /// `appPort`: a number is published on the loopback alone (reference implementation).
    fn publish(&mut self, ports: Option<&Value>) -> Result<(), PlanError> {
        for port in as_list(ports.cloned()) {
            let text = match &port {
                Value::Number(number) => format!("127.0.0.1:{number}:{number}"),
                Value::String(text) => text.clone(),
                other => return Err(PlanError::Port(other.to_string())),
            };
            run_args::port::publish(self, &text).map_err(|_| PlanError::Port(text))?;
        }
        Ok(())
    }

    /// It has no name and publishes no port, which another container may have.
    fn end_with_its_command(&mut self) {
        self.name = None;
        let host = &mut self.body["HostConfig"];
        for taken in ["PortBindings", "PublishAllPorts", "RestartPolicy"] {
            host.as_object_mut().and_then(|host| host.remove(taken));
        }
        host["AutoRemove"] = true.into();
        for reads in ["AttachStdin", "OpenStdin", "StdinOnce"] {
            self.body[reads] = true.into();
        }
        self.body["Tty"] = false.into();
    }

    fn mount_all(
        &mut self,
        merged: &Map<String, Value>,
        surroundings: &Surroundings<'_>,
    ) -> Result<(), PlanError> {
        let of_workspace = surroundings
            .workspace
            .workspace_mount
            .iter()
            .filter(|mount| is_given(mount));
        let others = as_list(merged.get("mounts").cloned());
        for written in of_workspace.chain(&others) {
            let mount = mount(written, surroundings.folder).map_err(|source| PlanError::Mount {
                mount: written
                    .as_str()
                    .map_or_else(|| written.to_string(), str::to_owned),
                source,
            })?;
            self.add_mount(mount);
        }
        Ok(())
    }

    fn add_mount(&mut self, mount: Value) {
        if mount["BindOptions"]["ReadOnlyForceRecursive"] == json!(true) {
            self.needs.push(Need::new("`bind-recursive=readonly`", 44));
        }
        self.push("/HostConfig/Mounts", mount);
    }

    /// The first process: it says that it runs, starts what Features want started, and then waits, or is the image's own.
    fn command(&mut self, merged: &Map<String, Value>, surroundings: &Surroundings<'_>) {
        let entrypoints = as_list(merged.get("entrypoints").cloned());
        let entrypoints = entrypoints.iter().filter_map(Value::as_str);
        let entrypoints: String = entrypoints.flat_map(|line| [line, "\n"]).collect();
        // A foreground `sleep` would keep the shell from answering to the signal that stops the container.
        let rest = match surroundings.purpose {
            Purpose::Work => "[ $# -eq 0 ] || exec \"$@\"\nwhile :; do sleep 1 & wait $!; done",
            // What runs in the background reads nothing, unless it is told where to read.
            Purpose::OneCommand => {
                "[ $# -eq 0 ] || \"$@\" &\nexec 3<&0\ncat <&3 >/dev/null &\nwait $!"
            }
        };
        let script = format!("echo Container started\ntrap 'exit 0' TERM\n{entrypoints}{rest}");
        let mut command = vec!["-c".to_owned(), script, "-".to_owned()];
        if merged.get("overrideCommand") == Some(&Value::Bool(false)) {
            command.extend(surroundings.image_command.iter().cloned());
        }
        self.body["Entrypoint"] = json!(["/bin/sh"]);
        self.body["Cmd"] = json!(command);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(config: Value) -> Result<ContainerPlan, PlanError> {
        let files = BTreeMap::from([("p.json".to_owned(), "{ \"a\": 1 }".to_owned())]);
        let (nothing, workspace) = (BTreeMap::new(), WorkspaceFolder::default());
        let Value::Object(config) = config else {
            panic!("{config} is no object");
        };
        assert!(
            wanted_files(&config)
                .iter()
                .all(|file| files.contains_key(file))
        );
        let surroundings = Surroundings {
            image: "i",
            image_command: &[],
            labels: &nothing,
            folder: "/project",
            workspace: &workspace,
            files: &files,
            environment: &nothing,
            purpose: Purpose::Work,
        };
        plan(&config, &surroundings)
    }

    #[test]
    fn properties_are_translated_as_the_flags_of_their_name() {
        let by_property = json!({
            "capAdd": ["SYS_PTRACE"],
            "securityOpt": ["seccomp=p.json", "systempaths=unconfined"],
        });
        let by_flag = json!({ "runArgs": [
            "--cap-add", "sys_ptrace", "--security-opt", "seccomp=p.json", "--security-opt=systempaths=unconfined",
        ] });
        let plan = asked(by_property).unwrap();
        assert_eq!(plan, asked(by_flag).unwrap());
        assert_eq!(
            plan.body["HostConfig"],
            json!({
                "CapAdd": ["CAP_SYS_PTRACE"],
                "SecurityOpt": ["seccomp={\"a\":1}"],
                "MaskedPaths": [],
                "ReadonlyPaths": [],
            })
        );
    }

    #[test]
    fn an_error_names_the_property_that_has_the_flag() {
        let table = [
            (
                json!({ "runArgs": ["--pid=x"] }),
                "`runArgs` cannot be used",
            ),
            (
                json!({ "securityOpt": ["seccomp"] }),
                "`securityOpt` cannot be used",
            ),
        ];
        for (config, expected) in table {
            assert_eq!(asked(config).unwrap_err().to_string(), expected);
        }
    }
}
