//! The certificate authorities of the host, carried into an image where a company's proxy stands before the internet.

use crate::tree::{File, RelPath};

/// Where a project keeps its copy; the templates ignore it in git and copy it into the image from here.
const PATH: &str = ".devcontainer/ca-bundle.crt";

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The path of the copy in a project.
pub(crate) fn path() -> RelPath {
    RelPath::parse(PATH).expect("the constant is two plain components")
}

/// The certificates of a PEM file (RFC 7468) and nothing else of it: no comment, and no private key that lies beside them.
///
/// `None` where there is no certificate.
pub(crate) fn certificates(pem: &str) -> Option<File> {
    let mut text = String::new();
    let mut is_inside = false;
    for line in pem.lines().map(str::trim_end) {
        is_inside |= line == BEGIN;
        if is_inside {
            text.push_str(line);
            text.push('\n');
        }
        is_inside &= line != END;
    }
    let is_whole = !text.is_empty() && !is_inside;
    is_whole.then(|| File {
        bytes: text.into_bytes(),
        executable: false,
        id: PATH.to_owned(),
        reason: "the host's certificate authorities, ignored by git".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certificates_leave_the_host() {
        let pem = "# Acme\r\n-----BEGIN CERTIFICATE-----\r\nAAAA\r\n-----END CERTIFICATE-----\r\n\
                   -----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n";
        let file = certificates(pem).unwrap();
        let text = String::from_utf8(file.bytes).unwrap();
        assert_eq!(
            text,
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        );
        assert!(
            certificates("-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----")
                .is_none()
        );
        assert!(certificates("-----BEGIN CERTIFICATE-----\nAAAA\n").is_none());
    }
}
