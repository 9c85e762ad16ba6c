//! One remote repository and its local cache: list, fetch, read.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::Oid;
use pdp_policies::At;
use url::Url;

use super::advertisement::{Advertisement, Unusable};
use super::cache::Cache;
use super::failure::{failed, spoilt};
use super::folder;
use super::host::{Host, Service};
use super::limits::Limits;
use super::smart_http::{self, Session};
use super::upload_pack::{self, Wanted};
use super::walk::Walk;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, HttpOptions};
use crate::login::{Login, LoginSource};

/// So many commits are named that needn't be sent again.
const MOST_KNOWN: usize = 16;

/// How to reach a Git host.
#[derive(Debug, Clone)]
pub struct GitOptions {
    /// Time limits, CAs, exceptions.
    pub http: HttpOptions,
    /// Where the login comes from when the host asks for one.
    pub login: LoginSource,
    /// How much is taken in.
    pub limits: Limits,
}

impl GitOptions {
    /// With the limits for what the vendor publishes.
    pub fn new(http: HttpOptions, login: LoginSource) -> Self {
        Self { http, login, limits: Limits::vendor() }
    }

    /// With a token for the host of `url`; git's credential helpers are asked without one.
    pub fn with_token(http: HttpOptions, url: &str, token: Option<&str>) -> Self {
        let url = Url::parse(url).ok();
        let login = token.zip(url).map(|(token, url)| Login::git_token(&url, token));
        Self::new(http, LoginSource::given_or_helpers(login))
    }
}

/// The id of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitId(pub(super) Oid);

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A remote repository with a bare cache on disk.
pub struct Remote {
    pub(super) cache: Cache,
    place: Place,
    shown: String,
    limits: Limits,
}

/// Where the repository is.
enum Place {
    Folder(String),
    Host(Arc<Host>),
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({})", self.shown)
    }
}

impl Remote {
    /// Opens `url` (`http(s)://...`, `file://...` or a path) with a cache folder of its own. A user in the address is
    /// the one whose login is used. A cache that grew too large starts anew.
    ///
    /// # Errors
    /// `BadReference` for any other address, `DiskFull`, `Io` or `GitRefused` when the cache can't be made.
    pub fn open(url: &str, cache: &Path, options: GitOptions) -> Result<Self> {
        smart_http::prepare().map_err(|e| Error::new(Kind::GitRefused, "set up Git", e.message()))?;
        let GitOptions { http, login, limits } = options;
        let (place, shown) = place(url, &http, login)?;
        Ok(Self { cache: Cache::open(cache, &limits)?, place, shown, limits })
    }

    /// The address without a login, for messages.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The address where the host says that the repository is by now, if that is another one.
    pub fn moved_to(&self) -> Option<String> {
        let Place::Host(host) = &self.place else { return None };
        let now = host.base().to_string();
        (now.trim_end_matches('/') != self.shown.trim_end_matches('/')).then_some(now)
    }

    /// The host's clock when it was asked last, none for a folder or a host that doesn't say.
    pub fn clock(&self) -> Option<At> {
        match &self.place {
            Place::Folder(_) => None,
            Place::Host(host) => host.clock(),
        }
    }

    /// All branches whose name starts with `prefix`, sorted.
    ///
    /// # Errors
    /// What requests can end with.
    pub fn branches(&self, prefix: &str) -> Result<Vec<(String, CommitId)>> {
        let found = self.look(Service::UploadPack, prefix)?.branches;
        let mut branches: Vec<_> = found.into_iter().map(|(name, id)| (name, CommitId(id))).collect();
        branches.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(branches)
    }

    /// Fetches the newest commit of a branch, none if there is no such branch. One request when it hasn't moved.
    ///
    /// # Errors
    /// `TooLarge`, and what requests can end with.
    pub fn fetch(&self, branch: &str) -> Result<Option<CommitId>> {
        let offered = self.look(Service::UploadPack, branch)?;
        let Some(head) = offered.head(branch) else { return Ok(None) };
        self.keep(&offered, branch, head).map(Some)
    }

