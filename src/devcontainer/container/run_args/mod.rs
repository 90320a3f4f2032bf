//! `runArgs`: the flags of `docker run` → fields of the engine's API (docker's documentation, "docker container run"; Docker Engine API,
//! `ContainerCreate`).
//!
//! [`FLAGS`] has every flag of the docker client, and each becomes what the client makes of it: `tests/conformance/run_args` asks both.

mod checked;
mod device;
mod host_file;
mod network;
pub(super) mod port;
pub(super) mod value;

use super::mount::mount_of_flag;
use super::{ContainerPlan, Need};
use crate::hint::{Hint, nearest};
use checked::{
    any_pair, cgroup_rule, dns, dns_search, host as extra_host, label, link, storage_option, sysctl,
};
use device::{bytes_per_second, device, gpus, is_cdi, operations_per_second, ulimit, weight};
use network::{Endpoint, Network};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use value::{boolean, bytes, decimal, integer, nano_cpus, nanoseconds};

/// What a flag does.
#[derive(Clone, Copy)]
enum Does {
    /// Sets a text.
    Text(&'static str),
    /// Sets one of these texts, of which those that end with a colon want a name after it.
    OneOf(&'static str, &'static [&'static str]),
    /// Sets a whole number, which has a smallest and a largest value.
    Number(&'static str, i64, i64),
    /// Sets a size in bytes, which may have a unit.
    Bytes(&'static str),
    /// Sets true, or what it is told.
    Switch(&'static str),
    /// Adds to a list, as it is.
    List(&'static str),
    /// Adds a text to a list, checked.
    Checked(&'static str, fn(&str) -> Result<String, String>),
    /// Adds something made of a text to a list.
    Object(&'static str, fn(&str) -> Result<Value, String>),
    /// Adds `NAME=value` to an object.
    Pair(&'static str, fn(&str) -> Result<(String, String), String>),
    /// Something of its own.
    Special(fn(&mut Draft<'_>, &str) -> Result<(), String>),
    /// Something of its own, if it is true.
    Toggle(fn(&mut Draft<'_>, bool)),
    /// Reads a file of the host, of which the first function knows the path.
    File(
        fn(&str) -> Option<&str>,
        fn(&mut Draft<'_>, &str) -> Result<(), String>,
    ),
    /// Concerns the docker client alone, and takes a value.
    Aside(&'static str, fn(&str) -> bool),
    /// Concerns the docker client alone, and is true or false.
    AsideSwitch(&'static str),
    /// The docker client makes no container with it, whatever comes after it.
    Never(&'static str),
}

use Does::{
    Aside, AsideSwitch, Bytes, Checked, File, List, Never, Number, Object, OneOf, Pair, Special,
    Switch, Text, Toggle,
};

/// A flag.
struct Flag {
    long: &'static str,
    short: Option<char>,
    /// The minor version of the engine's API, 1.x, from which on engines know it.
    since: Option<u32>,
    does: Does,
}

impl Flag {
    const fn new(long: &'static str, does: Does) -> Self {
        Self {
            long,
            short: None,
            since: None,
            does,
        }
    }

    const fn short(self, short: char) -> Self {
        Self {
            short: Some(short),
            ..self
        }
    }

    const fn since(self, minor: u32) -> Self {
        Self {
            since: Some(minor),
            ..self
        }
    }

    fn takes_value(&self) -> bool {
        !matches!(self.does, Switch(_) | Toggle(_) | AsideSwitch(_) | Never(_))
    }
}

const ANY: (i64, i64) = (i64::MIN, i64::MAX);
const UNATTACHED: &str = "nobody is attached to a dev container";
const WINDOWS: &str = "only an engine on Windows has it";
const ENTRYPOINT: &str = "the first process of a dev container waits; set `overrideCommand` to false for the image's own";
const PULL: &str = "an image is pulled where the engine does not have it";

/// The flags, by their names.
const FLAGS: &[Flag] = &[
    Flag::new("add-host", Checked("/HostConfig/ExtraHosts", extra_host)),
    Flag::new("annotation", Pair("/HostConfig/Annotations", any_pair)).since(43),
    Flag::new("attach", Special(attach)).short('a'),
    Flag::new("blkio-weight", Number("/HostConfig/BlkioWeight", 0, 65_535)),
    Flag::new(
        "blkio-weight-device",
        Object("/HostConfig/BlkioWeightDevice", weight),
    ),
    Flag::new("cap-add", List("/HostConfig/CapAdd")),
    Flag::new("cap-drop", List("/HostConfig/CapDrop")),
    Flag::new("cgroup-parent", Text("/HostConfig/CgroupParent")),
    Flag::new(
        "cgroupns",
        OneOf("/HostConfig/CgroupnsMode", &["host", "private"]),
    )
    .since(41),
    Flag::new("cidfile", Aside("the id is printed instead", |_| true)),
    Flag::new("cpu-count", Never(WINDOWS)),
    Flag::new("cpu-percent", Never(WINDOWS)),
    Flag::new("cpu-period", Number("/HostConfig/CpuPeriod", ANY.0, ANY.1)),
    Flag::new("cpu-quota", Number("/HostConfig/CpuQuota", ANY.0, ANY.1)),
    Flag::new(
        "cpu-rt-period",
        Number("/HostConfig/CpuRealtimePeriod", ANY.0, ANY.1),
    ),
    Flag::new(
        "cpu-rt-runtime",
        Number("/HostConfig/CpuRealtimeRuntime", ANY.0, ANY.1),
    ),
    Flag::new("cpu-shares", Number("/HostConfig/CpuShares", ANY.0, ANY.1)).short('c'),
    Flag::new("cpus", Special(cpus)),
    Flag::new("cpuset-cpus", Text("/HostConfig/CpusetCpus")),
    Flag::new("cpuset-mems", Text("/HostConfig/CpusetMems")),
    Flag::new("detach", Toggle(detach)).short('d'),
    Flag::new("detach-keys", Aside(UNATTACHED, |_| true)),
    Flag::new("device", Special(add_device)),
    Flag::new(
        "device-cgroup-rule",
        Checked("/HostConfig/DeviceCgroupRules", cgroup_rule),
    ),
    Flag::new(
        "device-read-bps",
        Object("/HostConfig/BlkioDeviceReadBps", bytes_per_second),
    ),
    Flag::new(
        "device-read-iops",
        Object("/HostConfig/BlkioDeviceReadIOps", operations_per_second),
    ),
    Flag::new(
        "device-write-bps",
        Object("/HostConfig/BlkioDeviceWriteBps", bytes_per_second),
    ),
    Flag::new(
        "device-write-iops",
        Object("/HostConfig/BlkioDeviceWriteIOps", operations_per_second),
    ),
    Flag::new(
        "disable-content-trust",
        AsideSwitch("images are taken as the engine takes them"),
    ),
    Flag::new("dns", Checked("/HostConfig/Dns", dns)),
    Flag::new("dns-opt", List("/HostConfig/DnsOptions")),
    Flag::new("dns-option", List("/HostConfig/DnsOptions")),
    Flag::new("dns-search", Checked("/HostConfig/DnsSearch", dns_search)),
    Flag::new("domainname", Text("/Domainname")),
    Flag::new("entrypoint", Aside(ENTRYPOINT, |_| true)),
    Flag::new("env", Special(env)).short('e'),
    Flag::new("env-file", File(itself, env_file)),
    Flag::new("expose", Special(expose)),
    Flag::new("gpus", Object("/HostConfig/DeviceRequests", gpus)).since(40),
    Flag::new("group-add", List("/HostConfig/GroupAdd")),
    Flag::new("health-cmd", Special(health_cmd)),
    Flag::new(
        "health-interval",
        Special(|draft, time| draft.health_time("Interval", time)),
    ),
    Flag::new("health-retries", Special(health_retries)),
    Flag::new(
        "health-start-interval",
        Special(|draft, time| draft.health_time("StartInterval", time)),
    )
    .since(44),
    Flag::new(
        "health-start-period",
        Special(|draft, time| draft.health_time("StartPeriod", time)),
    ),
    Flag::new(
        "health-timeout",
        Special(|draft, time| draft.health_time("Timeout", time)),
    ),
    Flag::new(
        "help",
        Never("it prints what docker knows, and makes no container"),
    ),
    Flag::new("hostname", Text("/Hostname")).short('h'),
    Flag::new("init", Switch("/HostConfig/Init")),
    Flag::new("interactive", Switch("/OpenStdin")).short('i'),
    Flag::new("io-maxbandwidth", Never(WINDOWS)),
    Flag::new("io-maxiops", Never(WINDOWS)),
    Flag::new(
        "ip",
        Special(|draft, ip| draft.address(ip, |endpoint| &mut endpoint.ip)),
    ),
    Flag::new(
        "ip6",
        Special(|draft, ip| draft.address(ip, |endpoint| &mut endpoint.ip6)),
    ),
    Flag::new("ipc", Text("/HostConfig/IpcMode")),
    Flag::new("isolation", Text("/HostConfig/Isolation")),
    Flag::new(
        "kernel-memory",
        Aside("kernels have no such limit any more", |size| {
            bytes(size).is_some()
        }),
    ),
    Flag::new("label", Pair("/Labels", label)).short('l'),
    Flag::new("label-file", File(itself, label_file)),
    Flag::new("link", Checked("/HostConfig/Links", link)),
    Flag::new("link-local-ip", Special(link_local_ip)),
    Flag::new("log-driver", Text("/HostConfig/LogConfig/Type")),
    Flag::new("log-opt", Pair("/HostConfig/LogConfig/Config", any_pair)),
    Flag::new("mac-address", Special(mac_address)),
    Flag::new("memory", Bytes("/HostConfig/Memory")).short('m'),
    Flag::new("memory-reservation", Bytes("/HostConfig/MemoryReservation")),
    Flag::new("memory-swap", Special(memory_swap)),
    Flag::new(
        "memory-swappiness",
        Number("/HostConfig/MemorySwappiness", -1, 100),
    ),
    Flag::new("mount", Special(add_mount)),
    Flag::new("name", Special(name)),
    Flag::new("net", Special(add_network)),
    Flag::new("net-alias", Special(network_alias)),
    Flag::new("network", Special(add_network)),
    Flag::new("network-alias", Special(network_alias)),
    Flag::new(
        "no-healthcheck",
        Toggle(|draft, is_off| draft.has_no_healthcheck = is_off),
    ),
    Flag::new("oom-kill-disable", Switch("/HostConfig/OomKillDisable")),
    Flag::new(
        "oom-score-adj",
        Number("/HostConfig/OomScoreAdj", ANY.0, ANY.1),
    ),
    Flag::new("pid", OneOf("/HostConfig/PidMode", &["host", "container:"])),
    Flag::new("pids-limit", Number("/HostConfig/PidsLimit", ANY.0, ANY.1)),
    Flag::new("platform", Special(platform)).since(32),
    Flag::new("privileged", Switch("/HostConfig/Privileged")),
    Flag::new(
        "publish",
        Special(|draft, ports| port::publish(draft.plan, ports)),
    )
    .short('p'),
    Flag::new("publish-all", Switch("/HostConfig/PublishAllPorts")).short('P'),
    Flag::new(
        "pull",
        Aside(PULL, |when| {
            ["always", "missing", "never", ""].contains(&when)
        }),
    ),
    Flag::new(
        "quiet",
        AsideSwitch("`--quiet` is a flag of this program too"),
    )
    .short('q'),
    Flag::new("read-only", Switch("/HostConfig/ReadonlyRootfs")),
    Flag::new("restart", Special(restart)),
    Flag::new("rm", Switch("/HostConfig/AutoRemove")),
    Flag::new("runtime", Text("/HostConfig/Runtime")),
    Flag::new("security-opt", File(host_file::profile, security_opt)),
    Flag::new("shm-size", Bytes("/HostConfig/ShmSize")),
    Flag::new("sig-proxy", AsideSwitch(UNATTACHED)),
    Flag::new("stop-signal", Text("/StopSignal")),
    Flag::new("stop-timeout", Number("/StopTimeout", ANY.0, ANY.1)),
    Flag::new(
        "storage-opt",
        Pair("/HostConfig/StorageOpt", storage_option),
    ),
    Flag::new("sysctl", Pair("/HostConfig/Sysctls", sysctl)),
    Flag::new("tmpfs", Special(tmpfs)),
    Flag::new("tty", Switch("/Tty")).short('t'),
    Flag::new("ulimit", Special(add_ulimit)),
    Flag::new(
        "use-api-socket",
        Toggle(|draft, is_mounted| draft.has_api_socket = is_mounted),
    ),
    Flag::new("user", Text("/User")).short('u'),
    Flag::new("userns", OneOf("/HostConfig/UsernsMode", &["host"])),
    Flag::new("uts", OneOf("/HostConfig/UTSMode", &["host"])),
    Flag::new("volume", Special(volume)).short('v'),
    Flag::new("volume-driver", Text("/HostConfig/VolumeDriver")),
    Flag::new("volumes-from", List("/HostConfig/VolumesFrom")),
    Flag::new("workdir", Text("/WorkingDir")).short('w'),
];

/// What is wrong with a flag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RunArgFault {
    /// Nobody knows it.
    #[error("`{}` is no flag of `docker run`", .flag.escape_debug())]
    Unknown {
        /// As it is written.
        flag: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// The docker client makes no container with it either.
    #[error("`{flag}` cannot be passed on: {reason}")]
    Never {
        /// The flag.
        flag: String,
        /// Why.
        reason: &'static str,
    },
    /// It wants a value.
    #[error("`{0}` wants a value")]
    NoValue(String),
    /// It cannot have this one.
    #[error("`{flag}` cannot be `{}`: {reason}", .value.escape_debug())]
    Value {
        /// The flag.
        flag: String,
        /// Its value.
        value: String,
        /// Why.
        reason: String,
    },
    /// Two that exclude each other.
    #[error("`{first}` and `{second}` exclude each other")]
    Together {
        /// The one.
        first: String,
        /// The other.
        second: String,
    },
    /// It is no flag at all.
    #[error("`{}` is no flag", .0.escape_debug())]
    NoFlag(String),
}

impl RunArgFault {
    fn together(first: &str, second: &str) -> Self {
        Self::Together {
            first: first.to_owned(),
            second: second.to_owned(),
        }
    }
}

impl Hint for RunArgFault {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown {
                near: Some(near), ..
            } => Some(format!("did you mean `{near}`?")),
            Self::Unknown { .. } | Self::Never { .. } => {
                Some("take it out of `runArgs`".to_owned())
            }
            Self::NoFlag(_) => Some(
                "each flag and each value is a member of its own: `[\"--shm-size\", \"1g\"]`"
                    .to_owned(),
            ),
            Self::NoValue(_) | Self::Value { .. } | Self::Together { .. } => None,
        }
    }
}

/// A flag with its value, as it was written.
struct Given<'a> {
    written: String,
    flag: &'static Flag,
    value: Option<&'a str>,
}

/// What the host knows that a flag may refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Host<'a> {
    /// The texts of the files that flags name, by path.
    pub(super) files: &'a BTreeMap<String, String>,
    /// The environment.
    pub(super) environment: &'a BTreeMap<String, String>,
    /// The project's folder, from which a relative path is meant.
    pub(super) folder: &'a str,
}

impl<'a> Host<'a> {
    /// What stands in a file.
    fn text(self, path: &str) -> Result<&'a str, String> {
        let text = self.files.get(path).map(String::as_str);
        text.ok_or_else(|| format!("`{path}` was not read"))
    }
}

/// A plan, and what becomes part of it when all flags are known.
pub(super) struct Draft<'a> {
    plan: &'a mut ContainerPlan,
    host: Host<'a>,
    attached: Vec<String>,
    is_detached: bool,
    variables_of_files: Vec<String>,
    labels_of_files: Vec<String>,
    healthcheck: Map<String, Value>,
    has_no_healthcheck: bool,
    cdi_devices: Vec<String>,
    networks: Vec<Network>,
    endpoint: Endpoint,
    has_api_socket: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn new(plan: &'a mut ContainerPlan, host: Host<'a>) -> Self {
        Self {
            plan,
            host,
            attached: Vec::new(),
            is_detached: false,
            variables_of_files: Vec::new(),
            labels_of_files: Vec::new(),
            healthcheck: Map::new(),
            has_no_healthcheck: false,
            cdi_devices: Vec::new(),
            networks: Vec::new(),
            endpoint: Endpoint::default(),
            has_api_socket: false,
        }
    }

    /// Adds what `args` say.
    pub(super) fn add(&mut self, args: &[String]) -> Result<(), RunArgFault> {
        for given in parse(args)? {
            self.add_one(&given)?;
            if let Some(minor) = given.flag.since {
                let flag = format!("`{}`", given.written);
                self.plan.needs.push(Need::new(&flag, minor));
            }
        }
        Ok(())
    }

    fn add_one(&mut self, given: &Given<'_>) -> Result<(), RunArgFault> {
        let value = given.value.unwrap_or("true");
        let fault = |reason: String| RunArgFault::Value {
            flag: given.written.clone(),
            value: value.to_owned(),
            reason,
        };
        let switch = || boolean(value).ok_or_else(|| fault("true or false".to_owned()));
        match given.flag.does {
            Text(pointer) => *self.plan.at(pointer) = value.into(),
            OneOf(pointer, all) => {
                *self.plan.at(pointer) = one_of(value, all).map_err(fault)?.into();
            }
            Number(pointer, least, most) => {
                *self.plan.at(pointer) = number(value, least, most).map_err(fault)?.into();
            }
            Bytes(pointer) => *self.plan.at(pointer) = size(value).map_err(fault)?.into(),
            Switch(pointer) => *self.plan.at(pointer) = switch()?.into(),
            List(pointer) => self.plan.push(pointer, value),
            Checked(pointer, check) => self.plan.push(pointer, check(value).map_err(fault)?),
            Object(pointer, make) => self.plan.push(pointer, make(value).map_err(fault)?),
            Pair(pointer, split) => {
                let (name, value) = split(value).map_err(fault)?;
                self.plan.at(pointer)[name] = value.into();
            }
            Special(act) | File(_, act) => act(self, value).map_err(fault)?,
            Toggle(act) => act(self, switch()?),
            Aside(why, is_value) => {
                if !is_value(value) {
                    return Err(fault("the docker client does not take it".to_owned()));
                }
                self.leave_aside(given, why);
            }
            AsideSwitch(why) => {
                switch()?;
                self.leave_aside(given, why);
            }
            Never(reason) => {
                return Err(RunArgFault::Never {
                    flag: given.written.clone(),
                    reason,
                });
            }
        }
        Ok(())
    }

    fn leave_aside(&mut self, given: &Given<'_>, why: &str) {
        let flag = &given.written;
        let remark = format!("`{flag}` of `runArgs` is left aside: {why}");
        self.plan.remarks.push(remark);
    }

    /// Puts together what several flags say.
    pub(super) fn finish(mut self) -> Result<(), RunArgFault> {
        self.finish_health()?;
        self.finish_streams()?;
        self.finish_names();
        self.refuse_contradictions()?;
        if !self.cdi_devices.is_empty() {
            let request = json!({ "Driver": "cdi", "DeviceIDs": self.cdi_devices });
            self.plan.push("/HostConfig/DeviceRequests", request);
        }
        if self.has_api_socket {
            self.mount_api_socket()?;
        }
        let links = self.plan.body.pointer("/HostConfig/Links").cloned();
        let links: Vec<String> = links
            .and_then(|links| serde_json::from_value(links).ok())
            .unwrap_or_default();
        network::join(self.plan, self.networks, self.endpoint, &links)
    }

    fn finish_health(&mut self) -> Result<(), RunArgFault> {
        self.healthcheck.retain(|_, value| *value != json!(0));
        if self.has_no_healthcheck && !self.healthcheck.is_empty() {
            return Err(RunArgFault::together("--no-healthcheck", "--health-…"));
        }
        if self.has_no_healthcheck {
            self.plan.body["Healthcheck"] = json!({ "Test": ["NONE"] });
        } else if !self.healthcheck.is_empty() {
            self.plan.body["Healthcheck"] = std::mem::take(&mut self.healthcheck).into();
        }
        Ok(())
    }

    /// Which streams the container has, and which of them are somebody's; a stream that is read is that of the first who comes.
    fn finish_streams(&mut self) -> Result<(), RunArgFault> {
        if self.is_detached && !self.attached.is_empty() {
            return Err(RunArgFault::together("--attach", "--detach"));
        }
        let body = &mut self.plan.body;
        let is_open = body["OpenStdin"] == json!(true);
        let is_default = self.attached.is_empty() && !self.is_detached;
        let has = |name: &str| self.attached.iter().any(|stream| stream == name);
        let is_attached = !self.is_detached && (is_open || has("stdin"));
        body["AttachStdin"] = is_attached.into();
        body["AttachStdout"] = (is_default || has("stdout")).into();
        body["AttachStderr"] = (is_default || has("stderr")).into();
        body["StdinOnce"] = (is_open && is_attached).into();
        Ok(())
    }

    /// Variables and labels of files come before those of flags, of which the last counts.
    fn finish_names(&mut self) {
        let mut variables = std::mem::take(&mut self.variables_of_files);
        let flags: Vec<String> =
            serde_json::from_value(self.plan.body["Env"].take()).unwrap_or_default();
        for (at, variable) in flags.iter().enumerate() {
            let (name, _) = value::pair(variable);
            let is_last = flags[at + 1..]
                .iter()
                .all(|later| value::pair(later).0 != name);
            if is_last {
                variables.push(variable.clone());
            }
        }
        self.plan.body["Env"] = variables.into();
        for label in self.labels_of_files.iter().rev() {
            let (name, value) = value::pair(label);
            let labels = self.plan.at("/Labels");
            if labels.get(name).is_none() {
                labels[name] = value.into();
            }
        }
    }

    fn refuse_contradictions(&self) -> Result<(), RunArgFault> {
        let at = |pointer: &str| self.plan.body.pointer(pointer);
        let text = |pointer: &str| at(pointer).and_then(Value::as_str).unwrap_or_default();
        let policy = text("/HostConfig/RestartPolicy/Name");
        if at("/HostConfig/AutoRemove") == Some(&json!(true)) && !["", "no"].contains(&policy) {
            return Err(RunArgFault::together("--rm", "--restart"));
        }
        if text("/HostConfig/LogConfig/Type") == "none"
            && at("/HostConfig/LogConfig/Config").is_some()
        {
            return Err(RunArgFault::together("--log-driver none", "--log-opt"));
        }
        Ok(())
    }

    /// The docker client also puts what it knows of registries into the container.
    fn mount_api_socket(&mut self) -> Result<(), RunArgFault> {
        let flag = "--use-api-socket";
        let host = self.host.environment.get("DOCKER_HOST");
        let host = host.filter(|host| !host.is_empty()).map(String::as_str);
        let host = host.unwrap_or("unix:///var/run/docker.sock");
        let Some(socket) = host.strip_prefix("unix://") else {
            return Err(RunArgFault::Value {
                flag: flag.to_owned(),
                value: "true".to_owned(),
                reason: format!("the engine at `{host}` has no socket here"),
            });
        };
        let mount = json!({ "Type": "bind", "Source": socket, "Target": "/var/run/docker.sock" });
        self.plan.push("/HostConfig/Mounts", mount);
        self.plan.remarks.push(format!(
            "`{flag}` of `runArgs` mounts the engine's socket, and puts no credentials for registries into the container"
        ));
        Ok(())
    }

    fn health_time(&mut self, field: &str, text: &str) -> Result<(), String> {
        let time = nanoseconds(text).ok_or("no duration, such as `30s`")?;
        if time < 0 {
            return Err("it is less than nothing".to_owned());
        }
        self.healthcheck.insert(field.to_owned(), time.into());
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "every flag has this form")]
    fn address(&mut self, ip: &str, place: fn(&mut Endpoint) -> &mut String) -> Result<(), String> {
        ip.clone_into(place(&mut self.endpoint));
        Ok(())
    }
}

/// The files that the flags name.
pub(super) fn files(args: &[String]) -> Vec<String> {
    let given = parse(args).unwrap_or_default();
    let files = given.into_iter().filter_map(|given| match given.flag.does {
        File(path, _) => path(given.value?).map(str::to_owned),
        _ => None,
    });
    files.collect()
}

/// The value that the flag called `long` has in the end.
pub(super) fn last(args: &[String], long: &str) -> Option<String> {
    let given = parse(args).ok()?;
    let last = given.iter().rfind(|given| given.flag.long == long)?;
    last.value.map(str::to_owned)
}

fn parse(args: &[String]) -> Result<Vec<Given<'_>>, RunArgFault> {
    let mut all = Vec::new();
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        if arg == "--" {
            // It ends the flags, and what follows is no flag.
            return match args.next() {
                Some(word) => Err(RunArgFault::NoFlag(word.to_owned())),
                None => Ok(all),
            };
        }
        let Some(name) = arg.strip_prefix('-').filter(|name| !name.is_empty()) else {
            return Err(RunArgFault::NoFlag(arg.to_owned()));
        };
        let mut given = match name.strip_prefix('-') {
            Some(long) => vec![of_long(arg, long)?],
            None => of_short(arg, name)?,
        };
        let is_never = |given: &Given<'_>| matches!(given.flag.does, Never(_));
        if given.iter().any(is_never) {
            all.append(&mut given);
            return Ok(all);
        }
        if let Some(last) = given.last_mut()
            && last.flag.takes_value()
            && last.value.is_none()
        {
            let value = args.next();
            last.value = Some(value.ok_or_else(|| RunArgFault::NoValue(last.written.clone()))?);
        }
        all.append(&mut given);
    }
    Ok(all)
}

fn of_long<'a>(arg: &str, long: &'a str) -> Result<Given<'a>, RunArgFault> {
    let (name, value) = match long.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (long, None),
    };
    match FLAGS.iter().find(|flag| flag.long == name) {
        Some(flag) => Ok(Given {
            written: format!("--{name}"),
            flag,
            value,
        }),
        None => Err(RunArgFault::Unknown {
            flag: arg.to_owned(),
            near: nearest(name, FLAGS.iter().map(|flag| flag.long)).map(|near| format!("--{near}")),
        }),
    }
}

/// `-it`, `-p8080:80`, `-u=me`: short flags in one word, of which the last may have a value.
fn of_short<'a>(arg: &str, shorts: &'a str) -> Result<Vec<Given<'a>>, RunArgFault> {
    let mut all = Vec::new();
    for (at, short) in shorts.char_indices() {
        let flag = FLAGS.iter().find(|flag| flag.short == Some(short));
        let flag = flag.ok_or_else(|| RunArgFault::Unknown {
            flag: arg.to_owned(),
            near: None,
        })?;
        let rest = &shorts[at + short.len_utf8()..];
        // An equals sign that nothing follows is a value itself, and for a flag that takes none a letter like any other.
        let after_equals = rest.strip_prefix('=').filter(|value| !value.is_empty());
        let value = after_equals.or(Some(rest).filter(|_| flag.takes_value()));
        all.push(Given {
            written: format!("-{short}"),
            flag,
            value: value.filter(|value| !value.is_empty()),
        });
        if value.is_some() {
            break;
        }
    }
    Ok(all)
}

/// Of a flag whose value is a path, the path.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every flag of a file has this form"
)]
fn itself(path: &str) -> Option<&str> {
    Some(path)
}

fn one_of<'a>(value: &'a str, all: &[&str]) -> Result<&'a str, String> {
    let is_it = |one: &&str| match one.strip_suffix(':') {
        Some(_) => value.starts_with(*one) && value.len() > one.len(),
        None => value == *one,
    };
    if value.is_empty() || all.iter().any(is_it) {
        return Ok(value);
    }
    let all: Vec<String> = all
        .iter()
        .map(|one| match one.strip_suffix(':') {
            Some(_) => format!("`{one}NAME`"),
            None => format!("`{one}`"),
        })
        .collect();
    Err(format!("it can be {}", all.join(" or ")))
}

