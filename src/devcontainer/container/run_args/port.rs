//! Ports that are published or exposed.

use super::super::ContainerPlan;
use serde_json::{Value, json};
use std::net::IpAddr;

/// `[[ADDRESS:]PORT:]PORT[/PROTOCOL]`, where each port may be a range, or `published=PORT,target=PORT,protocol=PROTOCOL`.
pub(in super::super) fn publish(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    let value = if value.contains('=') {
        short_form(value)?
    } else {
        value.to_owned()
    };
    let (address, outside, inside) = parts(&value)?;
    let (inside, protocol) = protocol(inside);
    let protocol = protocol.to_lowercase();
    if !["tcp", "udp", "sctp"].contains(&protocol.as_str()) {
        return Err(format!("`{protocol}` is neither tcp nor udp nor sctp"));
    }
    let (first, last) = range(inside)?;
    let outside = Some(outside).filter(|outside| !outside.is_empty());
    let outside = outside.map(range).transpose()?;
    let is_paired = outside.is_none_or(|(start, end)| end - start == last - first);
    if !is_paired && first != last {
        return Err("the ranges are of different lengths".to_owned());
    }
    for port in first..=last {
        let host_port = match outside {
            None => String::new(),
            Some((start, _)) if is_paired => (start + (port - first)).to_string(),
            // One port inside for a range outside: the engine takes a free one.
            Some((start, end)) => format!("{start}-{end}"),
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

/// The form with fields, as the one with colons.
fn short_form(value: &str) -> Result<String, String> {
    let (mut published, mut target, mut protocol) = ("", "", "tcp");
    for field in value.split(',') {
        match field.split_once('=') {
            Some(("published", port)) => published = port,
            Some(("target", port)) => target = port,
            Some(("protocol", name)) => protocol = name,
            Some((name, _)) if !name.is_empty() => {}
            _ => return Err(format!("its field `{field}` is not NAME=value")),
        }
    }
    Ok(format!("{published}:{target}/{protocol}"))
}

/// The address and the port outside, and what is inside.
fn parts(value: &str) -> Result<(&str, &str, &str), String> {
    let (before, inside) = value.rsplit_once(':').unwrap_or(("", value));
    let (address, outside) = before.rsplit_once(':').unwrap_or(("", before));
    let bare = match address.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .ok_or("a bracket is not closed".to_owned())?,
        None => address,
    };
    if !bare.is_empty() && bare.parse::<IpAddr>().is_err() {
        return Err(format!("`{bare}` is no address"));
    }
    Ok((bare, outside, inside))
}

/// A port or a range, and its protocol.
fn protocol(text: &str) -> (&str, &str) {
    let mut halves = text.split('/');
    let range = halves.next().unwrap_or_default();
    let protocol = halves.next().filter(|protocol| !protocol.is_empty());
    (range, protocol.unwrap_or("tcp"))
}

/// `PORT[-PORT][/PROTOCOL]`
pub(super) fn expose(plan: &mut ContainerPlan, value: &str) -> Result<(), String> {
    let (ports, protocol) = protocol(value);
    let (first, last) = range(ports)?;
    for port in first..=last {
        plan.at("/ExposedPorts")[format!("{port}/{protocol}")] = json!({});
    }
    Ok(())
}

/// `8000` or `8000-8010`: the first and the last.
fn range(text: &str) -> Result<(u16, u16), String> {
    let port = |text: &str| {
        let is_number = text.chars().all(|c| c.is_ascii_digit());
        let port = text.parse::<u16>().ok().filter(|_| is_number);
        port.ok_or_else(|| format!("`{text}` is no port"))
    };
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (port(first)?, port(last)?),
        None => (port(text)?, port(text)?),
    };
    if last < first {
        return Err("its range ends before it begins".to_owned());
    }
    Ok((first, last))
}
