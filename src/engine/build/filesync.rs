//! A folder, sent as far as BuildKit does not have it from an earlier build: it is told what there is, and asks for what is new to it
//! (fsutil's protocol, as its `receive.go` describes it).

use super::context::{self, Entry, Selection, Unreadable};
use super::grpc::{Answer, Failure, Messages, frame};
use super::wire::{Fields, Writer};
use crate::devcontainer::ignore_patterns::{BadPattern, Patterns};
use bytes::Bytes;
use http::HeaderMap;
use std::collections::HashMap;
use std::fs::Metadata;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc};
use std::time::UNIX_EPOCH;
use tokio::sync::mpsc;

/// The kinds of packets.
mod packet {
    pub(super) const STAT: u64 = 0;
    pub(super) const REQUEST: u64 = 1;
    pub(super) const DATA: u64 = 2;
    pub(super) const FIN: u64 = 3;
    pub(super) const ERROR: u64 = 4;
}

/// How much is put together before it is sent.
const BATCH: usize = 64 * 1024;

/// How much of a file goes into a packet.
const CHUNK: usize = 64 * 1024;

/// How many batches wait to be sent.
const WAITING: usize = 8;

/// The files that can be asked for, by their place in the order in which they were told.
type Files = Arc<Mutex<Vec<Option<PathBuf>>>>;

/// What was wrong with a folder, for whoever started the build.
pub(super) type Fault = Arc<Mutex<Option<Unreadable>>>;

/// What the builder asks for of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Request {
    /// Which folder.
    pub(super) folder: String,
    include: Vec<String>,
    exclude: Vec<String>,
    follow: Vec<String>,
}

impl Request {
    /// Reads the headers of a call.
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let folder = values(headers, "dir-name").into_iter().next();
        Self {
            folder: folder.unwrap_or_default(),
            include: values(headers, "include-patterns"),
            exclude: values(headers, "exclude-patterns"),
            follow: values(headers, "followpaths"),
        }
    }

    fn selection(&self, root: &Path) -> Result<Selection, BadPattern> {
        let mut include = self.include.clone();
        if !self.follow.is_empty() {
            match context::follow(root, &self.follow)? {
                Some(followed) => include.extend(followed),
                None => include.clear(),
            }
        }
        Ok(Selection {
            include: Patterns::parse(include.iter().map(String::as_str))?,
            exclude: Patterns::parse(self.exclude.iter().map(String::as_str))?,
        })
    }
}

/// The values of a header; BuildKit encodes them where one is not ASCII.
fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    let is_encoded = headers
        .get(format!("{name}-encoded"))
        .is_some_and(|value| value == "1");
    let values = headers.get_all(name).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
    values
        .map(|value| {
            if is_encoded {
                decoded(&value)
            } else {
                value.into_owned()
            }
        })
        .collect()
}

/// A text that was encoded as a part of a query.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let hex = || u8::from_str_radix(std::str::from_utf8(after.get(..2)?).ok()?, 16).ok();
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => match hex() {
                Some(byte) => {
                    bytes.push(byte);
                    rest = &after[2..];
                }
                None => bytes.push(b'%'),
            },
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Tells what the folder `root` holds, and sends of it what is asked for.
pub(super) async fn send(
    request: &Request,
    root: &Path,
    messages: Messages,
    answer: &mut Answer,
    fault: &Fault,
) -> Result<(), Failure> {
    let selection = request
        .selection(root)
        .map_err(|bad| Failure::internal(bad.to_string()))?;
    let files = Files::default();
    let (out, mut outgoing) = mpsc::channel(WAITING);
    let (wanted, requests) = std_mpsc::channel();
    let teller = Teller::new(out.clone(), files.clone());
    let (root, told) = (root.to_owned(), fault.clone());
    tokio::task::spawn_blocking(move || teller.tell(&root, &selection, &told));
    let (sender, told) = (out.clone(), fault.clone());
    tokio::task::spawn_blocking(move || send_files(&requests, &files, &sender, &told));
    tokio::spawn(listen(messages, wanted, out));
    while let Some(data) = outgoing.recv().await {
        answer.send(data).await?;
    }
    Ok(())
}

