//! `runArgs`: the flags of `docker run` → fields of the engine's API (docker's documentation, "docker container run"; Docker Engine API,
//! `ContainerCreate`).

use super::ContainerPlan;
use super::mount::mount;
use crate::hint::{Hint, nearest};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a flag does.
#[derive(Debug, Clone, Copy)]
enum Does {
    /// Sets a text.
    Text(&'static str),
    /// Sets a whole number.
    Number(&'static str),
    /// Sets a size in bytes, which may have a unit.
    Bytes(&'static str),
    /// Sets a duration in nanoseconds, which has units.
    Nanoseconds(&'static str),
    /// Sets true, or what it is told.
    Flag(&'static str),
    /// Adds to a list.
    List(&'static str),
    /// Adds `NAME=value` to an object.
    Pair(&'static str),
    /// Something of its own.
    Special(fn(&mut ContainerPlan, &str) -> Result<(), String>),
    /// Reads a file of the host.
    File(fn(&mut ContainerPlan, &str, Host<'_>)),
    /// Takes a value and concerns the docker client alone.
    ClientValue(&'static str),
    /// Concerns the docker client alone.
    Client(&'static str),
}

use Does::{
    Bytes, Client, ClientValue, File, Flag, List, Nanoseconds, Number, Pair, Special, Text,
};

/// The flags: the long name, the short one, and what it does.
const FLAGS: &[(&str, Option<char>, Does)] = &[
    ("add-host", None, Special(add_host)),
    ("annotation", None, Pair("/HostConfig/Annotations")),
    (
        "attach",
        Some('a'),
        ClientValue("nobody is attached to a dev container"),
    ),
    ("blkio-weight", None, Number("/HostConfig/BlkioWeight")),
    ("cap-add", None, List("/HostConfig/CapAdd")),
    ("cap-drop", None, List("/HostConfig/CapDrop")),
    ("cgroup-parent", None, Text("/HostConfig/CgroupParent")),
    ("cgroupns", None, Text("/HostConfig/CgroupnsMode")),
    ("cidfile", None, ClientValue("the id is printed instead")),
    ("cpu-period", None, Number("/HostConfig/CpuPeriod")),
    ("cpu-quota", None, Number("/HostConfig/CpuQuota")),
    (
        "cpu-rt-period",
        None,
        Number("/HostConfig/CpuRealtimePeriod"),
    ),
    (
        "cpu-rt-runtime",
        None,
        Number("/HostConfig/CpuRealtimeRuntime"),
    ),
    ("cpu-shares", Some('c'), Number("/HostConfig/CpuShares")),
    ("cpus", None, Special(cpus)),
    ("cpuset-cpus", None, Text("/HostConfig/CpusetCpus")),
    ("cpuset-mems", None, Text("/HostConfig/CpusetMems")),
    (
        "detach",
        Some('d'),
        Client("a dev container runs in the background"),
    ),
    (
        "detach-keys",
        None,
        ClientValue("nobody is attached to a dev container"),
    ),
    ("device", None, Special(device)),
    (
        "device-cgroup-rule",
        None,
        List("/HostConfig/DeviceCgroupRules"),
    ),
    (
        "disable-content-trust",
        None,
        Client("images are taken as the engine takes them"),
    ),
    ("dns", None, List("/HostConfig/Dns")),
    ("dns-opt", None, List("/HostConfig/DnsOptions")),
    ("dns-option", None, List("/HostConfig/DnsOptions")),
    ("dns-search", None, List("/HostConfig/DnsSearch")),
    ("domainname", None, Text("/Domainname")),
    (
        "entrypoint",
        None,
        ClientValue(
            "the first process of a dev container waits; set `overrideCommand` to false for the image's own",
        ),
    ),
    ("env", Some('e'), List("/Env")),
    ("env-file", None, File(env_file)),
    ("expose", None, Special(expose)),
    ("gpus", None, Special(gpus)),
    ("group-add", None, List("/HostConfig/GroupAdd")),
    ("health-cmd", None, Special(health_cmd)),
    (
        "health-interval",
        None,
        Nanoseconds("/Healthcheck/Interval"),
    ),
    ("health-retries", None, Number("/Healthcheck/Retries")),
    (
        "health-start-period",
        None,
        Nanoseconds("/Healthcheck/StartPeriod"),
    ),
    ("health-timeout", None, Nanoseconds("/Healthcheck/Timeout")),
    ("hostname", Some('h'), Text("/Hostname")),
    ("init", None, Flag("/HostConfig/Init")),
    ("interactive", Some('i'), Flag("/OpenStdin")),
    ("ipc", None, Text("/HostConfig/IpcMode")),
    ("isolation", None, Text("/HostConfig/Isolation")),
    ("label", Some('l'), Pair("/Labels")),
    ("label-file", None, File(label_file)),
    ("link", None, List("/HostConfig/Links")),
    ("log-driver", None, Text("/HostConfig/LogConfig/Type")),
    ("log-opt", None, Pair("/HostConfig/LogConfig/Config")),
    ("memory", Some('m'), Bytes("/HostConfig/Memory")),
    (
        "memory-reservation",
        None,
        Bytes("/HostConfig/MemoryReservation"),
    ),
    ("memory-swap", None, Bytes("/HostConfig/MemorySwap")),
    (
        "memory-swappiness",
        None,
        Number("/HostConfig/MemorySwappiness"),
    ),
    ("mount", None, Special(add_mount)),
    ("name", None, Special(name)),
    ("net", None, Text("/HostConfig/NetworkMode")),
    ("network", None, Text("/HostConfig/NetworkMode")),
    ("no-healthcheck", None, Special(no_healthcheck)),
    ("oom-kill-disable", None, Flag("/HostConfig/OomKillDisable")),
    ("oom-score-adj", None, Number("/HostConfig/OomScoreAdj")),
    ("pid", None, Text("/HostConfig/PidMode")),
    ("pids-limit", None, Number("/HostConfig/PidsLimit")),
    ("platform", None, Special(platform)),
    ("privileged", None, Flag("/HostConfig/Privileged")),
    ("publish", Some('p'), Special(publish)),
    (
        "publish-all",
        Some('P'),
        Flag("/HostConfig/PublishAllPorts"),
    ),
    (
        "pull",
        None,
        ClientValue("an image is pulled where the engine does not have it"),
    ),
    (
        "quiet",
        Some('q'),
        Client("`--quiet` is a flag of this program too"),
    ),
    ("read-only", None, Flag("/HostConfig/ReadonlyRootfs")),
    ("restart", None, Special(restart)),
    ("rm", None, Flag("/HostConfig/AutoRemove")),
    ("runtime", None, Text("/HostConfig/Runtime")),
    ("security-opt", None, List("/HostConfig/SecurityOpt")),
    ("shm-size", None, Bytes("/HostConfig/ShmSize")),
    (
        "sig-proxy",
        None,
        Client("nobody is attached to a dev container"),
    ),
    ("stop-signal", None, Text("/StopSignal")),
    ("stop-timeout", None, Number("/StopTimeout")),
    ("storage-opt", None, Pair("/HostConfig/StorageOpt")),
    ("sysctl", None, Pair("/HostConfig/Sysctls")),
    ("tmpfs", None, Special(tmpfs)),
    ("tty", Some('t'), Flag("/Tty")),
    ("ulimit", None, Special(ulimit)),
    ("user", Some('u'), Text("/User")),
    ("userns", None, Text("/HostConfig/UsernsMode")),
    ("uts", None, Text("/HostConfig/UTSMode")),
    ("volume", Some('v'), Special(volume)),
    ("volume-driver", None, Text("/HostConfig/VolumeDriver")),
    ("volumes-from", None, List("/HostConfig/VolumesFrom")),
    ("workdir", Some('w'), Text("/WorkingDir")),
];

/// What is wrong with a flag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RunArgFault {
    /// Nobody knows it.
    #[error("`{}` is no flag of `docker run` that can be passed on", .flag.escape_debug())]
    Unknown {
        /// As it is written.
        flag: String,
        /// What was probably meant.
        near: Option<String>,
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
    /// It is no flag at all.
    #[error("`{}` is no flag", .0.escape_debug())]
    NoFlag(String),
}

impl Hint for RunArgFault {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown {
                near: Some(near), ..
            } => Some(format!("did you mean `{near}`?")),
            Self::Unknown { .. } => Some("take it out of `runArgs`".to_owned()),
            Self::NoFlag(_) => Some(
                "each flag and each value is a member of its own: `[\"--shm-size\", \"1g\"]`"
                    .to_owned(),
            ),
            Self::NoValue(_) | Self::Value { .. } => None,
        }
    }
}

/// A flag with its value, as it was written.
struct Given<'a> {
    written: String,
    does: Does,
    value: Option<&'a str>,
}

/// What the host knows that a flag may refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Host<'a> {
    /// The texts of the files that flags name, by path.
    pub(super) files: &'a BTreeMap<String, String>,
    /// The environment.
    pub(super) environment: &'a BTreeMap<String, String>,
}

impl Host<'_> {
    /// `NAME=value`; a name alone has the value that it has on the host, if it has one there.
    fn variable(self, text: &str) -> String {
        match self.environment.get(text) {
            Some(value) if !text.contains('=') => format!("{text}={value}"),
            _ => text.to_owned(),
        }
    }
}

/// Adds what `args` say to the plan.
pub(super) fn apply(
    plan: &mut ContainerPlan,
    args: &[String],
    host: Host<'_>,
) -> Result<(), RunArgFault> {
    for given in parse(args)? {
        let fault = |reason: String| RunArgFault::Value {
            flag: given.written.clone(),
            value: given.value.unwrap_or_default().to_owned(),
            reason,
        };
        let value = given.value.unwrap_or("true");
        let text = |text: &str| Value::from(text);
        match given.does {
            Text(pointer) => *plan.at(pointer) = text(value),
            Number(pointer) => {
                let number: i64 = value
                    .parse()
                    .map_err(|_| fault("no whole number".to_owned()))?;
                *plan.at(pointer) = number.into();
            }
            Bytes(pointer) => {
                let size =
                    bytes(value).ok_or_else(|| fault("no size, such as `512m`".to_owned()))?;
                *plan.at(pointer) = size.into();
            }
            Nanoseconds(pointer) => {
                let time = nanoseconds(value);
                let time = time.ok_or_else(|| fault("no duration, such as `30s`".to_owned()))?;
                *plan.at(pointer) = time.into();
            }
            Flag(pointer) => {
                let flag: bool = value
                    .parse()
                    .map_err(|_| fault("true or false".to_owned()))?;
                *plan.at(pointer) = flag.into();
            }
            List("/Env") => plan.push("/Env", host.variable(value)),
            List(pointer) => plan.push(pointer, value),
            Pair(pointer) => {
                let (name, value) = value.split_once('=').unwrap_or((value, ""));
                plan.at(pointer)[name] = text(value);
            }
            Special(act) => act(plan, value).map_err(fault)?,
            File(act) => {
                let text = host.files.get(value).map_or("", String::as_str);
                act(plan, text, host);
            }
            Client(why) | ClientValue(why) => {
                let flag = &given.written;
                plan.remarks
                    .push(format!("`{flag}` of `runArgs` is left aside: {why}"));
            }
        }
    }
    Ok(())
}

/// The files that the flags name.
pub(super) fn files(args: &[String]) -> Vec<String> {
    let given = parse(args).unwrap_or_default();
    let files = given
        .into_iter()
        .filter(|given| matches!(given.does, File(_)));
    files
        .filter_map(|given| given.value.map(str::to_owned))
        .collect()
}

fn parse(args: &[String]) -> Result<Vec<Given<'_>>, RunArgFault> {
    let mut all = Vec::new();
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        let Some(name) = arg.strip_prefix('-').filter(|name| !name.is_empty()) else {
            return Err(RunArgFault::NoFlag(arg.to_owned()));
        };
        let mut given = match name.strip_prefix('-') {
            Some(long) => vec![of_long(arg, long)?],
            None => of_short(arg, name)?,
        };
        if let Some(last) = given.last_mut()
            && takes_value(last.does)
            && last.value.is_none()
        {
            let value = args.next();
            last.value = Some(value.ok_or_else(|| RunArgFault::NoValue(last.written.clone()))?);
        }
        all.append(&mut given);
    }
    Ok(all)
}

fn takes_value(does: Does) -> bool {
    !matches!(does, Flag(_) | Client(_))
        && !matches!(does, Special(act) if std::ptr::fn_addr_eq(act, no_healthcheck as fn(&mut ContainerPlan, &str) -> Result<(), String>))
}

fn of_long<'a>(arg: &str, long: &'a str) -> Result<Given<'a>, RunArgFault> {
    let (name, value) = match long.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (long, None),
    };
    match FLAGS.iter().find(|(known, ..)| *known == name) {
        Some((_, _, does)) => Ok(Given {
            written: format!("--{name}"),
            does: *does,
            value,
        }),
        None => Err(RunArgFault::Unknown {
            flag: arg.to_owned(),
            near: nearest(name, FLAGS.iter().map(|(known, ..)| *known))
                .map(|near| format!("--{near}")),
        }),
    }
}

/// `-it`, `-p8080:80`, `-u=me`: short flags in one word, of which the last may have a value.
fn of_short<'a>(arg: &str, shorts: &'a str) -> Result<Vec<Given<'a>>, RunArgFault> {
    let mut all = Vec::new();
    for (at, short) in shorts.char_indices() {
        let flag = FLAGS.iter().find(|(_, known, _)| *known == Some(short));
        let Some((_, _, does)) = flag else {
            return Err(RunArgFault::Unknown {
                flag: arg.to_owned(),
                near: None,
            });
        };
        let rest = &shorts[at + short.len_utf8()..];
        let is_last = takes_value(*does) || rest.starts_with('=');
        let value = rest.strip_prefix('=').unwrap_or(rest);
        all.push(Given {
            written: format!("-{short}"),
            does: *does,
            value: Some(value).filter(|value| is_last && !value.is_empty()),
        });
        if is_last {
            break;
        }
    }
    Ok(all)
}

