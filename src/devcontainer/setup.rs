//! What is done in a container before anybody works in it, and what it says of itself then: one script, run by root.

use super::lifecycle::{Hook, Moments, Past};
use super::process::Note;
use super::variable::Environment;

/// The script. It prints, each ended by a zero byte: the user's line of the list of users, the home folder, what each hook's marker
/// holds, what is remembered of a hook that failed, and how many commands were ended that nobody waits for any more.
///
/// Programs that start without the container's environment get it from `/etc/environment`, and a login shell keeps the path that it
/// was given: both as the reference does it, with its markers, so that no tool does it twice.
const SCRIPT: &str = r#"user=$1 environment=$2 home_of_environment=$3 record=$4 running=$5 started=$6
shift 6
entry=$(getent passwd "$user" 2>/dev/null)
if [ -z "$entry" ] && [ -r /etc/passwd ]; then
  while IFS=: read -r n p u g c h s; do
    if [ "$n" = "$user" ] || [ "$u" = "$user" ]; then entry=$n:$p:$u:$g:$c:$h:$s; break; fi
  done </etc/passwd
fi
rest=${entry#*:*:*:*:*:}
home=${home_of_environment:-${rest%%:*}}
home=${home:-/root}
mkdir -p /var/devcontainer 2>/dev/null
if [ -n "$environment" ] && mkdir /var/devcontainer/.patching 2>/dev/null; then
  [ -e /var/devcontainer/.patchEtcEnvironmentMarker ] || { printf '\n%s\n' "$environment" >>/etc/environment && : >/var/devcontainer/.patchEtcEnvironmentMarker; }
  [ -e /var/devcontainer/.patchEtcProfileMarker ] || {
    [ ! -w /etc/profile ] || sed -i -E 's#((^|[[:space:]])PATH=)([^$]*)$#\1${PATH:-\3}#g' /etc/profile
    : >/var/devcontainer/.patchEtcProfileMarker
  }
  rmdir /var/devcontainer/.patching
fi 2>/dev/null
folder=$home/.devcontainer
printf '%s\0%s\0' "$entry" "$home"
for hook in onCreateCommand updateContentCommand postCreateCommand postStartCommand; do
  if [ -e "$folder/.${hook}Marker" ]; then printf '+%s\0' "$(cat "$folder/.${hook}Marker")"; else printf -- '-\0'; fi
done
printf '%s\0' "$(cat "$folder/$record" 2>/dev/null)"
tell() {
  for process in /proc/[0-9]*; do
    { read -r line <"$process/stat"; } 2>/dev/null || continue
    set -- "$1" "$2" ${line##*) }
    [ "$6" != "$2" ] || kill -s "$1" "${process#/proc/}" 2>/dev/null
  done
}
runs() {
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  set -- "$1" ${line##*) }
  [ "$3" = 0 ] && [ "$5" = "$1" ] && [ "$2" != Z ]
}
ended=0
if [ -s "$folder/$running" ]; then
  while read -r leader moment; do
    [ "$moment" = "$started" ] && runs "$leader" || continue
    ended=$((ended + 1))
    tell TERM "$leader"
    for try in 1 2 3 4 5 6 7 8 9 10; do runs "$leader" || break; sleep 0.2; done
    tell KILL "$leader"
  done <"$folder/$running"
  rm -f "$folder/$running"
fi
printf '%s\0' "$ended"
"#;

/// The script that leaves the marker of hooks that were done, or what is remembered of one that failed, as the user's own files.
const MARK: &str = r#"home=$1 owner=$2 record=$3 running=$4 remembered=$5
shift 5
folder=$home/.devcontainer
set -e
rm -f "$folder/$running"
[ -d "$folder" ] || { mkdir -p "$folder" && chown "$owner" "$folder"; }
if [ -n "$remembered" ]; then
  printf '%s\n' "$remembered" >"$folder/$record" && chown "$owner" "$folder/$record"
else
  rm -f "$folder/$record"
fi
for marker in "$@"; do
  name=.${marker%%=*}Marker
  printf '%s\n' "${marker#*=}" >"$folder/$name" && chown "$owner" "$folder/$name"
done
"#;

/// The file beside the markers that holds what we remember.
const RECORD: &str = ".scaffoldUnfinished.json";

/// The file beside it in which commands are noted that run.
const RUNNING: &str = ".scaffoldRunning";

/// A line of the list of users (passwd(5)), as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// The uid and the gid, with a colon between them.
    pub(crate) owner: String,
}

/// What a container says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The user, if the container knows them.
    pub(crate) user: Option<User>,
    /// The home folder.
    pub(crate) home: String,
    /// Which hooks were done.
    pub(crate) past: Past,
    /// How many commands of an `up` that was killed still ran, and were ended.
    pub(crate) ended: usize,
}

impl Said {
    /// Where a hook's command is noted while it runs, in a container that was started at `moment`.
    pub(crate) fn note(&self, moment: &str) -> Note {
        Note {
            folder: format!("{}/.devcontainer", self.home),
            file: RUNNING,
            moment: moment.to_owned(),
        }
    }
}

/// The command that sets a container up for `user`, whose processes have `environment`.
pub(crate) fn command(user: &str, environment: &Environment, moments: &Moments) -> Vec<String> {
    // A line cannot hold a line's end, and what cannot be kept whole is not kept at all.
    let pairs = environment
        .iter()
        .filter(|(_, value)| !value.contains('\n'));
    let lines: Vec<String> = pairs
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect();
    let home = environment.get("HOME").cloned().unwrap_or_default();
    let name = user.split(':').next().unwrap_or_default();
    let files = [RECORD.to_owned(), RUNNING.to_owned()];
    let args = [name.to_owned(), lines.join("\n"), home];
    let args = args.into_iter().chain(files);
    script(SCRIPT, args.chain([moments.started.clone()]))
}

/// The command that leaves behind what was done, or what failed.
pub(crate) fn mark(
    said: &Said,
    done: &[Hook],
    moments: &Moments,
    remembered: Option<String>,
) -> Vec<String> {
    let owner = said.user.as_ref().map_or("0:0", |user| &user.owner);
    let args = [
        said.home.clone(),
        owner.to_owned(),
        RECORD.to_owned(),
        RUNNING.to_owned(),
        remembered.unwrap_or_default(),
    ];
    let marks = done.iter().filter(|hook| **hook != Hook::PostAttach);
    let marks = marks.map(|hook| format!("{hook}={}", moments.of(*hook)));
    script(MARK, args.into_iter().chain(marks))
}

fn script(text: &str, args: impl IntoIterator<Item = String>) -> Vec<String> {
    let start = ["/bin/sh", "-c", text, "-"].map(str::to_owned);
    start.into_iter().chain(args).collect()
}

/// Reads what the script printed; `None` where it is not all of it.
pub(crate) fn parse(printed: &[u8]) -> Option<Said> {
    let text = String::from_utf8_lossy(printed);
    let mut parts = text.split('\0');
    let entry = parts.next()?;
    let home = parts.next()?.to_owned();
    let mut marker = || Some(parts.next()?.strip_prefix('+').map(str::to_owned));
    let markers = [marker()?, marker()?, marker()?, marker()?];
    let remembered = parts.next()?;
    let ended = parts.next()?.parse().ok()?;
    let fields: Vec<&str> = entry.split(':').collect();
    let user = match fields[..] {
        [_, _, uid, gid, ..] => Some(User {
            owner: format!("{uid}:{gid}"),
        }),
        _ => None,
    };
    Some(Said {
        user,
        home,
        past: Past {
            markers,
            unfinished: serde_json::from_str(remembered).ok(),
        },
        ended,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_script_prints_is_read_back() {
        let printed =
            b"dev:x:1001:1002::/home/dev:/bin/bash\0/home/dev\0+c\0-\0+\0-\0{\"hook\":\"postCreateCommand\",\"moment\":\"c\",\"done\":1}\x002\0";
        let said = parse(printed).unwrap();
        assert_eq!(said.user.unwrap().owner, "1001:1002");
        assert_eq!(said.home, "/home/dev");
        let markers = [Some("c".to_owned()), None, Some(String::new()), None];
        assert_eq!(said.past.markers, markers);
        assert_eq!((said.past.unfinished.unwrap().done, said.ended), (1, 2));
        let nobody = parse(b"\0/root\0-\0-\0-\0-\0\x000\0").unwrap();
        assert_eq!((nobody.user, nobody.past), (None, Past::default()));
        assert_eq!(parse(b"dev\0"), None);
    }
}
