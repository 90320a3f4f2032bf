//! Networks, and what a container is called and addressed by in each.

use super::fault::RunArgFault;
use super::value::{csv, decimal, is_mac};
use crate::devcontainer::container::{ContainerPlan, Need};
use serde_json::{Map, Value, json};

/// What a container is in a network.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Endpoint {
    pub(super) aliases: Vec<String>,
    pub(super) ip: String,
    pub(super) ip6: String,
    pub(super) link_local: Vec<String>,
    pub(super) mac: String,
    links: Vec<String>,
    driver_options: Map<String, Value>,
    priority: i64,
}

/// A network that a container is in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Network {
    name: String,
    endpoint: Endpoint,
}

/// Where a flag and a field of `--network` say the same thing.
type Both = (&'static str, &'static str);

impl Network {
    /// A name, or fields of CSV: `name=NAME,alias=ALIAS,ip=ADDRESS`; what has fields is in small letters.
    pub(super) fn parse(value: &str) -> Result<Self, String> {
        if !has_fields(value) {
            if value.trim().is_empty() {
                return Err("it names no network".to_owned());
            }
            return Ok(Self {
                name: value.to_owned(),
                endpoint: Endpoint::default(),
            });
        }
        let (mut name, mut endpoint) = (String::new(), Endpoint::default());
        for field in csv(value)? {
            let field = field.to_lowercase();
            let (key, text) = field
                .split_once('=')
                .filter(|(key, _)| !key.is_empty())
                .ok_or(format!("its field `{field}` is not NAME=value"))?;
            let text = text.trim().to_owned();
            match key.trim() {
                "name" => name = text,
                "alias" => endpoint.aliases.push(text),
                "ip" => endpoint.ip = text,
                "ip6" => endpoint.ip6 = text,
                "mac-address" => endpoint.mac = text,
                "link-local-ip" => endpoint.link_local.push(text),
                "driver-opt" => {
                    let (key, option) = text
                        .split_once('=')
                        .filter(|(key, _)| !key.is_empty())
                        .ok_or("its `driver-opt` is not NAME=value")?;
                    let option = option.trim().into();
                    endpoint
                        .driver_options
                        .insert(key.trim().to_owned(), option);
                }
                "gw-priority" => {
                    let priority = decimal(&text);
                    endpoint.priority =
                        priority.ok_or(format!("its `gw-priority` cannot be `{text}`"))?;
                }
                other => return Err(format!("`{other}` is no field of it")),
            }
        }
        if name.is_empty() {
            return Err("it names no network".to_owned());
        }
        if !endpoint.mac.is_empty() && !is_mac(&endpoint.mac) {
            return Err(format!("`{}` is no hardware address", endpoint.mac));
        }
        Ok(Self { name, endpoint })
    }

    /// Whether people made it, and not the engine.
    fn is_of_people(&self) -> bool {
        let is_of_engine = ["default", "bridge", "host", "none"].contains(&self.name.as_str());
        !is_of_engine && !self.name.starts_with("container:")
    }

    /// Adds what the flags say that name no network.
    fn add(&mut self, flags: Endpoint, links: &[String]) -> Result<(), Both> {
        let own = &mut self.endpoint;
        let texts = [
            (&mut own.ip, flags.ip, ("--ip", "ip")),
            (&mut own.ip6, flags.ip6, ("--ip6", "ip6")),
            (&mut own.mac, flags.mac, ("--mac-address", "mac-address")),
        ];
        for (place, text, both) in texts {
            match (place.is_empty(), text.is_empty()) {
                (false, false) => return Err(both),
                (_, true) => {}
                (true, false) => *place = text,
            }
        }
        let lists = [
            (
                &mut own.aliases,
                flags.aliases,
                ("--network-alias", "alias"),
            ),
            (
                &mut own.link_local,
                flags.link_local,
                ("--link-local-ip", "link-local-ip"),
            ),
        ];
        for (place, list, both) in lists {
            match (place.is_empty(), list.is_empty()) {
                (false, false) => return Err(both),
                (_, true) => {}
                (true, false) => *place = list,
            }
        }
        // In a network of the engine, links are the container's.
        if self.is_of_people() {
            self.endpoint.links = links.to_vec();
        }
        Ok(())
    }
}

/// Whether there is `NAME=value` in it, which makes it fields.
fn has_fields(value: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    value
        .match_indices('=')
        .any(|(at, _)| value[..at].ends_with(is_word) && value[at + 1..].starts_with(is_word))
}

impl Endpoint {
    /// In the form of the engine's API; what is not said is not there.
    fn settings(&self) -> Map<String, Value> {
        let mut settings = Map::new();
        let mut set = |name: &str, value: Value, is_empty: bool| {
            if !is_empty {
                settings.insert(name.to_owned(), value);
            }
        };
        set("Aliases", json!(self.aliases), self.aliases.is_empty());
        set("Links", json!(self.links), self.links.is_empty());
        set("MacAddress", json!(self.mac), self.mac.is_empty());
        set("GwPriority", json!(self.priority), self.priority == 0);
        let options = &self.driver_options;
        set("DriverOpts", json!(options), options.is_empty());
        let addresses = json!({ "IPv4Address": self.ip, "IPv6Address": self.ip6, "LinkLocalIPs": self.link_local });
        let has_none = self.ip.is_empty() && self.ip6.is_empty() && self.link_local.is_empty();
        set("IPAMConfig", addresses, has_none);
        settings
    }
}

/// Puts the container in `networks`, in the first of which it is what `flags` and `links` say.
pub(super) fn join(
    plan: &mut ContainerPlan,
    mut networks: Vec<Network>,
    flags: Endpoint,
    links: &[String],
) -> Result<(), RunArgFault> {
    if let Some(first) = networks.first() {
        *plan.at("/HostConfig/NetworkMode") = first.name.clone().into();
    } else {
        networks.push(Network {
            name: "default".to_owned(),
            endpoint: Endpoint::default(),
        });
    }
    let together = |first: &str, second: &str| RunArgFault::Together {
        first: first.to_owned(),
        second: second.to_owned(),
    };
    networks[0].add(flags, links).map_err(|(flag, field)| {
        together(
            flag,
            &format!("--network name={},{field}=…", networks[0].name),
        )
    })?;
    let is_alone = networks.len() == 1;
    let is_of_people = networks[0].is_of_people();
    for network in networks {
        let Network { name, endpoint } = &network;
        let fault = |reason: &str| RunArgFault::Value {
            flag: "--network".to_owned(),
            value: name.clone(),
            reason: reason.to_owned(),
        };
        if network.is_of_people() != is_of_people {
            return Err(fault(
                "it goes with no network that the engine makes itself",
            ));
        }
        if !is_of_people && !endpoint.aliases.is_empty() {
            return Err(fault(
                "an alias needs a network that was made by `docker network create`",
            ));
        }
        if !endpoint.mac.is_empty() {
            plan.needs.push(Need::new("`--mac-address`", 44));
        }
        let settings = endpoint.settings();
        if is_alone && settings.is_empty() {
            continue;
        }
        let endpoints = plan.at("/NetworkingConfig/EndpointsConfig");
        if endpoints.get(name).is_some() {
            return Err(fault("it is there twice"));
        }
        endpoints[name] = settings.into();
    }
    Ok(())
}
