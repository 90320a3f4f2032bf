//! Texts that are checked, and passed on as the engine takes them.

use super::value::{address as address_of, pair};

/// `NAME:ADDRESS` or `NAME=ADDRESS`, where an address may be in brackets, and `host-gateway` is one.
pub(super) fn host(value: &str) -> Result<String, String> {
    // The engine wants a colon; an equals sign is easier to tell from an address of IPv6.
    let (name, address) = match value.split_once('=') {
        Some(pair) => pair,
        None => value.split_once(':').ok_or("it is not NAME:ADDRESS")?,
    };
    if name.is_empty() || name.contains(':') {
        return Err("it is not NAME:ADDRESS".to_owned());
    }
    let bare = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(address);
    if bare != "host-gateway" && address_of(bare.trim()).is_none() {
        return Err(format!("`{bare}` is no address"));
    }
    Ok(format!("{name}:{bare}"))
}

/// An address of a server of names.
pub(super) fn dns(value: &str) -> Result<String, String> {
    let address = address_of(value.trim()).ok_or("it is no address")?;
    Ok(address.to_string())
}

/// A domain in which names are looked for; a dot is none.
pub(super) fn dns_search(value: &str) -> Result<String, String> {
    let value = value.trim_matches(' ');
    if value == "." {
        return Ok(value.to_owned());
    }
    let domain = value.trim_end();
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let is_label = |label: &str| {
        let ends = [label.chars().next(), label.chars().last()];
        ends.iter()
            .all(|end| end.is_some_and(|c| c.is_ascii_alphanumeric()))
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let has_letter = domain.contains(|c: char| c.is_ascii_alphabetic());
    if has_letter && domain.len() < 255 && domain.split('.').all(is_label) {
        Ok(domain.to_owned())
    } else {
        Err("it is no domain".to_owned())
    }
}

/// `CONTAINER[:ALIAS]`
pub(super) fn link(value: &str) -> Result<String, String> {
    if value.is_empty() || value.split(':').count() > 2 {
        return Err("it is not CONTAINER:ALIAS".to_owned());
    }
    Ok(value.to_owned())
}

/// A setting of the kernel that a container can have for itself.
pub(super) fn sysctl(value: &str) -> Result<(String, String), String> {
    const ALONE: &[&str] = &[
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    ];
    let (name, setting) = value.split_once('=').ok_or("it is not NAME=value")?;
    let is_below = ["net.", "fs.mqueue."]
        .iter()
        .any(|start| name.starts_with(start));
    if !is_below && !ALONE.contains(&name) {
        return Err("a container cannot have it for itself".to_owned());
    }
    Ok((name.to_owned(), setting.to_owned()))
}

/// An option of the storage driver.
pub(super) fn storage_option(value: &str) -> Result<(String, String), String> {
    let (name, value) = value.split_once('=').ok_or("it is not NAME=value")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A name, which may have a value.
#[expect(clippy::unnecessary_wraps, reason = "others of this form check")]
pub(super) fn any_pair(value: &str) -> Result<(String, String), String> {
    let (name, value) = pair(value);
    Ok((name.to_owned(), value.to_owned()))
}

/// A variable: a name, which may have a value.
pub(super) fn variable(value: &str) -> Result<(), String> {
    let (name, _) = pair(value);
    if name.is_empty() {
        return Err("it has no name".to_owned());
    }
    Ok(())
}

/// A label: a name without spaces, which may have a value.
pub(super) fn label(value: &str) -> Result<(String, String), String> {
    let (name, value) = pair(value);
    let bare = name.trim_start_matches([' ', '\t']);
    if bare.is_empty() {
        return Err("it has no name".to_owned());
    }
    if bare.contains([' ', '\t']) {
        return Err("its name has a space".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// `c 1:3 rwm`
pub(super) fn cgroup_rule(value: &str) -> Result<String, String> {
    let is_number =
        |text: &str| text == "*" || !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let is_rule = match value.split(' ').collect::<Vec<_>>()[..] {
        ["a" | "c" | "b", numbers, mode] => {
            let are_numbers = numbers
                .split_once(':')
                .is_some_and(|(major, minor)| is_number(major) && is_number(minor));
            let is_mode = (1..=3).contains(&mode.len()) && mode.chars().all(|c| "rwm".contains(c));
            are_numbers && is_mode
        }
        _ => false,
    };
    if is_rule {
        Ok(value.to_owned())
    } else {
        Err("it is not `TYPE MAJOR:MINOR MODE`, such as `c 1:3 rwm`".to_owned())
    }
}
