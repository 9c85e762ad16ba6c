//! Git's smart HTTP protocol for libgit2, over the same HTTP client as everything else.
//!
//! libgit2's own HTTPS would bring a second TLS stack. It asks for four services; each is one request.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::sync::OnceLock;

use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport};
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header;

use crate::credentials::{self, Login};
use crate::error::{Error, Kind};
use crate::http;

/// libgit2 looks our transport up by this prefix, so that its own HTTP is never used.
const PREFIX: &str = "pdp+";

/// What one operation may use. libgit2 calls back on the same thread, so a thread-local carries it.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) login: Option<Login>,
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
pub(super) fn address(url: &url::Url) -> Result<String, git2::Error> {
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
        Ok(Box::new(Exchange { url, service, body: Vec::new(), answer: None }))
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
        let Some(answer) = self.answer.as_mut() else { return Ok(0) };
        let read = answer.read(buffer).map_err(|e| {
            let inner = e.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>());
            let late = inner.is_some_and(reqwest::Error::is_timeout);
            let kind = if late { Kind::TimedOut } else { Kind::Unreachable };
            Error::new(kind, &what, format!("the answer broke off: {}", http::root_cause(&e)))
        })?;
        session.left = session
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| Error::new(Kind::TooLarge, &what, "the host sends more than the limit"))?;
        Ok(read)
    }

    fn what(&self) -> String {
        let shown = url::Url::parse(&self.url).ok().map(|mut url| {
            let _ = url.set_password(None);
            let _ = url.set_username("");
            url.to_string()
        });
        format!("Git {}", shown.unwrap_or_default())
    }

    /// Sends the request; asks git's credential helpers once when the host wants a login.
    fn send(&self, session: &mut Session) -> Result<Response, Error> {
        let what = self.what();
        let mut answer = self.request(session).send().map_err(|e| http::no_answer(&what, &e))?;
        if answer.status().as_u16() == 401 && session.login.is_none() {
            let url = url::Url::parse(&self.url).ok();
            session.login = url.map(|url| credentials::for_git(&url)).transpose()?.flatten();
            if session.login.is_some() {
                answer = self.request(session).send().map_err(|e| http::no_answer(&what, &e))?;
            }
        }
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
        let request = match self.service {
            Service::UploadPackLs | Service::ReceivePackLs => {
                session.client.get(format!("{}/info/refs?service={name}", self.url))
            }
            Service::UploadPack | Service::ReceivePack => session
                .client
                .post(format!("{}/{name}", self.url))
                .header(header::CONTENT_TYPE, format!("application/x-{name}-request"))
                .header(header::ACCEPT, format!("application/x-{name}-result"))
                .body(self.body.clone()),
        };
        match &session.login {
            Some(login) => request.basic_auth(&login.user, Some(&login.secret)),
            None => request,
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