fn number(value: &str, least: i64, most: i64) -> Result<i64, String> {
    let number = integer(value).ok_or("no whole number")?;
    if !(least..=most).contains(&number) {
        return Err(format!("it goes from {least} to {most}"));
    }
    Ok(number)
}

fn size(value: &str) -> Result<i64, String> {
    bytes(value).ok_or_else(|| "no size, such as `512m`".to_owned())
}

fn attach(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    let stream = value.to_lowercase();
    if !["stdin", "stdout", "stderr"].contains(&stream.as_str()) {
        return Err("it can be `stdin`, `stdout` or `stderr`".to_owned());
    }
    draft.attached.push(stream);
    Ok(())
}

fn detach(draft: &mut Draft<'_>, is_detached: bool) {
    draft.is_detached = is_detached;
}

fn cpus(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    let nano = nano_cpus(value).ok_or("no number, such as `1.5`")?;
    *draft.plan.at("/HostConfig/NanoCpus") = nano.into();
    Ok(())
}

fn add_device(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    if is_cdi(value) {
        draft.cdi_devices.push(value.to_owned());
    } else {
        draft.plan.push("/HostConfig/Devices", device(value)?);
    }
    Ok(())
}

/// A name alone has the value that it has on the host, if it has one there.
fn env(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    checked::variable(value)?;
    let variable = match draft.host.environment.get(value) {
        Some(text) if !value.contains('=') => format!("{value}={text}"),
        _ => value.to_owned(),
    };
    draft.plan.push("/Env", variable);
    Ok(())
}

