//! Before anything is written: nodes find every image of the level, with every part of every index, where they pull it.
//!
//! What can't be asked is no obstacle: nodes have logins and a network of their own.

mod places;
mod seen;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use pdp_policies::decision::DecisionRecord;
use pdp_policies::{Digest, Obstacle, ObstacleCode, Owner};
use pdp_transport::cli::failure::Result;
use pdp_transport::login::LoginSource;
use pdp_transport::oci::{OciOptions, Registry, Repository};
use pdp_transport::{Error, Kind, block_on};
use tokio::time::{Instant, timeout_at};

pub(crate) use seen::Seen;

use crate::endpoints::Endpoints;
use crate::render;
use places::Pulled;

/// So many at once: as many connections as are kept for one host, so that a registry without HTTP/2 sees no more than these.
const PARALLEL: usize = 2;
/// An image that isn't answered for by then can't be asked.
const LONGEST_OF_ONE: Duration = Duration::from_secs(15);
/// All of them together.
const LONGEST: Duration = Duration::from_secs(120);
/// So many are named.
const NAMED: usize = 8;

/// What a registry said of one image.
#[derive(Debug)]
enum Answer {
    /// It is there with all its parts.
    Whole,
    /// The image itself, or parts of it, aren't there.
    Missing(Vec<Digest>),
    /// Nobody could tell.
    NotAsked(String),
}

/// An obstacle that names the images of the record's target that aren't where nodes pull them; none if all are, as far as
/// anybody can tell. What `seen` has for this level isn't asked for again.
///
/// # Errors
/// `BadReference`, `BadCredentials`.
pub(crate) fn missing(
    endpoints: &Endpoints,
    seen: &Seen,
    record: &DecisionRecord,
) -> Result<Option<Obstacle>> {
    let (level, inputs) = (record.target_digest().sha256, record.inputs());
    let all = places::pulled(record.target(), inputs);
    let open = seen.open(level, &all);
    if open.is_empty() {
        return Ok(None);
    }
    let asked = Asked::new(endpoints, &render::to_fetch_from(record.target(), inputs)?)?;
    let answers = block_on(asked.all(open.clone()))?;
    tell(seen, &answers);
    let whole = answers.iter().filter(|(_, answer)| matches!(answer, Answer::Whole));
    let whole: BTreeSet<_> = whole.map(|(image, _)| image.clone()).collect();
    let lines: BTreeSet<_> = answers.iter().flat_map(|(image, answer)| image.lines(answer)).collect();
    if lines.is_empty() {
        seen.settled(level, all);
        return Ok(None);
    }
    seen.settled(level, whole);
    Ok(Some(obstacle(&lines, inputs.mirror.as_deref())))
}

fn obstacle(lines: &BTreeSet<String>, mirror: Option<&str>) -> Obstacle {
    let named: Vec<_> = lines.iter().take(NAMED).map(String::as_str).collect();
    let more = match lines.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let next = match mirror {
        Some(_) => {
            "it starts by itself once the mirror has them (`publisher release mirror` brings a level whole)"
        }
        None => "it starts by itself once the registry has them",
    };
    let detail = format!("not where it is pulled from: {}{more}; {next}", named.join(", "));
    let obstacle = Obstacle::new(ObstacleCode::ImageMissing, None, detail);
    // Whoever runs the mirror fills it.
    match mirror {
        Some(_) => Obstacle { owner: Owner::Customer, ..obstacle },
        None => obstacle,
    }
}

/// Each host is named once for a level.
fn tell(seen: &Seen, answers: &[(Pulled, Answer)]) {
    for (image, answer) in answers {
        let Answer::NotAsked(cause) = answer else { continue };
        let (host, cause) = (&image.repository.host, pdp_policies::printable(cause));
        match seen.is_first(host) {
            true => tracing::warn!(%host, "nobody can tell whether its images are there: {cause}"),
            false => tracing::debug!(image = %image.repository, "not asked for: {cause}"),
        }
    }
}

/// Whom images are asked for, and with what.
struct Asked<'a> {
    endpoints: &'a Endpoints,
    /// The artifacts' registry: its login is for it alone.
    own: String,
    with_login: Registry,
    without: Registry,
    /// Hosts without a connection aren't tried image by image.
    away: RefCell<BTreeSet<String>>,
}

impl<'a> Asked<'a> {
    fn new(endpoints: &'a Endpoints, artifacts: &Repository) -> Result<Self> {
        let options = &endpoints.artifacts;
        let anonymous = OciOptions { login: LoginSource::Nobody, ..options.clone() };
        Ok(Self {
            endpoints,
            own: origin(options, artifacts)?,
            with_login: Registry::new(options)?,
            without: Registry::new(&anonymous)?,
            away: RefCell::default(),
        })
    }

    async fn all(&self, images: BTreeSet<Pulled>) -> Vec<(Pulled, Answer)> {
        let end = Instant::now() + LONGEST;
        let one = |image: Pulled| async move {
            let answer = self.one(&image, end).await;
            // Lets the connection go back to those that are kept, or the next question opens another one.
            tokio::task::yield_now().await;
            (image, answer)
        };
        stream::iter(images).map(one).buffer_unordered(PARALLEL).collect().await
    }

    async fn one(&self, image: &Pulled, end: Instant) -> Answer {
        let registry = match self.registry(&image.repository) {
            Ok(registry) => registry,
            Err(cause) => return Answer::NotAsked(cause),
        };
        let host = &image.repository.host;
        if self.away.borrow().contains(host) {
            return Answer::NotAsked("it couldn't be reached".to_owned());
        }
        let until = end.min(Instant::now() + LONGEST_OF_ONE);
        let asked = timeout_at(until, registry.missing(&image.repository, image.digest)).await;
        let found =
            asked.unwrap_or_else(|_| Err(Error::new(Kind::TimedOut, host.as_str(), "no answer in time")));
        match found {
            Ok(missing) if missing.is_empty() => Answer::Whole,
            Ok(missing) => Answer::Missing(missing),
            Err(error) => {
                if is_away(error.kind) {
                    self.away.borrow_mut().insert(host.clone());
                }
                Answer::NotAsked(error.to_string())
            }
        }
    }

    /// With the artifacts' login for their registry alone; the cause if it may not be asked.
    fn registry(&self, repository: &Repository) -> std::result::Result<&Registry, String> {
        self.endpoints.hosts.check_repository("image", repository).map_err(|failure| failure.to_string())?;
        let there = origin(&self.endpoints.artifacts, repository).map_err(|error| error.to_string())?;
        Ok(if there == self.own { &self.with_login } else { &self.without })
    }
}

fn is_away(kind: Kind) -> bool {
    use Kind::{ProxyLoginNeeded, ProxyRefused, ProxyUnreachable, TimedOut, Unreachable, Untrusted};
    matches!(kind, Unreachable | TimedOut | Untrusted | ProxyRefused | ProxyUnreachable | ProxyLoginNeeded)
}

fn origin(options: &OciOptions, repository: &Repository) -> std::result::Result<String, Error> {
    Ok(repository.origin(&options.http.exceptions)?.to_string())
}
