//! Requests that bollard does not make: a body that is sent as it is, or while it is made, an answer that is read as it comes, a connection
//! that becomes another protocol's.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::fmt::Write as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// A connection to an engine.
trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// What goes with a request.
#[derive(Debug)]
pub(super) enum Sent {
    /// Nothing.
    Nothing,
    /// JSON.
    Json(Bytes),
    /// What comes through a channel, until that is closed.
    Parts(mpsc::Receiver<Bytes>),
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Nothing => Poll::Ready(None),
            Self::Json(text) => {
                let text = std::mem::take(text);
                // It is sent once.
                Poll::Ready((!text.is_empty()).then_some(Ok(Frame::data(text))))
            }
            Self::Parts(parts) => {
                let part = parts.poll_recv(context);
                part.map(|part| part.map(|part| Ok(Frame::data(part))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Json(text) => text.is_empty(),
            Self::Parts(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Nothing => SizeHint::with_exact(0),
            Self::Json(text) => SizeHint::with_exact(u64::try_from(text.len()).unwrap_or(u64::MAX)),
            Self::Parts(_) => SizeHint::default(),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// No connection.
    #[error("the connection cannot be made")]
    Dial(#[from] io::Error),
    /// It broke.
    #[error("the connection broke")]
    Broken(#[from] hyper::Error),
    /// The engine says no.
    #[error("{message}")]
    Refused {
        /// The status.
        status: u16,
        /// Why.
        message: String,
    },
}

/// The engine's words for a refusal.
#[derive(Debug, Deserialize)]
struct Refusal {
    message: String,
}

/// A request of this program.
pub(super) fn request(method: Method, target: String, sent: Sent) -> Request<Sent> {
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", "docker")
        .header(
            "user-agent",
            concat!("scaffold/", env!("CARGO_PKG_VERSION")),
        );
    if matches!(sent, Sent::Json(_)) {
        request = request.header("content-type", "application/json");
    }
    request
        .body(sent)
        .expect("every part of the target is encoded")
}

/// A path with a query.
pub(super) fn target(path: &str, query: &[(&str, String)]) -> String {
    let mut target = path.to_owned();
    for (index, (name, value)) in query.iter().enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        let _ = write!(target, "{name}={}", encoded(value));
    }
    target
}

/// Sends one request over a connection of its own; an answer that is no success is an error.
pub(super) async fn ask(
    host: &str,
    request: Request<Sent>,
) -> Result<Response<Incoming>, HttpError> {
    let io = TokioIo::new(dial(host).await?);
    let (mut sender, connection) = http1::handshake(io).await?;
    // What goes wrong with the connection goes wrong with the answer too.
    tokio::spawn(async move { drop(connection.with_upgrades().await) });
    let response = sender.send_request(request).await?;
    let status = response.status();
    if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(response);
    }
    let body = response.into_body().collect().await?.to_bytes();
    let told = serde_json::from_slice(&body).map(|Refusal { message }| message);
    Err(HttpError::Refused {
        status: status.as_u16(),
        message: told.unwrap_or_else(|_| String::from_utf8_lossy(&body).trim().to_owned()),
    })
}

/// Makes the connection that `request` asks for, and hands it over.
pub(super) async fn upgrade(
    host: &str,
    request: Request<Sent>,
) -> Result<TokioIo<Upgraded>, HttpError> {
    let response = ask(host, request).await?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(HttpError::Refused {
            status: response.status().as_u16(),
            message: "the engine opens no session".to_owned(),
        });
    }
    Ok(TokioIo::new(hyper::upgrade::on(response).await?))
}

/// The port of an engine whose address names none.
const PORT: &str = "2375";

async fn dial(host: &str) -> io::Result<Box<dyn Connection>> {
    #[cfg(unix)]
    if let Some(path) = host.strip_prefix("unix://") {
        return Ok(Box::new(tokio::net::UnixStream::connect(path).await?));
    }
    let address = host
        .split_once("://")
        .filter(|(scheme, _)| ["tcp", "http"].contains(scheme));
    let Some((_, address)) = address else {
        let message = format!("an engine at `{host}` cannot be asked to build");
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    };
    let address = address.trim_end_matches('/');
    let has_port = address.rsplit_once(':').is_some_and(|(_, port)| {
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    let stream = if has_port {
        TcpStream::connect(address).await?
    } else {
        TcpStream::connect(format!("{address}:{PORT}")).await?
    };
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

/// A text as a part of a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