fn env_file(draft: &mut Draft<'_>, path: &str) -> Result<(), String> {
    let variables = host_file::variables(draft.host, path)?;
    draft.variables_of_files.extend(variables);
    Ok(())
}

fn label_file(draft: &mut Draft<'_>, path: &str) -> Result<(), String> {
    let labels = host_file::labels(draft.host, path)?;
    draft.labels_of_files.extend(labels);
    Ok(())
}

fn expose(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    port::expose(draft.plan, value)
}

#[expect(clippy::unnecessary_wraps, reason = "every flag has this form")]
fn health_cmd(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    draft.healthcheck.remove("Test");
    if !value.is_empty() {
        let test = json!(["CMD-SHELL", value]);
        draft.healthcheck.insert("Test".to_owned(), test);
    }
    Ok(())
}

fn health_retries(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    let retries = number(value, 0, i64::MAX)?;
    draft
        .healthcheck
        .insert("Retries".to_owned(), retries.into());
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "every flag has this form")]
fn link_local_ip(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    draft.endpoint.link_local.push(value.to_owned());
    Ok(())
}

fn mac_address(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    if !value.is_empty() && !value::is_mac(value.trim()) {
        return Err("it is no hardware address, such as `92:d0:c6:0a:29:33`".to_owned());
    }
    value.clone_into(&mut draft.endpoint.mac);
    Ok(())
}

