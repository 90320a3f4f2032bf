//! Values of flags, as the docker client reads them: Go's numbers, durations and CSV, docker's sizes, addresses.

use std::net::IpAddr;

/// `true` and `false` as Go has them (Go's documentation, `strconv.ParseBool`).
pub(in super::super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// A whole number, which may have a sign, the prefix of its base, and underscores between its digits (Go's documentation,
/// `strconv.ParseInt` with base 0).
pub(super) fn integer(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(digits) = lower.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = lower.strip_prefix("0b") {
        (2, digits)
    } else if let Some(digits) = lower.strip_prefix("0o") {
        (8, digits)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    // After a prefix there may be an underscore.
    let digits = digits
        .strip_prefix('_')
        .filter(|_| radix != 10)
        .unwrap_or(digits);
    let is_well_formed = digits
        .split('_')
        .all(|part| !part.is_empty() && part.chars().all(|c| c.is_digit(radix)));
    let magnitude = i128::from_str_radix(&digits.replace('_', ""), radix)
        .ok()
        .filter(|_| is_well_formed)?;
    i64::try_from(if is_negative { -magnitude } else { magnitude }).ok()
}

/// A number without a fraction, of which the base is ten.
pub(super) fn decimal(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// A size in bytes: a number, which may have a fraction, and a unit of 1024 (docker/go-units, `RAMInBytes`).
pub(in super::super) fn bytes(text: &str) -> Option<i64> {
    let last = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ')?;
    let number = text[..=last].strip_suffix(' ').unwrap_or(&text[..=last]);
    let unit = text[last + 1..].to_ascii_lowercase();
    let number: f64 = number.parse().ok()?;
    let power = match unit.as_str() {
        "" | "b" => 0,
        unit => {
            let letter = ["", "b", "ib"]
                .iter()
                .find_map(|end| unit.strip_suffix(end).filter(|left| left.len() == 1));
            1 + "kmgtp".find(letter?)?
        }
    };
    let power = i32::try_from(power).ok()?;
    whole(number * 1024_f64.powi(power)).filter(|size| *size >= 0)
}

/// The whole part of a number, if its type has it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the bound, 2^63, is that of the type"
)]
fn whole(number: f64) -> Option<i64> {
    (number.abs() < 9_223_372_036_854_775_808.0).then_some(number as i64)
}

/// A number of CPUs in billionths: `1.5`, `3/2` or `15e-1`, which must have no finer part (Go's documentation, `big.Rat.SetString`).
pub(super) fn nano_cpus(text: &str) -> Option<i64> {
    const NANO: i128 = 1_000_000_000;
    if let Some((above, below)) = text.split_once('/') {
        let above: i64 = above.parse().ok()?;
        let below = i128::from(below.parse::<u32>().ok().filter(|below| *below > 0)?);
        let nano = i128::from(above) * NANO;
        return i64::try_from(nano / below)
            .ok()
            .filter(|_| nano % below == 0);
    }
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = !whole.trim_start_matches(['-', '+']).is_empty() || !fraction.is_empty();
    if !is_number || !fraction.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let digits: i64 = format!("{whole}{fraction}").parse().ok()?;
    let exponent: i32 = exponent.parse().ok()?;
    let shift = exponent.checked_add(9)? - i32::try_from(fraction.len()).ok()?;
    let factor = 10_i128.checked_pow(shift.unsigned_abs())?;
    let digits = i128::from(digits);
    let nano = if shift >= 0 {
        digits.checked_mul(factor)?
    } else if digits % factor == 0 {
        digits / factor
    } else {
        return None;
    };
    i64::try_from(nano).ok()
}

/// `1m30s`, `500ms`, `0` (Go's documentation, `time.ParseDuration`).
pub(super) fn nanoseconds(text: &str) -> Option<i64> {
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_i128;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at(end);
        let end = unit
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(unit.len());
        total += span(number, &unit[..end])?;
        rest = &unit[end..];
    }
    i64::try_from(if is_negative { -total } else { total }).ok()
}

/// So many nanoseconds are a number of a unit.
fn span(number: &str, unit: &str) -> Option<i128> {
    let unit: i128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i64 = format!("{whole}{fraction}").parse().ok()?;
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    Some(i128::from(digits) * unit / scale)
}