    /// As [`Remote::fetch`], for a branch that must be there: none only in a repository that holds nothing at all,
    /// where it will be the first one.
    ///
    /// # Errors
    /// `BranchMissing`, which names the branches that are there; as [`Remote::fetch`].
    pub fn fetch_or_first(&self, branch: &str) -> Result<Option<CommitId>> {
        let offered = self.look(Service::UploadPack, branch)?;
        match offered.head(branch) {
            Some(head) => self.keep(&offered, branch, head).map(Some),
            None if offered.is_empty => Ok(None),
            None => Err(self.missing(branch, &offered.others)),
        }
    }

    /// All files below `prefix` (empty: all) in a fetched commit, by their path from there. Each object's size is
    /// looked at before it is read.
    ///
    /// # Errors
    /// `UnsafePath` for links and submodules, `TooLarge` beyond `max` bytes in all or the limits of the repository.
    pub fn files(&self, commit: CommitId, prefix: &str, max: u64) -> Result<Vec<(String, Vec<u8>)>> {
        let what = format!("read {} at {commit}", self.shown);
        let (repository, limits) = (&self.cache.repository, &self.limits);
        let mut walk = Walk { repository, limits, what: &what, left: max, entries_left: limits.entries };
        let read = walk.files(commit.0, prefix);
        if read.as_ref().is_err_and(|e| e.kind == Kind::Garbage) {
            // Whatever is missing comes with the next fetch.
            self.forget(commit);
        }
        read
    }

    fn missing(&self, branch: &str, others: &[String]) -> Error {
        let shown: Vec<_> = others.iter().map(|name| format!("`{}`", name.escape_default())).collect();
        let cause = match shown.len() {
            0 => "the repository holds no branch, but it isn't empty".to_owned(),
            _ => format!("there is no such branch, but {}", shown.join(", ")),
        };
        Error::new(Kind::BranchMissing, format!("branch `{branch}` of {}", self.shown), cause)
    }

    /// What there is. Only branches whose name starts with `prefix` are kept.
    pub(super) fn look(&self, service: Service, prefix: &str) -> Result<Advertisement> {
        match &self.place {
            Place::Folder(folder) => self.look_into(folder, prefix),
            Place::Host(host) => self.ask(host, service, prefix),
        }
    }

    fn ask(&self, host: &Host, service: Service, prefix: &str) -> Result<Advertisement> {
        let unusable = |unusable: Unusable| match unusable {
            Unusable::Garbage(cause) => Error::new(Kind::Garbage, host.what(), cause),
            Unusable::Said(said) => Error::new(Kind::NotFound, host.what(), format!("the host says: {said}")),
            Unusable::ObjectFormat => {
                Error::new(Kind::RepositoryUnsupported, host.what(), "its objects are named by SHA-256")
            }
        };
        let mut answer = host.advertisement(service)?;
        let mut read = Advertisement::new(service.name(), prefix);
        let mut left = self.limits.advertisement_bytes;
        while let Some(piece) = host.piece(&mut answer)? {
            let too_many = || Error::new(self.limits.kind, host.what(), "it has too many branches and tags");
            left = left.checked_sub(piece.len() as u64).ok_or_else(too_many)?;
            read.take(&piece).map_err(unusable)?;
        }
        read.end().map_err(unusable)?;
        Ok(read)
    }

    fn look_into(&self, folder: &str, prefix: &str) -> Result<Advertisement> {
        let mut read = Advertisement::new("", prefix);
        let found = self.run(&format!("list {}", self.shown), || {
            let mut remote = self.cache.repository.remote_anonymous(folder)?;
            let connection = remote.connect_auth(git2::Direction::Fetch, None, None)?;
            let heads = connection.list()?.iter();
            Ok(heads.map(|head| (head.name().to_owned(), head.oid())).collect::<Vec<_>>())
        })?;
        found.into_iter().for_each(|(name, id)| read.named(&name, id));
        Ok(read)
    }

    /// As [`Remote::download`]; a cache that fills its volume makes room.
    fn keep(&self, offered: &Advertisement, branch: &str, head: Oid) -> Result<CommitId> {
        let kept = self.download(offered, branch, head);
        if kept.as_ref().is_err_and(|error| error.kind == Kind::DiskFull) {
            self.cache.begin_anew();
        }
        kept
    }