/// A size in bytes: a number, which may have a fraction, and a unit of 1024 (docker/go-units, `RAMInBytes`); -1 is no limit.
pub(super) fn bytes(text: &str) -> Option<i64> {
    if text == "-1" {
        return Some(-1);
    }
    let text = text.trim().to_lowercase();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let power = match unit.trim().trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    whole(number * 1024_f64.powi(power))
}

/// The whole part of a number that is small enough to be exact.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the bound, 2^53, is below that of the type"
)]
fn whole(number: f64) -> Option<i64> {
    (number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

/// `1m30s`, `500ms` (Go's documentation, `time.ParseDuration`).
fn nanoseconds(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let unit = &rest[end..];
        let next = unit
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(unit.len());
        total += number
            * match &unit[..next] {
                "ns" => 1.0,
                "us" | "µs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 60e9,
                "h" => 3600e9,
                _ => return None,
            };
        rest = &unit[next..];
    }
    whole(total)
}

fn add_host(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    // The engine wants a colon, the client takes an equals sign too, which an address of IPv6 needs.
    let (name, address) = value
        .split_once('=')
        .or_else(|| value.split_once(':'))
        .ok_or("it is not NAME:ADDRESS")?;
    plan.push("/HostConfig/ExtraHosts", format!("{name}:{address}"));
    Ok(())
}

fn cpus(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    let count: f64 = value.parse().map_err(|_| "no number".to_owned())?;
    let nano = whole(count * 1e9).ok_or("too many")?;
    *plan.at("/HostConfig/NanoCpus") = nano.into();
    Ok(())
}

/// `PATH[:PATH-IN-CONTAINER[:rwm]]`, or the name of a device of CDI: `vendor.com/class=name`.
fn device(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    if !value.starts_with('/') && value.contains('=') && value.contains('/') {
        plan.push(
            "/HostConfig/DeviceRequests",
            json!({ "Driver": "cdi", "DeviceIDs": [value] }),
        );
        return Ok(());
    }
    let parts: Vec<&str> = value.split(':').collect();
    let is_mode = |part: &str| !part.is_empty() && part.chars().all(|c| "rwm".contains(c));
    let (inside, mode) = match parts[..] {
        [host] => (host, "rwm"),
        [host, mode] if is_mode(mode) => (host, mode),
        [_, inside] => (inside, "rwm"),
        [_, inside, mode] if is_mode(mode) => (inside, mode),
        _ => return Err("it is not PATH:PATH:MODE".to_owned()),
    };
    plan.push(
        "/HostConfig/Devices",
        json!({ "PathOnHost": parts[0], "PathInContainer": inside, "CgroupPermissions": mode }),
    );
    Ok(())
}

fn expose(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    let (ports, protocol) = value.split_once('/').unwrap_or((value, "tcp"));
    for port in range(ports)? {
        plan.at("/ExposedPorts")[format!("{port}/{protocol}")] = json!({});
    }
    Ok(())
}

/// `all`, a count, or fields of CSV: `device=0`, `"capabilities=gpu,utility"` (docker's documentation, "Access an NVIDIA GPU").
fn gpus(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    let mut request = json!({ "Driver": "", "Count": 0, "Capabilities": [["gpu"]] });
    let mut fields = Vec::new();
    let mut rest = value;
    while !rest.is_empty() {
        let (field, left) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or("a quote is not closed")?,
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        fields.push(field);
        rest = left.strip_prefix(',').unwrap_or(left);
    }
    let mut count: Option<i64> = None;
    for field in fields {
        match field.split_once('=') {
            None | Some(("count", _)) => {
                let text = field.trim_start_matches("count=");
                let number = if text == "all" { Ok(-1) } else { text.parse() };
                count = Some(number.map_err(|_| "it is neither `all` nor a count")?);
            }
            Some(("device", ids)) => {
                request["DeviceIDs"] = ids.split(',').collect();
            }
            Some(("driver", driver)) => request["Driver"] = driver.into(),
            Some(("capabilities", all)) => {
                let all = all.split(',').filter(|one| *one != "gpu");
                let all: Vec<&str> = std::iter::once("gpu").chain(all).collect();
                request["Capabilities"] = json!([all]);
            }
            Some(("options", _)) => return Err("`options` cannot be passed on".to_owned()),
            Some((other, _)) => return Err(format!("`{other}` is no field of it")),
        }
    }
    let default = i64::from(request.get("DeviceIDs").is_none());
    request["Count"] = count.unwrap_or(default).into();
    plan.push("/HostConfig/DeviceRequests", request);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "every flag has this form")]
