//! Requests to a Git host: where the repository is by now, and who asks.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use pdp_policies::At;
use reqwest::{Request, Response, StatusCode, header};
use url::Url;

use super::logins;
use crate::block_on;
use crate::error::{Error, Kind, Result};
use crate::http::{self, Http};
use crate::login::{Login, LoginSource};

/// More redirects than this lead nowhere.
const MOST_REDIRECTS: usize = 5;

/// One of Git's two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// Reading.
    UploadPack,
    /// Writing.
    ReceivePack,
}

impl Service {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }
}

/// A repository on a host.
pub(super) struct Host {
    http: Http,
    /// Where the repository is; the host may have sent us on.
    base: Mutex<Url>,
    /// Its clock at its last advertisement.
    clock: Mutex<Option<At>>,
    user: Option<String>,
    login: LoginSource,
}

impl Host {
    /// `url` is the repository's address without a login, `user` who was named in it.
    pub(super) fn new(http: Http, url: Url, user: Option<String>, login: LoginSource) -> Self {
        let login = match (login, &user) {
            (LoginSource::Given(login), Some(user)) => LoginSource::Given(login.for_user(user)),
            (login, _) => login,
        };
        Self { http, base: Mutex::new(url), clock: Mutex::default(), user, login }
    }

    /// Where the repository is by now.
    pub(super) fn base(&self) -> Url {
        self.base.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What its clock said when it was asked last, none if it doesn't say.
    pub(super) fn clock(&self) -> Option<At> {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks what there is. A host may send this request on, as renamed repositories do; what follows goes there, too.
    ///
    /// # Errors
    /// What requests can end with.
    pub(super) fn advertisement(&self, service: Service) -> Result<Response> {
        let what = self.what();
        let mut url = below(&self.base(), "info/refs");
        url.set_query(Some(&format!("service={}", service.name())));
        for _ in 0..=MOST_REDIRECTS {
            let request = self.http.client.get(url.clone()).header(header::ACCEPT, "*/*");
            let answer = self.ask(request.build().map_err(|e| http::no_answer(&what, &e))?)?;
            if let Some(next) = self.http.redirected(&what, &answer)? {
                url = next;
                continue;
            }
            let answer = self.good(answer, service, "advertisement")?;
            *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = date(&answer);
            self.move_to(&url)?;
            return Ok(answer);
        }
        Err(Error::new(Kind::Garbage, what, format!("more than {MOST_REDIRECTS} redirects")))
    }

    /// Sends a request to a service. It is never sent on: its body was made for this repository.
    ///
    /// # Errors
    /// What requests can end with.
    pub(super) fn post(&self, service: Service, body: Bytes) -> Result<Response> {
        let (what, name) = (self.what(), service.name());
        let request = self.http.client.post(below(&self.base(), name));
        let request = request
            .header(header::CONTENT_TYPE, format!("application/x-{name}-request"))
            .header(header::ACCEPT, format!("application/x-{name}-result"))
            .body(body);
        let answer = self.ask(request.build().map_err(|e| http::no_answer(&what, &e))?)?;
        self.good(answer, service, "result")
    }

    /// The next piece of an answer, none at its end.
    ///
    /// # Errors
    /// When it breaks off.
    pub(super) fn piece(&self, answer: &mut Response) -> Result<Option<Bytes>> {
        block_on(self.http.chunk(&self.what(), answer))?
    }

    pub(super) fn what(&self) -> String {
        format!("Git {}", self.base())
    }

    /// Sends a request, with a login once this origin asked for one.
    fn ask(&self, request: Request) -> Result<Response> {
        let url = request.url().clone();
        let mut bare = None;
        if !self.http.has_challenged(&url) {
            let answer = self.once(&request, None)?;
            if answer.status() != StatusCode::UNAUTHORIZED {
                return Ok(answer);
            }
            self.http.challenged_by(&url);
            bare = Some(answer);
        }
        let (login, remembered) = self.login(&url)?;
        let Some(login) = login.filter(|login| login.basic_for(&url).is_some()) else {
            return bare.map_or_else(|| self.once(&request, None), Ok);
        };
        let answer = self.once(&request, Some(&login))?;
        if matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            logins::forget(&repository(&url), self.user.as_deref());
            if remembered && answer.status() == StatusCode::UNAUTHORIZED {
                return self.ask_again(&request, &login, answer);
            }
        }
        Ok(answer)
    }

    /// A login that was good once may have been replaced since.
    fn ask_again(&self, request: &Request, old: &Login, refused: Response) -> Result<Response> {
        match self.login(request.url())?.0 {
            Some(login) if login != *old => self.once(request, Some(&login)),
            _ => Ok(refused),
        }
    }

    fn login(&self, url: &Url) -> Result<(Option<Login>, bool)> {
        match &self.login {
            LoginSource::Given(login) => Ok((Some(login.clone()), false)),
            LoginSource::DockerConfig(_) | LoginSource::Nobody => Ok((None, false)),
            LoginSource::Helpers => {
                let answer = logins::of(&repository(url), self.user.as_deref())?;
                Ok((answer.login, answer.remembered))
            }
        }
    }

    /// One request.
    fn once(&self, request: &Request, login: Option<&Login>) -> Result<Response> {
        let what = self.what();
        let unrepeatable = || Error::new(Kind::Garbage, &what, "the request can't be sent again");
        let mut request = request.try_clone().ok_or_else(unrepeatable)?;
        if let Some(value) = login.and_then(|login| login.basic_for(request.url())) {
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        block_on(self.http.execute_here(&what, request))?
    }

    /// An answer that is what was asked for.
    fn good(&self, answer: Response, service: Service, part: &str) -> Result<Response> {
        if !answer.status().is_success() {
            return Err(self.refused(answer, service));
        }
        let stated = answer.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        if stated != Some(&format!("application/x-{}-{part}", service.name())) {
            self.http.no_page(&self.what(), &answer)?;
            return Err(Error::new(Kind::Garbage, self.what(), "the answer is not Git's"));
        }
        Ok(answer)
    }

    /// Says which right is missing; the host's own words follow.
    fn refused(&self, answer: Response, service: Service) -> Error {
        let (what, status) = (self.what(), answer.status());
        let mut error = match block_on(self.http.refused(&what, answer)) {
            Ok(error) | Err(error) => error,
        };
        if status.is_redirection() {
            error.cause = "the host sends on what may only go to this repository".to_owned();
        }
        if error.kind == Kind::LoginNeeded {
            error.cause = format!("{} ({})", why(status, &self.login, service), error.cause);
        }
        error
    }

    fn move_to(&self, answered: &Url) -> Result<()> {
        let moved =
            || Error::new(Kind::Garbage, self.what(), "the host sends on to something that isn't Git");
        let path = answered.path().strip_suffix("/info/refs").ok_or_else(moved)?.to_owned();
        let mut found = answered.clone();
        found.set_query(None);
        found.set_path(&path);
        let mut base = self.base.lock().unwrap_or_else(PoisonError::into_inner);
        let same = found.origin() == base.origin() && path == base.path().trim_end_matches('/');
        if !same {
            tracing::warn!(from = %*base, to = %found, "the repository has moved: use its new address");
            *base = found;
        }
        Ok(())
    }
}

/// When an answer was made, by the clock of whoever made it.
fn date(answer: &Response) -> Option<At> {
    let text = answer.headers().get(header::DATE)?.to_str().ok()?;
    let since = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok().map(At::from_unix)
}

/// Which right is missing, and whose.
fn why(status: StatusCode, login: &LoginSource, service: Service) -> String {
    let right = match service {
        Service::UploadPack => "read",
        Service::ReceivePack => "push to",
    };
    if status == StatusCode::FORBIDDEN {
        return format!("the account may not {right} this repository");
    }
    let who = match login {
        LoginSource::DockerConfig(_) | LoginSource::Nobody => "no login is given",
        LoginSource::Given(_) => "the login that is given is refused, or is for another host",
        LoginSource::Helpers => "git's credential helpers know no login that is good",
    };
    format!("the host asks for a login to {right} this repository, and {who}")
}

/// An address below the repository's.
fn below(base: &Url, rest: &str) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(&format!("{}/{rest}", base.path().trim_end_matches('/')));
    url
}

/// The repository that a request is about.
fn repository(url: &Url) -> Url {
    let mut repository = url.clone();
    repository.set_query(None);
    for end in ["/info/refs", "/git-upload-pack", "/git-receive-pack"] {
        if let Some(path) = url.path().strip_suffix(end) {
            repository.set_path(path);
        }
    }
    repository
}