/// Hears what is asked for, until nothing more is.
async fn listen(
    mut messages: Messages,
    wanted: std_mpsc::Sender<u64>,
    out: mpsc::Sender<Bytes>,
) -> Result<(), Failure> {
    while let Some(message) = messages.next().await? {
        let (mut kind, mut id) = (packet::STAT, 0);
        for (field, value) in Fields::of(&message) {
            match field {
                1 => kind = value.number(),
                3 => id = value.number(),
                _ => {}
            }
        }
        match kind {
            // Whoever sends files has failed, and said so.
            packet::REQUEST if wanted.send(id).is_err() => return Ok(()),
            packet::REQUEST | packet::STAT | packet::DATA => {}
            packet::FIN => {
                let mut batch = Vec::new();
                frame(
                    &mut batch,
                    &Writer::default().number(1, packet::FIN).finish(),
                );
                // A builder that has gone needs no end.
                let _ = out.send(batch.into()).await;
                return Ok(());
            }
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// Packets on their way, several at a time.
struct Outgoing {
    batch: Vec<u8>,
    out: mpsc::Sender<Bytes>,
}

/// Nobody takes packets any more.
struct Gone;

impl Outgoing {
    fn push(&mut self, packet: Writer) -> Result<(), Gone> {
        frame(&mut self.batch, &packet.finish());
        if self.batch.len() < BATCH {
            return Ok(());
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Gone> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        self.out.blocking_send(batch.into()).map_err(|_| Gone)
    }

    /// Tells both sides that something cannot be read.
    fn fail(&mut self, unreadable: Unreadable, fault: &Fault) -> Result<(), Gone> {
        let message = format!("{unreadable}: {}", unreadable.source);
        let mut fault = fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.get_or_insert(unreadable);
        drop(fault);
        let packet = Writer::default().number(1, packet::ERROR);
        self.push(packet.bytes(4, message.as_bytes()))?;
        self.flush()
    }
}

/// Tells what there is.
struct Teller {
    outgoing: Outgoing,
    files: Files,
    /// Where a file was told first that has several names.
    linked: HashMap<(u64, u64), Vec<u8>>,
}

impl Teller {
    fn new(out: mpsc::Sender<Bytes>, files: Files) -> Self {
        Self {
            outgoing: Outgoing {
                batch: Vec::new(),
                out,
            },
            files,
            linked: HashMap::new(),
        }
    }

    fn tell(mut self, root: &Path, selection: &Selection, fault: &Fault) {
        let mut failed = None;
        let walked = context::walk(root, selection, &mut |entry| match self.entry(entry) {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(Gone)) => ControlFlow::Break(()),
            Err(unreadable) => {
                failed = Some(unreadable);
                ControlFlow::Break(())
            }
        });
        // Whom nobody hears need not be told.
        let _ = match failed.or(walked.err()) {
            Some(unreadable) => self.outgoing.fail(unreadable, fault),
            None => self
                .outgoing
                .push(Writer::default().number(1, packet::STAT))
                .and_then(|()| self.outgoing.flush()),
        };
    }

    fn entry(&mut self, entry: Entry) -> Result<Result<(), Gone>, Unreadable> {
        let mut stat = Stat::of(&entry.metadata);
        let link = if entry.metadata.is_symlink() {
            let link = context::link(&entry.path)?;
            Some(link.into_os_string().into_encoded_bytes())
        } else {
            self.earlier_name(&entry)
        };
        if link.is_some() && entry.metadata.is_file() {
            stat.size = 0;
        }
        let message = stat.message(&entry.name, link.as_deref().unwrap_or_default());
        let can_be_asked_for = stat.mode & mode::TYPE == 0;
        let file = can_be_asked_for.then_some(entry.path);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.push(file);
        drop(files);
        let packet = Writer::default().number(1, packet::STAT);
        Ok(self.outgoing.push(packet.bytes(2, &message)))
    }

    /// The name under which the same file was told before.
    #[cfg(unix)]
    fn earlier_name(&mut self, entry: &Entry) -> Option<Vec<u8>> {
        use std::os::unix::fs::MetadataExt;
        let metadata = &entry.metadata;
        if metadata.is_dir() || metadata.nlink() < 2 {
            return None;
        }
        match self.linked.entry((metadata.dev(), metadata.ino())) {
            std::collections::hash_map::Entry::Occupied(first) => Some(first.get().clone()),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(entry.name.clone());
                None
            }
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "other systems do not tell")]
    fn earlier_name(&mut self, _: &Entry) -> Option<Vec<u8>> {
        None
    }
}

/// The bits of a mode, as Go numbers them (`io/fs`, `FileMode`).
mod mode {
    pub(super) const DIR: u32 = 1 << 31;
    pub(super) const SYMLINK: u32 = 1 << 27;
    pub(super) const DEVICE: u32 = 1 << 26;
    pub(super) const PIPE: u32 = 1 << 25;
    pub(super) const SETUID: u32 = 1 << 23;
    pub(super) const SETGID: u32 = 1 << 22;
    pub(super) const CHAR_DEVICE: u32 = 1 << 21;
    pub(super) const STICKY: u32 = 1 << 20;
    pub(super) const TYPE: u32 = DIR | SYMLINK | DEVICE | PIPE | CHAR_DEVICE;
}

/// What is told of an entry beside its name. Its owner is always root, as it is with the docker client, lest the owner's number count in the
/// cache.
struct Stat {
    mode: u32,
    size: u64,
    /// In nanoseconds since 1970.
    modified: i64,
    device: (u64, u64),
}

impl Stat {
    fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
        let modified = match modified.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX),
        };
        Self {
            mode: mode_of(metadata),
            size: if metadata.is_dir() { 0 } else { metadata.len() },
            modified,
            device: device_of(metadata),
        }
    }

    fn message(&self, name: &[u8], link: &[u8]) -> Vec<u8> {
        Writer::default()
            .bytes(1, name)
            .number(2, self.mode.into())
            .number(5, self.size)
            .number(6, self.modified.cast_unsigned())
            .bytes(7, link)
            .number(8, self.device.0)
            .number(9, self.device.1)
            .finish()
    }
}