fn health_cmd(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    *plan.at("/Healthcheck/Test") = json!(["CMD-SHELL", value]);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "every flag has this form")]
fn no_healthcheck(plan: &mut ContainerPlan, _: &str) -> Result<(), String> {
    *plan.at("/Healthcheck/Test") = json!(["NONE"]);
    Ok(())
}

fn add_mount(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    let mount = mount(&value.into()).map_err(|fault| fault.to_string())?;
    plan.push("/HostConfig/Mounts", mount);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "every flag has this form")]
fn name(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    plan.name = Some(value.to_owned());
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "every flag has this form")]
fn platform(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    plan.platform = Some(value.to_owned());
    Ok(())
}

/// `[[ADDRESS:]PORT:]PORT[/PROTOCOL]`, where each may be a range.
pub(super) fn publish(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    let (ports, protocol) = value.split_once('/').unwrap_or((value, "tcp"));
    let (before, inside) = ports.rsplit_once(':').unwrap_or(("", ports));
    let (address, outside) = match before.rsplit_once(':') {
        Some((address, outside)) => (address.trim_matches(['[', ']']), outside),
        None if before.contains('.') => (before, ""),
        None => ("", before),
    };
    let inside = range(inside)?;
    let outside = if outside.is_empty() {
        Vec::new()
    } else {
        range(outside)?
    };
    let is_paired = outside.is_empty() || outside.len() == inside.len();
    if !is_paired && inside.len() > 1 {
        return Err("the ranges are of different lengths".to_owned());
    }
    for (index, port) in inside.iter().enumerate() {
        let host_port = match (outside.as_slice(), is_paired) {
            ([], _) => String::new(),
            (outside, true) => outside[index].to_string(),
            // One port inside for a range outside: the engine takes a free one.
            (outside, false) => format!("{}-{}", outside[0], outside[outside.len() - 1]),
        };
        let name = format!("{port}/{protocol}");
        plan.at("/ExposedPorts")[&name] = json!({});
        let bindings = &mut plan.at("/HostConfig/PortBindings")[&name];
        let binding = json!({ "HostIp": address, "HostPort": host_port });
        match bindings {
            Value::Array(all) => all.push(binding),
            none => *none = json!([binding]),
        }
    }
    Ok(())
}