fn memory_swap(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    let swap = if value == "-1" { -1 } else { size(value)? };
    *draft.plan.at("/HostConfig/MemorySwap") = swap.into();
    Ok(())
}

fn add_mount(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    let mount = mount_of_flag(value, draft.host.folder)?;
    draft.plan.add_mount(mount);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "every flag has this form")]
fn name(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    draft.plan.name = Some(value.to_owned()).filter(|name| !name.is_empty());
    Ok(())
}

fn add_network(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    draft.networks.push(Network::parse(value)?);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "every flag has this form")]
fn network_alias(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    draft.endpoint.aliases.push(value.to_owned());
    Ok(())
}

fn platform(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    draft.plan.platform = match value {
        "" => None,
        value => Some(value::platform(value)?),
    };
    Ok(())
}

/// `NAME[:TIMES]`
fn restart(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    let (policy, most) = value.split_once(':').unwrap_or((value, ""));
    if policy.is_empty() && value.contains(':') {
        return Err("it names no policy".to_owned());
    }
    let most = match most {
        "" => 0,
        most => decimal(most).ok_or("no number of times")?,
    };
    let policy = json!({ "Name": policy, "MaximumRetryCount": most });
    *draft.plan.at("/HostConfig/RestartPolicy") = policy;
    Ok(())
}

