//! A context as an archive, as far as `.dockerignore` lets it be one.

use super::context::{self, Entry, Selection, Unreadable};
use bytes::Bytes;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::UNIX_EPOCH;
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;

/// How much is put together before it is sent.
const BATCH: usize = 64 * 1024;

/// A file that is in no folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extra {
    /// Its name in the archive.
    pub(super) name: String,
    /// What it holds.
    pub(super) bytes: Vec<u8>,
}

/// Writes what is asked for of the folder `root`, and `extras` instead of its files of the same names.
pub(super) fn write(
    root: Option<&Path>,
    selection: &Selection,
    extras: &[Extra],
    out: mpsc::Sender<Bytes>,
) -> Result<(), Unreadable> {
    let mut archive = Builder::new(Parts {
        batch: Vec::new(),
        out,
    });
    let mut failed = None;
    if let Some(root) = root {
        let is_extra = |name: &[u8]| extras.iter().any(|extra| extra.name.as_bytes() == name);
        context::walk(root, selection, &mut |entry| {
            if is_extra(&entry.name) {
                return ControlFlow::Continue(());
            }
            match append(&mut archive, &entry) {
                Ok(()) => ControlFlow::Continue(()),
                Err(unreadable) => {
                    failed = Some(unreadable);
                    ControlFlow::Break(())
                }
            }
        })?;
    }
    if let Some(unreadable) = failed {
        // A builder that has gone has said why itself.
        let has_gone = unreadable.source.kind() == io::ErrorKind::BrokenPipe;
        return if has_gone { Ok(()) } else { Err(unreadable) };
    }
    for extra in extras {
        let mut header = Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(extra.bytes.len() as u64);
        // A builder that has gone has said why itself.
        let _ = archive.append_data(&mut header, &extra.name, extra.bytes.as_slice());
    }
    let _ = archive.into_inner().map(|mut parts| parts.flush());
    Ok(())
}

fn append(archive: &mut Builder<Parts>, entry: &Entry) -> Result<(), Unreadable> {
    let unreadable = |source| context::unreadable(&entry.path, source);
    let Some(kind) = kind(entry) else {
        return Ok(());
    };
    let mut header = header(entry, kind);
    let name = &entry.inside;
    match kind {
        EntryType::Symlink => {
            let link = context::link(&entry.path)?;
            archive.append_link(&mut header, name, link)
        }
        EntryType::Regular => {
            let Some(file) = context::open(&entry.path)? else {
                return Ok(());
            };
            // The archive has said how long the file is; one that has changed meanwhile is cut or filled.
            let size = entry.metadata.len();
            let data = file.chain(io::repeat(0)).take(size);
            header.set_size(size);
            archive.append_data(&mut header, name, data)
        }
        _ => archive.append_data(&mut header, name, io::empty()),
    }
    .map_err(unreadable)
}

/// Sockets and devices are left out.
fn kind(entry: &Entry) -> Option<EntryType> {
    let metadata = &entry.metadata;
    if metadata.is_dir() {
        return Some(EntryType::Directory);
    }
    if metadata.is_symlink() {
        return Some(EntryType::Symlink);
    }
    if metadata.is_file() {
        return Some(EntryType::Regular);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if metadata.file_type().is_fifo() {
            return Some(EntryType::Fifo);
        }
    }
    None
}

/// The owner is root, as it is with the docker client.
fn header(entry: &Entry, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_mode(bits(entry));
    let modified = entry.metadata.modified().ok();
    let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    header.set_mtime(modified.map_or(0, |since| since.as_secs()));
    header
}

#[cfg(unix)]
fn bits(entry: &Entry) -> u32 {
    use std::os::unix::fs::MetadataExt;
    entry.metadata.mode() & 0o7777
}

#[cfg(not(unix))]
fn bits(_: &Entry) -> u32 {
    0o755
}

/// Bytes on their way, many at a time.
struct Parts {
    batch: Vec<u8>,
    out: mpsc::Sender<Bytes>,
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.batch.extend_from_slice(bytes);
        if self.batch.len() >= BATCH {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let batch = std::mem::take(&mut self.batch);
        let sent = self.out.blocking_send(batch.into());
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