/// `8000` or `8000-8010`.
fn range(text: &str) -> Result<Vec<u16>, String> {
    let port = |text: &str| text.parse::<u16>().map_err(|_| "no port".to_owned());
    match text.split_once('-') {
        Some((first, last)) => Ok((port(first)?..=port(last)?).collect()),
        None => Ok(vec![port(text)?]),
    }
}

fn restart(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    let (policy, most) = value.split_once(':').unwrap_or((value, "0"));
    let most: u32 = most.parse().map_err(|_| "no number of times".to_owned())?;
    *plan.at("/HostConfig/RestartPolicy") = json!({ "Name": policy, "MaximumRetryCount": most });
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "every flag has this form")]
fn tmpfs(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    let (path, options) = value.split_once(':').unwrap_or((value, ""));
    plan.at("/HostConfig/Tmpfs")[path] = options.into();
    Ok(())
}

/// `NAME=SOFT[:HARD]`.
fn ulimit(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    let (name, limits) = value.split_once('=').ok_or("it is not NAME=SOFT:HARD")?;
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let number = |text: &str| match text {
        "unlimited" => Ok(-1),
        text => text.parse::<i64>().map_err(|_| "no number".to_owned()),
    };
    let limit = json!({ "Name": name, "Soft": number(soft)?, "Hard": number(hard)? });
    plan.push("/HostConfig/Ulimits", limit);
    Ok(())
}

/// `PATH` alone is a volume without a name; all else is a bind in the engine's own form.
#[expect(clippy::unnecessary_wraps, reason = "every flag has this form")]
fn volume(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    if value.contains(':') {
        plan.push("/HostConfig/Binds", value);
    } else {
        plan.at("/Volumes")[value] = json!({});
    }
    Ok(())
}

/// `NAME=value` lines, with comments; a name alone has the host's value, or is left out.
fn env_file(plan: &mut ContainerPlan, text: &str, host: Host<'_>) {
    for line in lines(text) {
        let variable = host.variable(line);
        if variable.contains('=') {
            plan.push("/Env", variable);
        }
    }
}

fn label_file(plan: &mut ContainerPlan, text: &str, _: Host<'_>) {
    for line in lines(text) {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        plan.at("/Labels")[name] = value.into();
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(str::trim_start);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
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