fn security_opt(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    let option = host_file::security_option(draft.host, value)?;
    if option == "systempaths=unconfined" {
        // That no path is hidden is said by lists that are there and empty.
        *draft.plan.at("/HostConfig/MaskedPaths") = json!([]);
        *draft.plan.at("/HostConfig/ReadonlyPaths") = json!([]);
    } else {
        draft.plan.push("/HostConfig/SecurityOpt", option);
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "every flag has this form")]
fn tmpfs(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    let (path, options) = value.split_once(':').unwrap_or((value, ""));
    draft.plan.at("/HostConfig/Tmpfs")[path] = options.into();
    Ok(())
}

/// The last limit of a name counts, and they are in the order of their names.
fn add_ulimit(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    let limit = ulimit(value)?;
    let place = draft.plan.at("/HostConfig/Ulimits");
    let mut limits = place.as_array().cloned().unwrap_or_default();
    limits.retain(|other| other["Name"] != limit["Name"]);
    limits.push(limit);
    limits.sort_by_key(|limit| limit["Name"].to_string());
    *place = limits.into();
    Ok(())
}

/// `PATH` alone is a volume without a name; all else is a bind in the engine's own form, `SOURCE:TARGET[:OPTIONS]`.
fn volume(draft: &mut Draft<'_>, value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Err("it names no path".to_owned());
    }
    let parts = parts_of_volume(value);
    // The docker client takes two signs for a path, whatever they are.
    if value.len() <= 2 || parts.len() == 1 && !parts[0].is_empty() {
        draft.plan.at("/Volumes")[value] = json!({});
        return Ok(());
    }
    if parts.iter().any(String::is_empty) {
        return Err("there is nothing between its colons".to_owned());
    }
    if parts.len() > 3 {
        return Err("it has too many colons".to_owned());
    }
    let (source, target) = value.split_once(':').unwrap_or((value, ""));
    let bind = format!("{}:{target}", value::absolute(source, draft.host.folder));
    let binds = draft.plan.at("/HostConfig/Binds");
    let has_it = binds
        .as_array()
        .is_some_and(|all| all.contains(&json!(bind)));
    if !has_it {
        draft.plan.push("/HostConfig/Binds", bind);
    }
    Ok(())
}

