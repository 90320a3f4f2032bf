//! Calls over HTTP/2, answered (grpc.io, "gRPC over HTTP2").

use bytes::{Buf, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use std::future::poll_fn;

/// How a call ends that does not end well, in gRPC's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    code: u16,
    message: String,
}

impl Failure {
    /// What was asked for is not there.
    pub(super) fn not_found(message: String) -> Self {
        Self { code: 5, message }
    }

    /// Nobody answers such calls.
    pub(super) fn unimplemented(method: &str) -> Self {
        Self {
            code: 12,
            message: format!("there is no `{method}`"),
        }
    }

    /// It went wrong here.
    pub(super) fn internal(message: String) -> Self {
        Self { code: 13, message }
    }
}

impl From<h2::Error> for Failure {
    fn from(error: h2::Error) -> Self {
        Self::internal(error.to_string())
    }
}

/// What the caller says, message after message.
#[derive(Debug)]
pub(super) struct Messages {
    body: RecvStream,
    buffer: BytesMut,
}

/// A mark of compression, and four bytes for the length.
const HEADER: usize = 5;

impl Messages {
    /// Of this call.
    pub(super) fn of(body: RecvStream) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
        }
    }

    /// The next message, or `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            if let Some(message) = self.buffered()? {
                return Ok(Some(message));
            }
            let Some(data) = self.body.data().await else {
                return Ok(None);
            };
            let data = data?;
            self.body.flow_control().release_capacity(data.len())?;
            self.buffer.extend_from_slice(&data);
        }
    }

    fn buffered(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some((&[compression, a, b, c, d], _)) = self.buffer.split_first_chunk::<HEADER>()
        else {
            return Ok(None);
        };
        if compression != 0 {
            return Err(Failure::internal("compression was not agreed".to_owned()));
        }
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if self.buffer.len() < HEADER + length {
            return Ok(None);
        }
        self.buffer.advance(HEADER);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}

/// Puts a message into a buffer, as it goes over the wire.
pub(super) fn frame(buffer: &mut Vec<u8>, message: &[u8]) {
    buffer.push(0);
    let length = u32::try_from(message.len()).expect("a message is made of bounded parts");
    buffer.extend_from_slice(&length.to_be_bytes());
    buffer.extend_from_slice(message);
}

/// What the caller is answered.
#[derive(Debug)]
pub(super) struct Answer {
    stream: SendStream<Bytes>,
}

impl Answer {
    /// Begins to answer.
    pub(super) fn begin(mut respond: SendResponse<Bytes>) -> Result<Self, Failure> {
        let response = Response::builder()
            .header("content-type", "application/grpc")
            .body(())
            .expect("the headers are sound");
        let stream = respond.send_response(response, false)?;
        Ok(Self { stream })
    }

    /// Sends messages that are framed, as fast as the caller takes them.
    pub(super) async fn send(&mut self, mut data: Bytes) -> Result<(), Failure> {
        while !data.is_empty() {
            self.stream.reserve_capacity(data.len());
            let room = poll_fn(|context| self.stream.poll_capacity(context)).await;
            let Some(room) = room.transpose()? else {
                return Err(Failure::internal("the caller has gone".to_owned()));
            };
            let part = data.split_to(room.min(data.len()));
            self.stream.send_data(part, false)?;
        }
        Ok(())
    }

    /// Says how the call ended.
    pub(super) fn end(mut self, outcome: Result<(), Failure>) {
        let (code, message) = match outcome {
            Ok(()) => (0, String::new()),
            Err(failure) => (failure.code, failure.message),
        };
        let mut trailers = HeaderMap::new();
        trailers.insert(HeaderName::from_static("grpc-status"), code.into());
        let message: String = message.chars().flat_map(char::escape_default).collect();
        if let Ok(message) = HeaderValue::from_str(&message) {
            trailers.insert(HeaderName::from_static("grpc-message"), message);
        }
        // A caller who has gone needs no end.
        let _ = self.stream.send_trailers(trailers);
    }
}
