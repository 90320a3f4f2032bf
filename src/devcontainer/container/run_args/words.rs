//! The words of `runArgs` → flags with their values, as the docker client splits them.

use super::Does::Never;
use super::fault::RunArgFault;
use super::{FLAGS, Flag};
use crate::hint::nearest;

/// A flag with its value, as it was written.
pub(super) struct Given<'a> {
    pub(super) written: String,
    pub(super) flag: &'static Flag,
    pub(super) value: Option<&'a str>,
}

pub(super) fn parse(args: &[String]) -> Result<Vec<Given<'_>>, RunArgFault> {
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