/// What is between the colons, but for that of a drive: `C:`.
fn parts_of_volume(value: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for sign in value.chars() {
        let last = parts.last_mut().expect("there is one from the start");
        let mut signs = last.chars();
        let is_drive = signs.next().is_some_and(char::is_alphabetic) && signs.next().is_none();
        if sign == ':' && !is_drive {
            parts.push(String::new());
        } else {
            last.push(sign);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(args: &[&str]) -> Result<Value, RunArgFault> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let files = BTreeMap::from([("f".to_owned(), "# why\nA=1\n\nB=x y\nC\n".to_owned())]);
        let mut plan = ContainerPlan::empty("i");
        let environment = BTreeMap::from([("B".to_owned(), "host".to_owned())]);
        let host = Host {
            files: &files,
            environment: &environment,
        };
        apply(&mut plan, &args, host)?;
        Ok(plan.body)
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "it is a table")]
    fn each_flag_reaches_its_field() {
        let table: [(&[&str], &str, Value); 20] = [
            (
                &["--shm-size=1g"],
                "/HostConfig/ShmSize",
                json!(1_073_741_824),
            ),
            (&["-m", "1.5g"], "/HostConfig/Memory", json!(1_610_612_736)),
            (
                &["--cpus", "1.5"],
                "/HostConfig/NanoCpus",
                json!(1_500_000_000),
            ),
            (&["-it"], "/Tty", json!(true)),
            (&["--init=false"], "/HostConfig/Init", json!(false)),
            (&["-u=me"], "/User", json!("me")),
            (&["-umé"], "/User", json!("mé")),
            (
                &["-eA=1", "--env", "B", "-e=C"],
                "/Env",
                json!(["A=1", "B=host", "C"]),
            ),
            (&["--env-file", "f"], "/Env", json!(["A=1", "B=x y"])),
            (&["-l", "a=b=c"], "/Labels/a", json!("b=c")),
            (
                &["--network", "none"],
                "/HostConfig/NetworkMode",
                json!("none"),
            ),
            (
                &["-p", "127.0.0.1:80:8080/udp"],
                "/HostConfig/PortBindings/8080~1udp",
                json!([{ "HostIp": "127.0.0.1", "HostPort": "80" }]),
            ),
            (
                &["-p8000-8001:9000-9001"],
                "/HostConfig/PortBindings/9001~1tcp",
                json!([{ "HostIp": "", "HostPort": "8001" }]),
            ),
            (
                &["--gpus", "all"],
                "/HostConfig/DeviceRequests",
                json!([{ "Driver": "", "Count": -1, "Capabilities": [["gpu"]] }]),
            ),
            (
                &["--gpus", "\"device=0,2\",capabilities=utility"],
                "/HostConfig/DeviceRequests",
                json!([{ "Driver": "", "Count": 0, "DeviceIDs": ["0", "2"], "Capabilities": [["gpu", "utility"]] }]),
            ),
            (
                &["--ulimit", "memlock=-1:-1"],
                "/HostConfig/Ulimits",
                json!([{ "Name": "memlock", "Soft": -1, "Hard": -1 }]),
            ),
            (
                &["--device=/dev/fuse:/dev/f:r"],
                "/HostConfig/Devices",
                json!([{ "PathOnHost": "/dev/fuse", "PathInContainer": "/dev/f", "CgroupPermissions": "r" }]),
            ),
            (
                &["-v", "/a:/b:ro"],
                "/HostConfig/Binds",
                json!(["/a:/b:ro"]),
            ),
            (&["-v", "/a"], "/Volumes", json!({ "/a": {} })),
            (
                &["--health-interval", "1m30s"],
                "/Healthcheck/Interval",
                json!(90_000_000_000_i64),
            ),
        ];
        for (args, pointer, expected) in table {
            let body = body(args).unwrap();
            assert_eq!(body.pointer(pointer), Some(&expected), "{args:?} {body}");
        }
    }

    #[test]
    fn what_cannot_be_passed_on_is_an_error_that_names_it() {
        let table: [(&[&str], &str); 6] = [
            (
                &["--shm-sise=1g"],
                "`--shm-sise=1g` is no flag of `docker run` that can be passed on",
            ),
            (
                &["-Z"],
                "`-Z` is no flag of `docker run` that can be passed on",
            ),
            (&["--name"], "`--name` wants a value"),
            (
                &["--shm-size", "big"],
                "`--shm-size` cannot be `big`: no size, such as `512m`",
            ),
            (&["nonsense"], "`nonsense` is no flag"),
            (&["-p", "x"], "`-p` cannot be `x`: no port"),
        ];
        for (args, expected) in table {
            assert_eq!(body(args).unwrap_err().to_string(), expected);
        }
    }
}
