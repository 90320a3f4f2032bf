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
    let mut block: Option<String> = None;
    for line in pem.lines().map(str::trim) {
        if line.starts_with("-----BEGIN ") {
            // Whatever begins here, a block that was open before is no whole one.
            block = (line == BEGIN).then(|| format!("{BEGIN}\n"));
        } else if line == END {
            if let Some(block) = block.take() {
                text.push_str(&block);
                text.push_str(END);
                text.push('\n');
            }
        } else if !is_base64(line) {
            block = None;
        } else if let Some(block) = &mut block {
            block.push_str(line);
            block.push('\n');
        }
    }
    (!text.is_empty()).then(|| File {
        bytes: text.into_bytes(),
        executable: false,
        id: PATH.to_owned(),
        reason: "the host's certificate authorities, ignored by git".to_owned(),
    })
}

fn is_base64(line: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    !line.is_empty() && line.chars().all(known)
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
        let torn = format!(
            "{BEGIN}\nAAAA\n-----BEGIN PRIVATE KEY-----\nSECRET\n{END}\n{BEGIN}\nBBBB\n{END}\n"
        );
        let text = String::from_utf8(certificates(&torn).unwrap().bytes).unwrap();
        assert_eq!(text, format!("{BEGIN}\nBBBB\n{END}\n"));
    }
}
