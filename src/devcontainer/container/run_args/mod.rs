//! `runArgs`: the flags of `docker run` → fields of the engine's API (docker's documentation, "docker container run"; Docker Engine API,
//! `ContainerCreate`).
//!
//! [`FLAGS`] has every flag of the docker client, and each becomes what the client makes of it: `tests/conformance/run_args` asks both.

mod checked;
mod device;
pub(super) mod draft;
pub(super) mod fault;
mod host_file;
mod network;
pub(super) mod port;
pub(super) mod value;
mod words;

use super::mount::mount_of_flag;
use checked::{
    any_pair, cgroup_rule, dns, dns_search, host as extra_host, label, link, storage_option, sysctl,
};
use device::{bytes_per_second, device, gpus, is_cdi, operations_per_second, ulimit, weight};
use draft::Draft;
use network::Network;
use serde_json::{Value, json};
use std::ops::RangeInclusive;
use value::{bytes, decimal, integer, nano_cpus};
use words::parse;

/// What a flag does.
enum Does {
    /// Sets a text.
    Text(&'static str),
    /// Sets one of these texts, of which those that end with a colon want a name after it.
    OneOf(&'static str, &'static [&'static str]),
    /// Sets a whole number.
    Number(&'static str),
    /// Sets a whole number from the least to the most.
    Within(&'static str, RangeInclusive<i64>),
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
    /// Sets true, or what it is told, for when all flags are known.
    Toggle(for<'a> fn(&'a mut Draft<'_>) -> &'a mut bool),
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
    Switch, Text, Toggle, Within,
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

const UNATTACHED: &str = "nobody is attached to a dev container";
const WINDOWS: &str = "only an engine on Windows has it";
const ENTRYPOINT: &str = "the first process of a dev container waits; set `overrideCommand` to false for the image's own";
const PULL: &str = "an image is pulled where the engine does not have it";

/// The flags, by their names: a row for each.
#[rustfmt::skip]
const FLAGS: &[Flag] = &[
    Flag::new("add-host", Checked("/HostConfig/ExtraHosts", extra_host)),
    Flag::new("annotation", Pair("/HostConfig/Annotations", any_pair)).since(43),
    Flag::new("attach", Special(attach)).short('a'),
    Flag::new("blkio-weight", Within("/HostConfig/BlkioWeight", 0..=65_535)),
    Flag::new("blkio-weight-device", Object("/HostConfig/BlkioWeightDevice", weight)),
    Flag::new("cap-add", List("/HostConfig/CapAdd")),
    Flag::new("cap-drop", List("/HostConfig/CapDrop")),
    Flag::new("cgroup-parent", Text("/HostConfig/CgroupParent")),
    Flag::new("cgroupns", OneOf("/HostConfig/CgroupnsMode", &["host", "private"])).since(41),
    Flag::new("cidfile", Aside("the id is printed instead", |_| true)),
    Flag::new("cpu-count", Never(WINDOWS)),
    Flag::new("cpu-percent", Never(WINDOWS)),
    Flag::new("cpu-period", Number("/HostConfig/CpuPeriod")),
    Flag::new("cpu-quota", Number("/HostConfig/CpuQuota")),
    Flag::new("cpu-rt-period", Number("/HostConfig/CpuRealtimePeriod")),
    Flag::new("cpu-rt-runtime", Number("/HostConfig/CpuRealtimeRuntime")),
    Flag::new("cpu-shares", Number("/HostConfig/CpuShares")).short('c'),
    Flag::new("cpus", Special(cpus)),
    Flag::new("cpuset-cpus", Text("/HostConfig/CpusetCpus")),
    Flag::new("cpuset-mems", Text("/HostConfig/CpusetMems")),
    Flag::new("detach", Toggle(|draft| &mut draft.is_detached)).short('d'),
    Flag::new("detach-keys", Aside(UNATTACHED, |_| true)),
    Flag::new("device", Special(add_device)),
    Flag::new("device-cgroup-rule", Checked("/HostConfig/DeviceCgroupRules", cgroup_rule)),
    Flag::new("device-read-bps", Object("/HostConfig/BlkioDeviceReadBps", bytes_per_second)),
    Flag::new("device-read-iops", Object("/HostConfig/BlkioDeviceReadIOps", operations_per_second)),
    Flag::new("device-write-bps", Object("/HostConfig/BlkioDeviceWriteBps", bytes_per_second)),
    Flag::new("device-write-iops", Object("/HostConfig/BlkioDeviceWriteIOps", operations_per_second)),
    Flag::new("disable-content-trust", AsideSwitch("images are taken as the engine takes them")),
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
    Flag::new("health-interval", Special(|draft, time| draft.health_time("Interval", time))),
    Flag::new("health-retries", Special(health_retries)),
    Flag::new("health-start-interval", Special(|draft, time| draft.health_time("StartInterval", time))).since(44),
    Flag::new("health-start-period", Special(|draft, time| draft.health_time("StartPeriod", time))),
    Flag::new("health-timeout", Special(|draft, time| draft.health_time("Timeout", time))),
    Flag::new("help", Never("it prints what docker knows, and makes no container")),
    Flag::new("hostname", Text("/Hostname")).short('h'),
    Flag::new("init", Switch("/HostConfig/Init")),
    Flag::new("interactive", Switch("/OpenStdin")).short('i'),
    Flag::new("io-maxbandwidth", Never(WINDOWS)),
    Flag::new("io-maxiops", Never(WINDOWS)),
    Flag::new("ip", Special(|draft, ip| draft.address(ip, |endpoint| &mut endpoint.ip))),
    Flag::new("ip6", Special(|draft, ip| draft.address(ip, |endpoint| &mut endpoint.ip6))),
    Flag::new("ipc", Text("/HostConfig/IpcMode")),
    Flag::new("isolation", Text("/HostConfig/Isolation")),
    Flag::new("kernel-memory", Aside("kernels have no such limit any more", |size| { bytes(size).is_some() })),
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
    Flag::new("memory-swappiness", Within("/HostConfig/MemorySwappiness", -1..=100)),
    Flag::new("mount", Special(add_mount)),
    Flag::new("name", Special(name)),
    Flag::new("net", Special(add_network)),
    Flag::new("net-alias", Special(network_alias)),
    Flag::new("network", Special(add_network)),
    Flag::new("network-alias", Special(network_alias)),
    Flag::new("no-healthcheck", Toggle(|draft| &mut draft.has_no_healthcheck)),
    Flag::new("oom-kill-disable", Switch("/HostConfig/OomKillDisable")),
    Flag::new("oom-score-adj", Number("/HostConfig/OomScoreAdj")),
    Flag::new("pid", OneOf("/HostConfig/PidMode", &["host", "container:"])),
    Flag::new("pids-limit", Number("/HostConfig/PidsLimit")),
    Flag::new("platform", Special(platform)),
    Flag::new("privileged", Switch("/HostConfig/Privileged")),
    Flag::new("publish", Special(|draft, ports| port::publish(draft.plan, ports))).short('p'),
    Flag::new("publish-all", Switch("/HostConfig/PublishAllPorts")).short('P'),
    Flag::new("pull", Aside(PULL, |when| { ["always", "missing", "never", ""].contains(&when) })),
    Flag::new("quiet", AsideSwitch("`--quiet` is a flag of this program too")).short('q'),
    Flag::new("read-only", Switch("/HostConfig/ReadonlyRootfs")),
    Flag::new("restart", Special(restart)),
    Flag::new("rm", Switch("/HostConfig/AutoRemove")),
    Flag::new("runtime", Text("/HostConfig/Runtime")),
    Flag::new("security-opt", File(host_file::profile, security_opt)),
    Flag::new("shm-size", Bytes("/HostConfig/ShmSize")),
    Flag::new("sig-proxy", AsideSwitch(UNATTACHED)),
    Flag::new("stop-signal", Text("/StopSignal")),
    Flag::new("stop-timeout", Number("/StopTimeout")),
    Flag::new("storage-opt", Pair("/HostConfig/StorageOpt", storage_option)),
    Flag::new("sysctl", Pair("/HostConfig/Sysctls", sysctl)),
    Flag::new("tmpfs", Special(tmpfs)),
    Flag::new("tty", Switch("/Tty")).short('t'),
    Flag::new("ulimit", Special(add_ulimit)),
    Flag::new("use-api-socket", Toggle(|draft| &mut draft.has_api_socket)),
    Flag::new("user", Text("/User")).short('u'),
    Flag::new("userns", OneOf("/HostConfig/UsernsMode", &["host"])),
    Flag::new("uts", OneOf("/HostConfig/UTSMode", &["host"])),
    Flag::new("volume", Special(volume)).short('v'),
    Flag::new("volume-driver", Text("/HostConfig/VolumeDriver")),
    Flag::new("volumes-from", List("/HostConfig/VolumesFrom")),
    Flag::new("workdir", Text("/WorkingDir")).short('w'),
];

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

fn number(value: &str) -> Result<i64, String> {
    integer(value).ok_or_else(|| "no whole number".to_owned())
}

fn within(value: &str, range: &RangeInclusive<i64>) -> Result<i64, String> {
    let number = number(value)?;
    if range.contains(&number) {
        return Ok(number);
    }
    Err(format!("it goes from {} to {}", range.start(), range.end()))
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
    let retries = within(value, &(0..=i64::MAX))?;
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
    use super::draft::Host;
    use super::fault::RunArgFault;
    use super::*;
    use crate::devcontainer::container::ContainerPlan;
    use std::collections::BTreeMap;

    fn plan(args: &[&str]) -> Result<ContainerPlan, RunArgFault> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let text = "# why\nA=1\n\nB=x y\nC\nD\n".to_owned();
        let profile = "{ \"a\": \"b  \\\"c\" }".to_owned();
        let files = BTreeMap::from([("f".to_owned(), text), ("p".to_owned(), profile)]);
        let environment = BTreeMap::from([("C".to_owned(), "host".to_owned())]);
        let host = Host {
            files: &files,
            environment: &environment,
            folder: "/w",
        };
        let mut plan = ContainerPlan::empty("i");
        let mut draft = Draft::new(&mut plan, host);
        draft.add(&args)?;
        draft.finish()?;
        Ok(plan)
    }

    /// That each flag is what the docker client makes of it shows `tests/conformance/run_args`; this is what may be asked without one.
    #[test]
    fn what_flags_say_together_reaches_the_container() {
        let table: [(&[&str], &str, Value); 9] = [
            (
                &["-eA=1", "--env", "C", "-e=A=2", "--env-file", "f"],
                "/Env",
                json!(["A=1", "B=x y", "C=host", "C=host", "A=2"]),
            ),
            (
                &["-l", "A=flag", "--label-file", "f"],
                "/Labels",
                json!({ "A": "flag", "B": "x y" }),
            ),
            (
                &["--security-opt", "seccomp=p"],
                "/HostConfig/SecurityOpt",
                json!(["seccomp={\"a\":\"b  \\\"c\"}"]),
            ),
            (&["-it"], "/StdinOnce", json!(true)),
            (&["-itd"], "/AttachStdin", json!(false)),
            (
                &["-v./a:/b:ro", "-v", "./a:/b:ro"],
                "/HostConfig/Binds",
                json!(["/w/a:/b:ro"]),
            ),
            (
                &["--device=a/b=c", "--gpus", "1", "--device", "a/b=d"],
                "/HostConfig/DeviceRequests/1",
                json!({ "Driver": "cdi", "DeviceIDs": ["a/b=c", "a/b=d"] }),
            ),
            (
                &["--ip=10.0.0.1", "--network", "a", "--network", "b"],
                "/NetworkingConfig/EndpointsConfig/b",
                json!({}),
            ),
            (
                &["--ulimit", "nproc=1", "--ulimit=cpu=2", "--ulimit=nproc=3"],
                "/HostConfig/Ulimits/1/Hard",
                json!(3),
            ),
        ];
        for (args, pointer, expected) in table {
            let body = plan(args).unwrap().body;
            assert_eq!(body.pointer(pointer), Some(&expected), "{args:?} {body}");
        }
    }

    #[test]
    fn what_cannot_be_passed_on_is_an_error_that_names_it() {
        let table: [(&[&str], &str); 11] = [
            (
                &["--shm-sise=1g"],
                "`--shm-sise=1g` is no flag of `docker run`",
            ),
            (&["-Z"], "`-Z` is no flag of `docker run`"),
            (&["--name"], "`--name` wants a value"),
            (
                &["--shm-size", "big"],
                "`--shm-size` cannot be `big`: no size, such as `512m`",
            ),
            (&["nonsense"], "`nonsense` is no flag"),
            (&["--", "nonsense"], "`nonsense` is no flag"),
            (&["-p", "x"], "`-p` cannot be `x`: `x` is no port"),
            (
                &["--cpu-count", "2"],
                "`--cpu-count` cannot be passed on: only an engine on Windows has it",
            ),
            (
                &["--rm", "--restart=always"],
                "`--rm` and `--restart` exclude each other",
            ),
            (
                &["--pid=x"],
                "`--pid` cannot be `x`: it can be `host` or `container:NAME`",
            ),
            (
                &["--network-alias", "a"],
                "`--network` cannot be `default`: an alias needs a network that was made by `docker network create`",
            ),
        ];
        for (args, expected) in table {
            assert_eq!(plan(args).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn every_flag_is_there_once_and_in_the_order_of_its_name() {
        let names: Vec<&str> = FLAGS.iter().map(|flag| flag.long).collect();
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
        let mut shorts: Vec<char> = FLAGS.iter().filter_map(|flag| flag.short).collect();
        shorts.sort_unstable();
        assert!(shorts.is_sorted_by(|one, next| one < next), "{shorts:?}");
    }

    #[test]
    fn what_an_old_engine_would_leave_aside_is_known_to_need_another() {
        let needs = plan(&["--annotation=a", "--mac-address=92:d0:c6:0a:29:33"])
            .unwrap()
            .needs;
        let needs: Vec<_> = needs
            .iter()
            .map(|need| (need.what.as_str(), need.minor))
            .collect();
        assert_eq!(needs, [("`--annotation`", 43), ("`--mac-address`", 44)]);
    }
}
