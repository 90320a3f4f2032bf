//! A container in the making: what each flag says of it, and what they say together.

use super::Does::{
    Aside, AsideSwitch, Bytes, Checked, File, List, Never, Number, Object, OneOf, Pair, Special,
    Switch, Text, Toggle, Within,
};
use super::fault::RunArgFault;
use super::network::{self, Endpoint, Network};
use super::value::{boolean, nanoseconds, pair};
use super::words::{Given, parse};
use super::{number, one_of, size, within};
use crate::devcontainer::container::{ContainerPlan, Need};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What the host knows that a flag may refer to.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Host<'a> {
    /// The texts of the files that flags name, by path.
    pub(in super::super) files: &'a BTreeMap<String, String>,
    /// The environment.
    pub(in super::super) environment: &'a BTreeMap<String, String>,
    /// The project's folder, from which a relative path is meant.
    pub(in super::super) folder: &'a str,
}

impl<'a> Host<'a> {
    /// What stands in a file.
    pub(super) fn text(self, path: &str) -> Result<&'a str, String> {
        let text = self.files.get(path).map(String::as_str);
        text.ok_or_else(|| format!("`{path}` was not read"))
    }
}

/// A plan, and what becomes part of it when all flags are known.
pub(in super::super) struct Draft<'a> {
    pub(super) plan: &'a mut ContainerPlan,
    pub(super) host: Host<'a>,
    pub(super) attached: Vec<String>,
    pub(super) is_detached: bool,
    pub(super) variables_of_files: Vec<String>,
    pub(super) labels_of_files: Vec<String>,
    pub(super) healthcheck: Map<String, Value>,
    pub(super) has_no_healthcheck: bool,
    pub(super) cdi_devices: Vec<String>,
    pub(super) networks: Vec<Network>,
    pub(super) endpoint: Endpoint,
    pub(super) has_api_socket: bool,
}

impl<'a> Draft<'a> {
    pub(in super::super) fn new(plan: &'a mut ContainerPlan, host: Host<'a>) -> Self {
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
    pub(in super::super) fn add(&mut self, args: &[String]) -> Result<(), RunArgFault> {
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
            Number(pointer) => *self.plan.at(pointer) = number(value).map_err(fault)?.into(),
            Within(pointer, ref range) => {
                *self.plan.at(pointer) = within(value, range).map_err(fault)?.into();
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
            Toggle(place) => *place(self) = switch()?,
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
    pub(in super::super) fn finish(mut self) -> Result<(), RunArgFault> {
        self.finish_health()?;
        self.finish_streams()?;
        self.finish_names();
        self.refuse_contradictions()?;
        if !self.cdi_devices.is_empty() {
            let request = json!({ "Driver": "cdi", "DeviceIDs": self.cdi_devices });
            self.plan.push("/HostConfig/DeviceRequests", request);
        }
        if self.has_api_socket {
            self.mount_api_socket();
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
            let (name, _) = pair(variable);
            let is_last = flags[at + 1..].iter().all(|later| pair(later).0 != name);
            if is_last {
                variables.push(variable.clone());
            }
        }
        self.plan.body["Env"] = variables.into();
        for label in self.labels_of_files.iter().rev() {
            let (name, value) = pair(label);
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
    fn mount_api_socket(&mut self) {
        let socket = "/var/run/docker.sock";
        let mount = json!({ "Type": "bind", "Source": socket, "Target": socket });
        self.plan.push("/HostConfig/Mounts", mount);
        self.plan.remarks.push(
            "`--use-api-socket` of `runArgs` mounts the engine's socket, and puts no credentials for registries into the container".to_owned(),
        );
    }

    pub(super) fn health_time(&mut self, field: &str, text: &str) -> Result<(), String> {
        let time = nanoseconds(text).ok_or("no duration, such as `30s`")?;
        if time < 0 {
            return Err("it is less than nothing".to_owned());
        }
        self.healthcheck.insert(field.to_owned(), time.into());
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "every flag has this form")]
    pub(super) fn address(
        &mut self,
        ip: &str,
        place: fn(&mut Endpoint) -> &mut String,
    ) -> Result<(), String> {
        ip.clone_into(place(&mut self.endpoint));
        Ok(())
    }
}
