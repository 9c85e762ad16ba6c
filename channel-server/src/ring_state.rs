//! The director's word to whole rings, for data planes without the server: signed on every change, pushed to
//! a Git branch and an OCI tag.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;

use pdp_policies::instruction::{MAX_RING_STATE_LIFE, RingLevel, RingState};
use pdp_policies::rollout::ring_shares;
use pdp_policies::trust::{self, Catalog, Instructed, Verified};
use pdp_policies::{API_VERSION, At, Channel, Digest, Level, Line, Span, dsse};
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::git::{Author, Change, GitOptions, Remote};
use pdp_transport::instruction_source::{self, RING_STATE_BRANCH, ring_state_file, ring_state_tag};
use pdp_transport::oci::{OciOptions, Registry, Repository};

use crate::database::RESTORED;
use crate::event::Actor;
use crate::fleet::Fleet;
use crate::lease::Lease;
use crate::server::Server;
use crate::writer::WriteFailed;

/// Signed anew after this long even if nothing changed.
const RENEW_AFTER: Span = Span::from_seconds(86_400);

/// Where ring state goes.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// A Git repository and a cache folder.
    pub(crate) git: Option<(String, PathBuf, GitOptions)>,
    /// An OCI repository.
    pub(crate) oci: Option<(Repository, OciOptions)>,
}

/// Remembers what was published, per line.
#[derive(Debug)]
pub(crate) struct Publisher {
    places: Places,
    published: BTreeMap<Line, (BTreeMap<Level, RingLevel>, At)>,
    /// True once the event log was found to contain what was published.
    compared: bool,
    lease: Lease,
}

impl Publisher {
    pub(crate) fn new(places: Places, lease: Lease) -> Self {
        Self { places, published: BTreeMap::new(), compared: false, lease }
    }

    /// Publishes the lines whose shares changed. What fails is tried again at the next look.
    pub(crate) async fn publish_if_changed(&mut self, server: &Server, catalog: &Catalog) {
        // Without the log nobody knows who publishes, nor anything new.
        let nowhere = self.places.git.is_none() && self.places.oci.is_none();
        if nowhere || server.lost.load().is_some() || !server.follows_newest(catalog, &server.fleet()) {
            return;
        }
        // Nobody would follow it, and it would write over what another server says with the right key.
        if !server.directs(catalog) {
            return;
        }
        if !self.compare(server, catalog).await {
            return;
        }
        match self.lease.is_held(server).await {
            Ok(true) => self.publish_changes(server, catalog).await,
            // Whoever takes over publishes anew what stands then.
            Ok(false) => self.published.clear(),
            Err(failed) => {
                tracing::warn!(code = failed.code, "nobody knows who publishes ring state");
            }
        }
    }

    /// True once the event log was found to contain what was published.
    async fn compare(&mut self, server: &Server, catalog: &Catalog) -> bool {
        if !self.compared {
            match behind(server, catalog, &self.places).await {
                Ok(behind) => {
                    server.behind.store(behind, Relaxed);
                    self.compared = !behind;
                }
                Err(failure) => {
                    tracing::warn!(code = failure.code, "what was published can't be compared: {failure}");
                }
            }
        }
        self.compared
    }

    async fn publish_changes(&mut self, server: &Server, catalog: &Catalog) {
        for channel in catalog.channels() {
            let now = server.now();
            let levels = levels(channel, &server.fleet(), now);
            let known = self.published.get(&channel.line);
            if known.is_some_and(|(known, at)| *known == levels && now < at.plus(RENEW_AFTER)) {
                continue;
            }
            match self.publish(server, &channel.line, levels.clone(), now).await {
                Ok(()) => {
                    self.published.insert(channel.line.clone(), (levels, now));
                    // From here on what is published knows this log again.
                    if let Err(failed) = forget_restore(server).await {
                        tracing::warn!(code = failed.code, "the restore isn't forgotten yet");
                    }
                }
                Err(failure) => {
                    server.metrics.ring_state_failed();
                    tracing::warn!(line = %channel.line, code = failure.code, "ring state isn't published: {failure}");
                }
            }
        }
    }

    async fn publish(
        &self,
        server: &Server,
        line: &Line,
        levels: BTreeMap<Level, RingLevel>,
        now: At,
    ) -> Result<()> {
        let head = server.position.lock().await.head.head;
        let document = state(line, levels, head, now);
        let envelope = server.director.seal(dsse::RING_STATE, &document)?;
        // Git first: it refuses whoever doesn't know what is there.
        if let Some((url, cache, options)) = self.places.git.clone() {
            let (line, envelope, catalog) = (line.clone(), envelope.clone(), server.catalog.load_full());
            tokio::task::spawn_blocking(move || {
                let remote = Remote::open(&url, &cache, options)?;
                push(&remote, catalog.as_deref(), &line, envelope, now)
            })
            .await
            .map_err(internal)??;
        }
        if let Some((repository, options)) = &self.places.oci {
            let registry = Registry::new(options)?;
            let tag = ring_state_tag(line);
            instruction_source::to_oci(&registry, repository, &tag, &envelope).await?;
        }
        tracing::info!(%line, "ring state published");
        Ok(())
    }
}