/// The fields of the first line of CSV, where a field may be quoted, and quotes in a quoted one are doubled (Go's documentation,
/// `encoding/csv`).
pub(in super::super) fn csv(text: &str) -> Result<Vec<String>, String> {
    let mut rest = text.trim_start_matches(['\r', '\n']);
    if rest.is_empty() {
        return Err("it is empty".to_owned());
    }
    let mut fields = Vec::new();
    loop {
        let (field, left) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted_field(quoted)?
        } else {
            let (field, left) = rest.split_at(rest.find([',', '\n']).unwrap_or(rest.len()));
            if field.contains('"') {
                return Err("a field that has a quote must be quoted".to_owned());
            }
            (field.trim_end_matches('\r').to_owned(), left)
        };
        fields.push(field);
        match left.strip_prefix(',') {
            Some(left) => rest = left,
            None => return Ok(fields),
        }
    }
}

/// The field that begins after a quote, and what follows the quote at its end.
fn quoted_field(text: &str) -> Result<(String, &str), String> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (part, left) = rest.split_once('"').ok_or("a quote is not closed")?;
        field.push_str(part);
        if let Some(left) = left.strip_prefix('"') {
            field.push('"');
            rest = left;
        } else if left.is_empty() || left.starts_with([',', '\n', '\r']) {
            return Ok((field, left));
        } else {
            return Err("a quote ends before its field does".to_owned());
        }
    }
}

/// `NAME=value`; without an equals sign, the value is empty.
pub(super) fn pair(text: &str) -> (&str, &str) {
    text.split_once('=').unwrap_or((text, ""))
}

/// An address of IPv4 or IPv6.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

/// Whether it is a hardware address: 6, 8 or 20 bytes, in pairs of digits or in fours (Go's documentation, `net.ParseMAC`).
pub(super) fn is_mac(text: &str) -> bool {
    let separator = text.chars().find(|c| !c.is_ascii_hexdigit());
    let (separator, digits) = match separator {
        Some(sign @ (':' | '-')) => (sign, 2),
        Some('.') => ('.', 4),
        _ => return false,
    };
    let mut parts = text.split(separator);
    let is_even = parts
        .clone()
        .all(|part| part.len() == digits && part.chars().all(|c| c.is_ascii_hexdigit()));
    is_even && [6, 8, 20].contains(&(parts.by_ref().count() * digits / 2))
}

/// A path without `.`, `..` and doubled slashes, as far as that can be told from itself (Go's documentation, `path.Clean`).
pub(super) fn clean(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut kept: Vec<&str> = Vec::new();
    for step in path
        .split('/')
        .filter(|step| !step.is_empty() && *step != ".")
    {
        match (step, kept.last()) {
            ("..", Some(last)) if *last != ".." => {
                kept.pop();
            }
            ("..", None) if !root.is_empty() => {}
            _ => kept.push(step),
        }
    }
    match format!("{root}{}", kept.join("/")) {
        path if path.is_empty() => ".".to_owned(),
        path => path,
    }
}

/// A path that begins with a dot is one below `folder`; any other stays as it is written.
pub(in super::super) fn absolute(path: &str, folder: &str) -> String {
    if path.starts_with('.') && folder.starts_with('/') {
        clean(&format!("{folder}/{path}"))
    } else {
        path.to_owned()
    }
}

/// Systems and architectures that a platform of one word can be.
const SYSTEMS: &[&str] = &[
    "aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "solaris", "windows",
];
const ARCHITECTURES: &[&str] = &[
    "386", "amd64", "arm", "arm64", "loong64", "mips64", "mips64le", "ppc64", "ppc64le", "riscv64",
    "s390x",
];

/// `OS/ARCHITECTURE/VARIANT`, or one of the first two alone, by the names that images go by (containerd/platforms, `Parse`).
pub(super) fn platform(text: &str) -> Result<String, String> {
    let lower = text.to_lowercase();
    let parts: Vec<&str> = lower.split('/').collect();
    let is_word = |part: &&str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    };
    if parts.len() > 3 || !parts.iter().all(is_word) {
        return Err("it is not OS/ARCHITECTURE/VARIANT".to_owned());
    }
    let system = |name: &str| if name == "macos" { "darwin" } else { name }.to_owned();
    let (system, (architecture, variant)) = match parts[..] {
        [only] if SYSTEMS.contains(&system(only).as_str()) => {
            (system(only), architecture(std::env::consts::ARCH, ""))
        }
        [only] => (std::env::consts::OS.to_owned(), architecture(only, "")),
        [first, second] => (system(first), architecture(second, "")),
        _ => (system(parts[0]), architecture(parts[1], parts[2])),
    };
    if parts.len() == 1 && !ARCHITECTURES.contains(&architecture.as_str()) {
        return Err("it is neither a system nor an architecture".to_owned());
    }
    let variant = match (architecture.as_str(), variant.as_str(), parts.len()) {
        ("arm", "v7", 1 | 2) => String::new(),
        ("arm64", "", 3) => "v8".to_owned(),
        _ => variant,
    };
    let parts = [system, architecture, variant];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Ok(parts.join("/"))
}

