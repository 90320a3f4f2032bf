//! The file that says what a Feature is, out of the archive that the Feature is published as.

use super::{COLLECTION_FILE, File, METADATA_FILE};
use flate2::read::GzDecoder;
use std::io::{self, Read};
use std::path::{Component, Path};

/// How many bytes an archive may come to when it is unpacked; a Feature is some scripts.
const MOST: u64 = 256 << 20;

/// How many bytes the file may have; holes in it, which take no room in the archive, would be without end.
const LARGEST: u64 = 4 << 20;

/// The two bytes that begin a gzip file (RFC 1952, section 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The file at the top of a tar archive, compressed or not, that says what the Feature is; `Ok(None)` where it has none.
pub(crate) fn metadata(archive: &[u8]) -> io::Result<Option<File>> {
    if archive.starts_with(GZIP) {
        find(GzDecoder::new(archive).take(MOST))
    } else {
        find(archive)
    }
}

fn find(archive: impl Read) -> io::Result<Option<File>> {
    let mut collection = None;
    for entry in tar::Archive::new(archive).entries()? {
        let entry = entry?;
        let (is_feature, is_collection) = {
            let path = entry.path()?;
            (
                is_at_top(&path, METADATA_FILE),
                is_at_top(&path, COLLECTION_FILE),
            )
        };
        if !is_feature && !is_collection {
            continue;
        }
        let mut bytes = Vec::new();
        let size = entry.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if size as u64 > LARGEST {
            return Err(io::Error::other(
                "the file that says what it is is too large",
            ));
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if is_feature {
            return Ok(Some(File::Feature(text)));
        }
        collection = Some(File::Collection(text));
    }
    Ok(collection)
}

fn is_at_top(path: &Path, name: &str) -> bool {
    let mut parts = path.components().filter(|part| *part != Component::CurDir);
    parts.next() == Some(Component::Normal(name.as_ref())) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn archive(names: &[&str]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for name in names {
            let mut header = tar::Header::new_gnu();
            header.set_size(name.len() as u64);
            header.set_mode(0o644);
            archive
                .append_data(&mut header, name, name.as_bytes())
                .unwrap();
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn the_file_at_the_top_is_found_compressed_or_not() {
        let plain = archive(&[
            "install.sh",
            "sub/devcontainer-feature.json",
            "./devcontainer-feature.json",
        ]);
        let mut compressed = GzEncoder::new(Vec::new(), Compression::fast());
        compressed.write_all(&plain).unwrap();
        for bytes in [plain.clone(), compressed.finish().unwrap()] {
            let found = metadata(&bytes).unwrap();
            let text = "./devcontainer-feature.json".to_owned();
            assert_eq!(found, Some(File::Feature(text)));
        }
        assert_eq!(
            metadata(&archive(&["sub/devcontainer-feature.json"])).unwrap(),
            None
        );
        let old = archive(&["devcontainer-features.json", "a"]);
        assert!(matches!(metadata(&old), Ok(Some(File::Collection(_)))));
        assert!(metadata(&plain[..700]).is_err());
        assert!(metadata(b"<html>not found</html>").is_err());
    }

    #[test]
    fn a_file_with_an_endless_hole_is_refused() {
        let mut header = tar::Header::new_gnu();
        header.set_path(METADATA_FILE).unwrap();
        header.set_entry_type(tar::EntryType::GNUSparse);
        header.set_size(0);
        header.set_mode(0o644);
        let gnu = header.as_gnu_mut().unwrap();
        gnu.set_real_size(1 << 50);
        gnu.sparse[0].set_offset(1 << 50);
        gnu.sparse[0].set_length(0);
        header.set_cksum();
        let mut archive = tar::Builder::new(Vec::new());
        archive.append(&header, &[][..]).unwrap();
        let error = metadata(&archive.into_inner().unwrap()).unwrap_err();
        assert!(error.to_string().ends_with("too large"), "{error}");
    }
}
