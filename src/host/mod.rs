//! Facts of this machine, read once.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the room that reads the environment"
)]

pub(crate) mod program;

use std::collections::BTreeMap;
use std::env;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

/// Where systems keep the bundle of certificate authorities that they trust: Debian and Ubuntu, Fedora and RHEL, openSUSE, Alpine, macOS.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What the commands need to know of the machine that they run on.
#[derive(Debug)]
pub(crate) struct Host {
    /// The folder that the person stands in.
    pub(crate) current_dir: PathBuf,
    /// The environment, as far as it is text.
    pub(crate) environment: BTreeMap<String, String>,
    /// The processor, in the words of Go and of container images.
    pub(crate) architecture: &'static str,
    /// The uid and the gid that this program runs with, on Linux, where files of a container are those of the host.
    pub(crate) ids: Option<(u32, u32)>,
    /// Whether a person can be asked: both ends are a terminal, and no CI runs.
    pub(crate) can_ask: bool,
    /// Whether what was said can be written over: stderr is a terminal, and no CI runs.
    pub(crate) can_redraw: bool,
    /// Where the bundle of trusted certificate authorities may lie, the likeliest first.
    pub(crate) ca_bundles: Vec<PathBuf>,
}

impl Host {
    /// Reads the facts.
    ///
    /// # Errors
    /// Where the current folder was removed or may not be read.
    pub(crate) fn read() -> io::Result<Self> {
        let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        let is_ci = env::var_os("CI").is_some_and(|ci| !ci.is_empty() && ci != "false");
        let named = env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty());
        let usual = BUNDLES.iter().map(PathBuf::from);
        Ok(Self {
            current_dir: env::current_dir()?,
            environment: env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            architecture: match env::consts::ARCH {
                "x86_64" => "amd64",
                "aarch64" => "arm64",
                "x86" => "386",
                "powerpc64" => "ppc64le",
                other => other,
            },
            ids: cfg!(target_os = "linux").then(|| {
                let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
                (uid.as_raw(), gid.as_raw())
            }),
            can_ask: io::stdin().is_terminal() && io::stderr().is_terminal() && !is_ci && !is_dumb,
            can_redraw: io::stderr().is_terminal() && !is_ci && !is_dumb,
            ca_bundles: named.map(PathBuf::from).into_iter().chain(usual).collect(),
        })
    }
}
