//! Git's smart HTTP protocol for libgit2, over the same HTTP client as everything else.
//!
//! libgit2's own HTTPS would bring a second TLS stack. It asks for four services; each is one request.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::sync::OnceLock;

use bytes::{Buf, Bytes};
use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport};
use reqwest::{RequestBuilder, Response, header};
use url::Url;

use crate::block_on;
use crate::credentials;
use crate::error::{Error, Kind};
use crate::http::{self, Http};
use crate::login::{Login, LoginSource};

/// libgit2 looks our transport up by this prefix, so that its own HTTP is never used.
const PREFIX: &str = "pdp+";

/// What one operation may use. libgit2 calls back on the same thread, so a thread-local carries it.
pub(super) struct Session {
    pub(super) http: Http,
    pub(super) login: LoginSource,
    /// Bytes that may still be received.
    pub(super) left: u64,
    /// The true cause; libgit2 only passes texts on.
    pub(super) failure: Option<Error>,
}

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

/// Runs `operation` with a session; returns its result and the true cause of a failure.
pub(super) fn with_session<T>(session: Session, operation: impl FnOnce() -> T) -> (T, Option<Error>) {
    SESSION.set(Some(session));
    let result = operation();
    let failure = SESSION.take().and_then(|session| session.failure);
    (result, failure)
}

/// The address as libgit2 has to see it.
///
/// # Errors
/// When the transport can't be registered.
pub(super) fn address(url: &Url) -> Result<String, git2::Error> {
    static REGISTERED: OnceLock<Result<(), String>> = OnceLock::new();
    let registered = REGISTERED.get_or_init(|| register().map_err(|e| e.message().to_owned()));
    registered.clone().map_err(|e| git2::Error::from_str(&e))?;
    Ok(format!("{PREFIX}{url}"))
}

#[expect(
    unsafe_code,
    reason = "libgit2's list of transports isn't locked; the OnceLock calls this once, before any use"
)]
fn register() -> Result<(), git2::Error> {
    for scheme in ["http", "https"] {
        // SAFETY: called once, from one thread, before any remote is opened by this crate.
        unsafe {
            git2::transport::register(&format!("{PREFIX}{scheme}"), |remote| {
                Transport::smart(remote, true, SmartHttp)
            })?;
        }
    }
    Ok(())
}

struct SmartHttp;

impl SmartSubtransport for SmartHttp {
    fn action(&self, url: &str, service: Service) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        let url = url.strip_prefix(PREFIX).unwrap_or(url).trim_end_matches('/').to_owned();
        let (body, answer, piece) = (Vec::new(), None, Bytes::new());
        Ok(Box::new(Exchange { url, service, body, answer, piece }))
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

/// One request: what is written is its body, the first read sends it.
struct Exchange {
    url: String,
    service: Service,
    body: Vec<u8>,
    answer: Option<Response>,
    /// What came and wasn't read yet.
    piece: Bytes,
}

impl Write for Exchange {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.body.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Exchange {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        SESSION.with_borrow_mut(|session| {
            let session = session.as_mut().ok_or_else(|| io::Error::other("no session on this thread"))?;
            self.read_within(session, buffer).map_err(|error| {
                let text = error.to_string();
                session.failure = Some(error);
                io::Error::other(text)
            })
        })
    }
}

impl Exchange {
    fn read_within(&mut self, session: &mut Session, buffer: &mut [u8]) -> Result<usize, Error> {
        let what = self.what();
        if self.answer.is_none() {
            self.answer = Some(self.send(session)?);
        }
        while self.piece.is_empty() {
            let Some(answer) = self.answer.as_mut() else { return Ok(0) };
            let Some(piece) = block_on(session.http.chunk(&what, answer))?? else { return Ok(0) };
            let left = session.left.checked_sub(piece.len() as u64);
            let too_large = || Error::new(Kind::TooLarge, &what, "the host sends more than the limit");
            session.left = left.ok_or_else(too_large)?;
            self.piece = piece;
        }
        let read = self.piece.len().min(buffer.len());
        self.piece.split_to(read).copy_to_slice(&mut buffer[..read]);
        Ok(read)
    }

    fn what(&self) -> String {
        let shown = Url::parse(&self.url).ok().map(|mut url| {
            let _ = url.set_password(None);
            let _ = url.set_username("");
            url.to_string()
        });
        format!("Git {}", shown.unwrap_or_default())
    }

    /// Sends the request; with the host's login once it asked for one.
    fn send(&self, session: &mut Session) -> Result<Response, Error> {
        let what = self.what();
        let request = self.request(session).build().map_err(|e| http::no_answer(&what, &e))?;
        let Session { http, login, .. } = session;
        let answer = block_on(http.with_basic(&what, request, |url| known(login, url)))??;
        if !answer.status().is_success() {
            return Err(http::refused(&what, answer.status()));
        }
        let expected = format!("application/x-{}-{}", self.service_name(), self.kind());
        let stated = answer.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        if stated != Some(&expected) {
            return Err(Error::new(Kind::Garbage, what, "the answer is not Git's"));
        }
        Ok(answer)
    }

    fn request(&self, session: &Session) -> RequestBuilder {
        let name = self.service_name();
        let client = &session.http.client;
        match self.service {
            Service::UploadPackLs | Service::ReceivePackLs => {
                client.get(format!("{}/info/refs?service={name}", self.url))
            }
            Service::UploadPack | Service::ReceivePack => client
                .post(format!("{}/{name}", self.url))
                .header(header::CONTENT_TYPE, format!("application/x-{name}-request"))
                .header(header::ACCEPT, format!("application/x-{name}-result"))
                .body(self.body.clone()),
        }
    }

    fn service_name(&self) -> &'static str {
        match self.service {
            Service::UploadPackLs | Service::UploadPack => "git-upload-pack",
            Service::ReceivePackLs | Service::ReceivePack => "git-receive-pack",
        }
    }

    fn kind(&self) -> &'static str {
        match self.service {
            Service::UploadPackLs | Service::ReceivePackLs => "advertisement",
            Service::UploadPack | Service::ReceivePack => "result",
        }
    }
}

/// The login for a host that asked for one. What git's helpers said is kept for the rest of the operation.
fn known(source: &mut LoginSource, url: &Url) -> Result<Option<Login>, Error> {
    if *source == LoginSource::Helpers {
        *source = LoginSource::given_or_nobody(credentials::for_git(url)?);
    }
    match source {
        LoginSource::Given(login) => Ok(Some(login.clone())),
        LoginSource::DockerConfig(_) | LoginSource::Helpers | LoginSource::Nobody => Ok(None),
    }
}
