//! Files of plain web servers, read up to a limit: Helm's chart repositories.

use reqwest::{Request, Response, StatusCode, header};
use url::Url;

use crate::credentials;
use crate::error::{Error, Kind, Result};
use crate::http::{self, Http, HttpOptions};
use crate::login::{Login, LoginSource};

/// A request that may help when repeated is sent so often at the most.
const TRIES: u32 = 3;

/// A client for any number of web servers.
#[derive(Debug)]
pub struct Web {
    http: Http,
    login: LoginSource,
}

impl Web {
    /// A client; no connection is made yet. The login is for whichever server asks for one; [`LoginSource::Helpers`] is
    /// Docker's config, as for registries.
    ///
    /// # Errors
    /// `BadCredentials` for a CA file that can't be read.
    pub fn new(options: &HttpOptions, login: LoginSource) -> Result<Self> {
        Ok(Self { http: Http::shared(options)?, login })
    }

    /// An address: https, or http where that is allowed. It holds no login.
    ///
    /// # Errors
    /// `BadReference`.
    pub fn address(&self, text: &str) -> Result<Url> {
        let shown: String = text.chars().take(200).flat_map(char::escape_default).collect();
        let bad = |cause: &str| Error::new(Kind::BadReference, format!("`{shown}`"), cause);
        let url = Url::parse(text).map_err(|_| bad("not a URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("it must not hold a login"));
        }
        match url.scheme() {
            "https" => Ok(url),
            "http" if self.http.options.exceptions.allow_plain(&url) => Ok(url),
            "http" => Err(bad("plain http isn't allowed for it: use https://")),
            _ => Err(bad("neither https:// nor http://")),
        }
    }

    /// Where one file names another one: its own address or one that is relative to it, within the rules of redirects.
    ///
    /// # Errors
    /// `BadReference`.
    pub fn beside(&self, url: &Url, named: &str) -> Result<Url> {
        let shown: String = named.chars().take(200).flat_map(char::escape_default).collect();
        let bad = |cause: &str| Error::new(Kind::BadReference, format!("`{shown}`"), cause);
        let next = url.join(named).map_err(|_| bad("not an address"))?;
        http::may_go_on(url, &next, &self.http.options.exceptions).map_err(|cause| bad(&cause))?;
        self.address(next.as_str())
    }

    /// A file of at most `max` bytes.
    ///
    /// # Errors
    /// `NotFound`, `TooLarge`, `LoginNeeded`, and what requests can end with.
    pub async fn file(&self, url: &Url, max: u64) -> Result<Vec<u8>> {
        // A query may hold a secret.
        let what = format!("fetch {}", url.as_str().split('?').next().unwrap_or_default());
        let mut tries = 1;
        loop {
            match self.read(&what, url, max).await {
                Err(error) if error.kind.is_transient() && tries < TRIES => {
                    tokio::time::sleep(http::pause(tries)).await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn read(&self, what: &str, url: &Url, max: u64) -> Result<Vec<u8>> {
        let answer = self.answer(what, url).await?;
        if !answer.status().is_success() {
            return Err(self.http.refused(what, answer).await);
        }
        // A login page isn't a forged file: nobody has to be alarmed.
        self.http.no_page(what, &answer)?;
        self.http.body(what, answer, max).await
    }

    /// The answer, with a login once it is asked for: never before, and never to another origin.
    async fn answer(&self, what: &str, url: &Url) -> Result<Response> {
        let answer = self.http.execute(what, self.request(what, url)?).await?;
        let own = answer.url().origin() == url.origin();
        if answer.status() != StatusCode::UNAUTHORIZED || !own {
            return Ok(answer);
        }
        let Some(value) = self.login(url)?.and_then(|login| login.basic_for(url)) else { return Ok(answer) };
        let mut request = self.request(what, url)?;
        request.headers_mut().insert(header::AUTHORIZATION, value);
        self.http.execute(what, request).await
    }

    fn request(&self, what: &str, url: &Url) -> Result<Request> {
        self.http.client.get(url.clone()).build().map_err(|e| http::no_answer(what, &e))
    }

    fn login(&self, url: &Url) -> Result<Option<Login>> {
        match &self.login {
            LoginSource::Given(login) => Ok(Some(login.clone())),
            LoginSource::Helpers => credentials::for_registry(url),
            LoginSource::DockerConfig(config) => {
                credentials::from_docker_config(&config.name, &config.text, url)
            }
            LoginSource::Nobody => Ok(None),
        }
    }
}