/// True if ring state was published by a server that knew more: this one was restored from an old backup.
async fn behind(server: &Server, catalog: &Catalog, places: &Places) -> Result<bool> {
    let Some((url, cache, options)) = places.git.clone() else { return Ok(false) };
    for channel in catalog.channels() {
        let (url, cache, options, line) = (url.clone(), cache.clone(), options.clone(), channel.line.clone());
        let published = tokio::task::spawn_blocking(move || -> Result<Option<Vec<u8>>> {
            let remote = Remote::open(&url, &cache, options)?;
            Ok(instruction_source::from_git(&remote, RING_STATE_BRANCH, &line)?)
        });
        let Some(envelope) = published.await.map_err(internal)?? else { continue };
        let Some(state) = said(&envelope, catalog, &channel.line, server.now()) else { continue };
        let Some(head) = state.audit_head else { continue };
        let mut log = server.database.read().await.map_err(internal)?;
        let known = log.knows_head(&head).await.map_err(internal)?;
        let restored = log.kept(RESTORED).await.map_err(internal)?.is_some();
        if !known && !restored {
            let line = &channel.line;
            tracing::error!(%line, "LogBehind: the published ring state knows events that this database lacks");
            return Ok(true);
        }
    }
    Ok(false)
}

/// Only what a director signed tells anything; a stranger's file will be written over.
fn said(envelope: &[u8], catalog: &Catalog, line: &Line, now: At) -> Option<RingState> {
    match trust::ring_state(envelope, catalog, line, None, now, true) {
        Instructed::Followed(state, _) => Some(RingState::clone(&state)),
        _ => None,
    }
}

async fn forget_restore(server: &Server) -> std::result::Result<(), WriteFailed> {
    let mut writer = server.write().await?;
    if writer.kept(RESTORED).await?.is_some() {
        writer.forget(RESTORED).await?;
        writer.record(&Actor::Server, &[]).await?;
    }
    Ok(())
}

fn state(line: &Line, levels: BTreeMap<Level, RingLevel>, head: Digest, now: At) -> RingState {
    RingState {
        api_version: API_VERSION.to_owned(),
        critical: Vec::new(),
        issued: now,
        expires: now.plus(MAX_RING_STATE_LIFE),
        line: line.clone(),
        levels,
        audit_head: Some(head),
    }
}

/// What is open to whom. Withdrawn levels are left out; the brake stands in the channel itself.
fn levels(channel: &Channel, fleet: &Fleet, now: At) -> BTreeMap<Level, RingLevel> {
    let levels = channel.levels.iter().filter_map(|(level, promotion)| {
        let mut rings = ring_shares(channel, *level, |level| fleet.rollout(&channel.line, level), now);
        rings.values_mut().for_each(|share| share.halted |= fleet.everything.is_some());
        (!rings.is_empty()).then_some((*level, RingLevel { sha256: promotion.sha256, rings }))
    });
    levels.collect()
}

/// One file per line on one branch; someone else's push in between is met by the next look. What was said later than
/// this isn't written over: whoever hung for a while before it published would bring back what has ended.
fn push(
    remote: &Remote,
    catalog: Option<&Verified<Catalog>>,
    line: &Line,
    envelope: Vec<u8>,
    now: At,
) -> Result<()> {
    let head = remote.fetch(RING_STATE_BRANCH)?;
    let there = head.map(|head| instruction_source::at_commit(remote, head, line)).transpose()?.flatten();
    // Whatever its dates and levels: this server may be the one that knows less.
    let there =
        there.zip(catalog).and_then(|(there, catalog)| trust::signed_ring_state(&there, catalog, line));
    if let Some(later) = there.filter(|there| there.issued > now) {
        return Err(Failure::new("NewerPublished", format!("ring state of {line}"))
            .cause(format!("it is of {now}, and what is published is of {}", later.issued))
            .hint("was this server's clock set back, or did it hang? it tries again"));
    }
    let change = Change { path: ring_state_file(line), content: Some(envelope) };
    let author =
        Author { name: "channel-server".into(), email: "channel-server@updates.pdp.wso2.com".into() };
    let commit =
        remote.commit(head, &[change], &format!("Ring state of {line}\n"), &author, now.unix(), None)?;
    Ok(remote.push(RING_STATE_BRANCH, head, Some(commit))?)
}