    /// Fetches a commit that the host named, unless it is here.
    fn download(&self, offered: &Advertisement, branch: &str, head: Oid) -> Result<CommitId> {
        let repository = &self.cache.repository;
        let local = format!("refs/remotes/origin/{branch}");
        if repository.refname_to_id(&local).is_ok_and(|known| known == head) {
            return Ok(CommitId(head));
        }
        let what = format!("fetch {} ({branch})", self.shown);
        match &self.place {
            Place::Folder(source) => folder::copy(source, &self.cache, &self.limits, &what, head)?,
            Place::Host(host) => {
                let wanted = Wanted { commit: head, have: &self.known()? };
                upload_pack::download(host, &self.cache, &self.limits, offered, wanted)?;
            }
        }
        let noted = repository.reference(&local, head, true, "fetch").map(|_| CommitId(head));
        noted.map_err(|e| spoilt(&what, "its pack lacks the commit", &e))
    }

    /// Commits whose files are all here.
    fn known(&self) -> Result<Vec<Oid>> {
        let refused = |e: git2::Error| failed(Kind::GitRefused, "read a Git cache", &e);
        let known = self.cache.repository.references_glob("refs/remotes/origin/*").map_err(refused)?;
        let mut found: Vec<_> = known.filter_map(|found| found.ok()?.target()).take(MOST_KNOWN).collect();
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// So that it is fetched again.
    fn forget(&self, commit: CommitId) {
        let Ok(known) = self.cache.repository.references_glob("refs/remotes/origin/*") else { return };
        for mut found in known.flatten().filter(|found| found.target() == Some(commit.0)) {
            let _ = found.delete();
        }
    }

    /// The address as libgit2 has to see it.
    pub(super) fn address(&self) -> String {
        match &self.place {
            Place::Folder(folder) => folder.clone(),
            Place::Host(host) => smart_http::address(&host.base()),
        }
    }

    /// Runs a libgit2 operation with our HTTP session and gives errors their true cause.
    pub(super) fn run<T>(
        &self,
        what: &str,
        operation: impl FnOnce() -> std::result::Result<T, git2::Error>,
    ) -> Result<T> {
        let (outcome, failure) = match &self.place {
            Place::Folder(_) => (operation(), None),
            Place::Host(host) => {
                let left = self.limits.advertisement_bytes + self.limits.tree_bytes;
                smart_http::with_session(Session { host: host.clone(), left, failure: None }, operation)
            }
        };
        outcome.map_err(|error| {
            failure.unwrap_or_else(|| {
                let missing = matches!(&self.place, Place::Folder(folder) if !Path::new(folder).exists());
                let kind = if missing { Kind::NotFound } else { Kind::GitRefused };
                failed(kind, what, &error)
            })
        })
    }
}

/// Where an address points to, and how it is shown.
fn place(url: &str, http: &HttpOptions, login: LoginSource) -> Result<(Place, String)> {
    let bad = |shown: &str, cause: &str| {
        Err(Error::new(Kind::BadReference, format!("Git address `{shown}`"), cause))
    };
    match Url::parse(url) {
        Ok(mut parsed) if matches!(parsed.scheme(), "http" | "https") => {
            let user = user(&parsed);
            let has_password = parsed.password().is_some();
            let _ = (parsed.set_password(None), parsed.set_username(""));
            let shown = parsed.to_string();
            if has_password {
                return bad(
                    &shown,
                    "it holds a password, which would stand in files and logs: give it as a token, or to a credential helper",
                );
            }
            if parsed.scheme() == "http" && !http.exceptions.allow_plain(&parsed) {
                return bad(&shown, "plain http isn't allowed for this host: use https://");
            }
            let host = Host::new(Http::shared(http)?, parsed, user, login);
            Ok((Place::Host(Arc::new(host)), shown))
        }
        Ok(parsed) if parsed.scheme() == "file" => {
            Ok((Place::Folder(parsed.path().to_owned()), url.to_owned()))
        }
        _ if PathBuf::from(url).is_absolute() => Ok((Place::Folder(url.to_owned()), url.to_owned())),
        _ => bad(url, "use http(s)://, file:// or an absolute path"),
    }
}

/// The user that an address names.
fn user(url: &Url) -> Option<String> {
    let name = url.username();
    let decoded = percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned();
    (!name.is_empty()).then_some(decoded)
}
