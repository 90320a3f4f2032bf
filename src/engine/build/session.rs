//! What BuildKit asks of whoever started a build: files, secrets, and credentials for registries.

use super::Event;
use super::context;
use super::filesync::{self, Fault, Request};
use super::grpc::{Answer, Failure, Messages, frame};
use super::wire::{Fields, Writer};
use crate::devcontainer::build_plan::{Secret, SecretSource};
use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

/// The calls that are answered. That there is none for tokens makes BuildKit fetch them itself, with the credentials.
pub(super) const METHODS: &[&str] = &[HEALTH, FILES, SECRET, CREDENTIALS];

const HEALTH: &str = "/grpc.health.v1.Health/Check";
const FILES: &str = "/moby.filesync.v1.FileSync/DiffCopy";
const SECRET: &str = "/moby.buildkit.secrets.v1.Secrets/GetSecret";
const CREDENTIALS: &str = "/moby.filesync.v1.Auth/Credentials";

/// How much of what is sent may be on its way.
const WINDOW: u32 = 1 << 20;

/// What may be asked for.
#[derive(Debug)]
pub(super) struct Session {
    /// The folder `context`.
    pub(super) context: PathBuf,
    /// The folder `dockerfile`.
    pub(super) dockerfile: PathBuf,
    /// The secrets.
    pub(super) secrets: Vec<Secret>,
    /// Who knows credentials.
    pub(super) events: mpsc::Sender<Event>,
    /// What was wrong with a folder.
    pub(super) fault: Fault,
}

/// Answers until the engine hangs up.
pub(super) async fn serve(
    io: impl AsyncRead + AsyncWrite + Unpin,
    session: Arc<Session>,
) -> Result<(), h2::Error> {
    let mut builder = h2::server::Builder::new();
    builder
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        // The engine may ask for a hundred thousand files before the first is sent, a small frame each: nobody attacks here.
        .data_frame_budget(usize::MAX);
    let mut connection = builder.handshake::<_, Bytes>(io).await?;
    while let Some(call) = connection.accept().await {
        let (request, respond) = call?;
        tokio::spawn(answer(request, respond, session.clone()));
    }
    Ok(())
}

async fn answer(
    request: http::Request<RecvStream>,
    respond: SendResponse<Bytes>,
    session: Arc<Session>,
) -> Result<(), Failure> {
    let mut answer = Answer::begin(respond)?;
    let (head, body) = request.into_parts();
    let mut messages = Messages::of(body);
    let outcome = if head.uri.path() == FILES {
        let request = Request::read(&head.headers);
        session.files(&request, messages, &mut answer).await
    } else {
        let asked = messages.next().await;
        let told = match asked {
            Ok(asked) => {
                session
                    .tell(head.uri.path(), &asked.unwrap_or_default())
                    .await
            }
            Err(failure) => Err(failure),
        };
        match told {
            Ok(told) => {
                let mut framed = Vec::new();
                frame(&mut framed, &told);
                answer.send(framed.into()).await
            }
            Err(failure) => Err(failure),
        }
    };
    answer.end(outcome);
    Ok(())
}

impl Session {
    async fn files(
        &self,
        request: &Request,
        messages: Messages,
        answer: &mut Answer,
    ) -> Result<(), Failure> {
        let root = match request.folder.as_str() {
            "context" => &self.context,
            "dockerfile" => &self.dockerfile,
            other => {
                let message = format!("there is no folder `{other}` in this build");
                return Err(Failure::not_found(message));
            }
        };
        filesync::send(request, root, messages, answer, &self.fault).await
    }

    async fn tell(&self, method: &str, asked: &[u8]) -> Result<Vec<u8>, Failure> {
        let name = Fields::of(asked).find(|(field, _)| *field == 1);
        let name = name.map(|(_, value)| value.text()).unwrap_or_default();
        match method {
            // 1 stands for SERVING.
            HEALTH => Ok(Writer::default().number(1, 1).finish()),
            SECRET => self.secret(&name),
            CREDENTIALS => Ok(self.credentials(name).await),
            other => Err(Failure::unimplemented(other)),
        }
    }

    fn secret(&self, id: &str) -> Result<Vec<u8>, Failure> {
        let secret = self.secrets.iter().find(|secret| secret.id == id);
        let missing = || Failure::not_found(format!("there is no secret `{id}`"));
        let data = match &secret.ok_or_else(missing)?.source {
            SecretSource::Value(value) => value.clone().into_bytes(),
            SecretSource::File(path) => context::read(Path::new(path))
                .map_err(|error| Failure::internal(format!("{error}: {}", error.source)))?,
        };
        Ok(Writer::default().bytes(1, &data).finish())
    }

    /// An empty answer stands for none.
    async fn credentials(&self, registry: String) -> Vec<u8> {
        let (reply, answered) = oneshot::channel();
        let asked = self
            .events
            .send(Event::Credentials { registry, reply })
            .await;
        let login = match asked {
            Ok(()) => answered.await.ok().flatten(),
            Err(_) => None,
        };
        let writer = Writer::default();
        let writer = match login {
            Some(login) => writer
                .bytes(1, login.user.as_bytes())
                .bytes(2, login.secret.as_bytes()),
            None => writer,
        };
        writer.finish()
    }
}