/// A socket has no bit of its own: a builder could not make one.
#[cfg(unix)]
fn mode_of(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let kind = metadata.file_type();
    let bits = metadata.mode();
    let mut mode = bits & 0o777;
    let mut set = |is_set: bool, bit: u32| mode |= if is_set { bit } else { 0 };
    set(kind.is_dir(), mode::DIR);
    set(kind.is_symlink(), mode::SYMLINK);
    set(kind.is_fifo(), mode::PIPE);
    set(kind.is_block_device(), mode::DEVICE);
    set(kind.is_char_device(), mode::DEVICE | mode::CHAR_DEVICE);
    set(bits & 0o4000 != 0, mode::SETUID);
    set(bits & 0o2000 != 0, mode::SETGID);
    set(bits & 0o1000 != 0, mode::STICKY);
    mode
}

/// Everything can be run, as with the docker client.
#[cfg(not(unix))]
fn mode_of(metadata: &Metadata) -> u32 {
    let kind = metadata.file_type();
    if kind.is_dir() {
        mode::DIR | 0o755
    } else if kind.is_symlink() {
        mode::SYMLINK | 0o755
    } else {
        0o755
    }
}

/// The numbers of a device (makedev(3), as Go reads them).
#[cfg(unix)]
fn device_of(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let kind = metadata.file_type();
    if !kind.is_block_device() && !kind.is_char_device() {
        return (0, 0);
    }
    let device = metadata.rdev();
    let minor = (device & 0xff) | ((device >> 12) & 0x000f_ff00);
    ((device >> 8) & 0xfff, minor)
}

#[cfg(not(unix))]
fn device_of(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

/// Sends the files that are asked for, until nobody asks.
fn send_files(
    requests: &std_mpsc::Receiver<u64>,
    files: &Files,
    out: &mpsc::Sender<Bytes>,
    fault: &Fault,
) {
    let mut outgoing = Outgoing {
        batch: Vec::new(),
        out: out.clone(),
    };
    let mut buffer = vec![0; CHUNK];
    while let Ok(first) = requests.recv() {
        let mut next = Some(first);
        while let Some(id) = next {
            let sent = match send_file(id, files, &mut outgoing, &mut buffer) {
                Ok(sent) => sent,
                Err(unreadable) => outgoing.fail(unreadable, fault).and(Err(Gone)),
            };
            if sent.is_err() {
                return;
            }
            next = requests.try_recv().ok();
        }
        if outgoing.flush().is_err() {
            return;
        }
    }
}

fn send_file(
    id: u64,
    files: &Files,
    outgoing: &mut Outgoing,
    buffer: &mut [u8],
) -> Result<Result<(), Gone>, Unreadable> {
    let files = files.lock().unwrap_or_else(PoisonError::into_inner);
    let path = usize::try_from(id)
        .ok()
        .and_then(|id| files.get(id)?.clone());
    drop(files);
    let data = || Writer::default().number(1, packet::DATA).number(3, id);
    if let Some(path) = path
        && let Some(mut file) = context::open(&path)?
    {
        loop {
            let count = file
                .read(buffer)
                .map_err(|source| context::unreadable(&path, source))?;
            if count == 0 {
                break;
            }
            if outgoing.push(data().bytes(4, &buffer[..count])).is_err() {
                return Ok(Err(Gone));
            }
        }
    }
    Ok(outgoing.push(data()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_headers_say_what_is_asked_for() {
        let mut headers = HeaderMap::new();
        let mut add = |name: &'static str, value: &'static str| {
            headers.append(name, HeaderValue::from_static(value));
        };
        add("dir-name", "context");
        add("exclude-patterns", "a");
        add("exclude-patterns", "!%2B+");
        add("followpaths", "%C3%A9+%2B");
        add("followpaths-encoded", "1");
        let expected = Request {
            folder: "context".to_owned(),
            exclude: vec!["a".to_owned(), "!%2B+".to_owned()],
            follow: vec!["é +".to_owned()],
            ..Request::default()
        };
        assert_eq!(Request::read(&headers), expected);
    }
}