fn architecture(name: &str, variant: &str) -> (String, String) {
    let (name, variant) = match (name, variant) {
        ("i386" | "x86", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        other => other,
    };
    (name.to_owned(), variant.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        let integers = [
            ("10", Some(10)),
            ("-1", Some(-1)),
            ("+1", Some(1)),
            ("0x10", Some(16)),
            ("010", Some(8)),
            ("0b11", Some(3)),
            ("1_000", Some(1000)),
            ("0x_f", Some(15)),
            ("1__0", None),
            ("_1", None),
            ("08", None),
            ("1.5", None),
            ("", None),
            ("9223372036854775808", None),
        ];
        for (text, expected) in integers {
            assert_eq!(integer(text), expected, "{text}");
        }
        let sizes = [
            ("1g", Some(1 << 30)),
            ("1.5k", Some(1536)),
            ("10 MiB", Some(10 << 20)),
            ("10Kb", Some(10 << 10)),
            ("7b", Some(7)),
            (".5k", Some(512)),
            ("1e1k", Some(10 << 10)),
            ("16p", Some(16 << 50)),
            ("-1", None),
            ("10bb", None),
            ("10xb", None),
            ("10 k b", None),
            ("k", None),
            ("", None),
        ];
        for (text, expected) in sizes {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn parts_of_cpus_and_of_seconds_are_exact() {
        let cpus = [
            ("1.5", Some(1_500_000_000)),
            ("3/2", Some(1_500_000_000)),
            ("15e-1", Some(1_500_000_000)),
            (".5", Some(500_000_000)),
            ("-1", Some(-1_000_000_000)),
            ("0.0000000001", None),
            ("1/3", None),
            ("1/0", None),
            ("two", None),
            (".", None),
            ("", None),
        ];
        for (text, expected) in cpus {
            assert_eq!(nano_cpus(text), expected, "{text}");
        }
        let times = [
            ("1m30s", Some(90_000_000_000)),
            ("1.5s", Some(1_500_000_000)),
            (".5ms", Some(500_000)),
            ("-2s", Some(-2_000_000_000)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("1µs", Some(1_000)),
            ("5", None),
            ("s", None),
            ("1d", None),
            ("", None),
        ];
        for (text, expected) in times {
            assert_eq!(nanoseconds(text), expected, "{text}");
        }
    }

    #[test]
    fn a_line_of_csv_ends_where_it_says() {
        let table: [(&str, Result<&[&str], ()>); 8] = [
            ("a,b", Ok(&["a", "b"])),
            ("\"a,b\",c", Ok(&["a,b", "c"])),
            ("\"a\"\"b\"", Ok(&["a\"b"])),
            ("a,", Ok(&["a", ""])),
            ("a\nb", Ok(&["a"])),
            ("a\"b", Err(())),
            ("\"a\"b", Err(())),
            ("\"a", Err(())),
        ];
        for (text, expected) in table {
            let found = csv(text).map_err(|_| ());
            let expected = expected.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn paths_are_cleaned_and_relative_ones_are_below_the_folder() {
        let table = [
            ("./a", "/w/a"),
            ("../a//b/", "/a/b"),
            (".", "/w"),
            ("../../..", "/"),
            ("a/./b", "a/./b"),
            ("~/a", "~/a"),
            ("/a/../b", "/a/../b"),
        ];
        for (path, expected) in table {
            assert_eq!(absolute(path, "/w"), expected, "{path}");
        }
        assert_eq!(clean("/a/../../b/./c/"), "/b/c");
        assert_eq!(clean("a/../.."), "..");
    }

    #[test]
    fn a_platform_goes_by_the_names_of_images() {
        let table = [
            ("linux/x86_64", Some("linux/amd64")),
            ("Linux/AMD64", Some("linux/amd64")),
            ("linux/aarch64", Some("linux/arm64")),
            ("linux/arm64/v8", Some("linux/arm64/v8")),
            ("linux/arm/7", Some("linux/arm/v7")),
            ("linux/arm", Some("linux/arm")),
            ("linux/arm/v6", Some("linux/arm/v6")),
            ("linux/i386", Some("linux/386")),
            ("toaster", None),
            ("linux/", None),
            ("a/b/c/d", None),
        ];
        for (text, expected) in table {
            assert_eq!(platform(text).ok().as_deref(), expected, "{text}");
        }
    }
}
