//! `publisher release promote`: a level enters its channel, with the earliest time of each ring fixed.

use std::collections::BTreeMap;

use pdp_policies::release::{Release, ReleaseKind};
use pdp_policies::trust::Role;
use pdp_policies::{
    AUDIENCES, At, Channel, Digest, Level, Line, Organization, Overridable, Pace, Promotion, Tempo,
    audience_member, stranded,
};
use pdp_transport::channel_server::InstalledView;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};

use super::proposed::{self, Listed};
use crate::catalog::{ChangeArgs, Current, Other, laid_next};
use crate::commands::{blocking, channel};
use crate::keys::KeyArgs;
use crate::server::AskedServerArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The level.
    level: Level,
    /// The release line.
    #[arg(long)]
    line: Line,
    /// How fast it goes through the rings: normal, accelerated or emergency.
    #[arg(long, default_value = "normal")]
    tempo: Tempo,
    /// What it asks the customer's policy to let it pass; only the customer can say yes.
    #[arg(long = "asks-override", value_name = "INSTRUMENT", value_parser = overridable)]
    asks: Vec<Overridable>,
    /// Of a hotfix: an organization that gets it; nobody else does. The catalog doesn't name it in clear.
    #[arg(long = "for", value_name = "ORGANIZATION")]
    audience: Vec<Organization>,
    /// Don't ask the channel server what is installed where: only promoted levels are kept from being stranded.
    #[arg(long)]
    without_server: bool,
    #[command(flatten)]
    server: AskedServerArgs,
    #[command(flatten)]
    catalog: ChangeArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

fn overridable(text: &str) -> std::result::Result<Overridable, String> {
    match text {
        "window" => Ok(Overridable::Window),
        "freeze" => Ok(Overridable::Freeze),
        "minimumAge" => Ok(Overridable::MinimumAge),
        _ => Err("window, freeze or minimumAge".into()),
    }
}

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let installed = installed(&args).await?;
    blocking(move || promote(&args, &installed, format, now)).await
}

/// What data planes report to be on; nothing if no server is to be asked. Whom a hotfix is for must be known there.
async fn installed(args: &Args) -> Result<Vec<InstalledView>> {
    if args.without_server {
        return Ok(Vec::new());
    }
    let Some(desk) = args.server.open(&args.catalog.git.connection.http()?)? else { return Ok(Vec::new()) };
    let away = |failure: Failure| match failure.transient {
        true => failure.hint("`--without-server` promotes without asking what is installed"),
        false => failure,
    };
    desk.knows(&args.audience).await.map_err(away)?;
    desk.installed().await.map_err(away)
}

fn promote(args: &Args, installed: &[InstalledView], format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let mut channel = channel::current(&current, &args.line)?;
    if let Some(old) = channel.levels.get(&args.level) {
        let what = format!("level {} was promoted at {}", args.level, old.promoted_at);
        return Err(Failure::new("AlreadyPromoted", what).hint("`publisher channel open` opens it further"));
    }
    let descriptor = descriptor(&current, &args.line, args.level)?;
    let promotion = promotion(args, &channel, &descriptor, now)?;
    if promotion.is_hotfix() && !channel.critical.iter().any(|feature| feature == AUDIENCES) {
        channel.critical.push(AUDIENCES.to_owned());
    }
    channel.levels.insert(args.level, promotion);
    strands_nobody(&current, &channel, installed)?;
    let proposed = channel::propose(&current, &args.catalog, &channel, Other::Stays, &keys, now)?;
    let audience = match args.audience.len() {
        0 => String::new(),
        organizations => format!(" for {organizations} organization(s)"),
    };
    let text = format!("✔ promotion of level {}{audience} at tempo {:?}: {proposed}", args.level, args.tempo);
    output::print(format, &channel.levels[&args.level], &text)?;
    Ok(exit::DONE)
}

fn promotion(args: &Args, channel: &Channel, descriptor: &[u8], now: At) -> Result<Promotion> {
    let (release, sha256) = (Release::read("release", descriptor)?, Digest::of(descriptor));
    audience_fits(args, release.kind)?;
    let paces = channel.plan.tempos.get(&args.tempo).into_iter().flatten();
    // Nobody in an earlier ring tries a hotfix for its audience: rings and waves count, the clock doesn't.
    let hotfix = release.kind == ReleaseKind::Hotfix;
    let opens = |pace: &Pace| if hotfix { now } else { now.plus(pace.opens_after) };
    Ok(Promotion {
        sha256,
        length: descriptor.len() as u64,
        promoted_at: now,
        tempo: args.tempo,
        opens_at: paces.map(|(ring, pace)| (ring.clone(), opens(pace))).collect(),
        open_to: BTreeMap::new(),
        supersedes: release.supersedes.into_iter().collect(),
        base: release.base,
        audience: args.audience.iter().map(|organization| audience_member(&sha256, organization)).collect(),
        asks_override: args.asks.iter().copied().collect(),
    })
}

fn audience_fits(args: &Args, kind: ReleaseKind) -> Result<()> {
    match (kind, args.audience.is_empty()) {
        (ReleaseKind::Hotfix, true) => {
            let what = format!("level {} is a hotfix, and nobody is named who gets it", args.level);
            Err(Failure::new("AudienceMissing", what)
                .hint("name each organization with `--for`; what all shall get is an update"))
        }
        (ReleaseKind::Update | ReleaseKind::Security, false) => {
            let what = format!("level {} is no hotfix: everybody gets it", args.level);
            Err(Failure::new("AudienceUnexpected", what)
                .hint("leave out `--for`, or build it with `kind: hotfix`"))
        }
        _ => Ok(()),
    }
}

/// What each level needs to be installed before (`requires.from`).
pub(crate) fn needs(current: &Current, channel: &Channel) -> Result<BTreeMap<Level, Level>> {
    let mut needs = BTreeMap::new();
    for level in channel.levels.keys() {
        let release = Release::read("release", &descriptor(current, &channel.line, *level)?)?;
        needs.extend(release.requires.from.map(|needed| (*level, needed)));
    }
    Ok(needs)
}

/// The levels that are reported, without those that surely are of another line.
pub(crate) fn reported<'a>(
    current: &'a Current,
    line: &'a Line,
    installed: &'a [InstalledView],
) -> impl Iterator<Item = Level> + 'a {
    let others = move |view: &&InstalledView| {
        let is = |other: &Channel| other.levels.values().any(|promotion| promotion.sha256 == view.sha256);
        current.catalog.channels().any(|other| other.line != *line && is(other))
    };
    installed.iter().filter(move |view| !others(view)).map(|view| view.level)
}

/// Whatever is installed somewhere must find a way to the newest level.
fn strands_nobody(current: &Current, channel: &Channel, installed: &[InstalledView]) -> Result<()> {
    let needs = needs(current, channel)?;
    let reported = reported(current, &channel.line, installed);
    let left = stranded(channel, reported, |level| needs.get(&level).copied());
    if left.is_empty() {
        return Ok(());
    }
    let levels: Vec<_> = left.iter().map(|level| stays(*level, installed)).collect();
    let what = format!("no way would lead from level {} to the newest one", levels.join(", "));
    Err(Failure::new("Stranded", what)
        .cause(
            "what is above asks for more (`requires.from`), a required stop on the way is withdrawn, or a hotfix \
             isn't in what is above",
        )
        .hint(
            "promote a level in between that they can take; or build this one with a lower `requires.from`, or with \
             the hotfix, named under `supersedes`; or withdraw the hotfix; where a data plane reports what it doesn't run, \
             `publisher pdp revoke` it, or promote with `--without-server`",
        ))
}

/// A level, and on how many data planes it is installed.
fn stays(level: Level, installed: &[InstalledView]) -> String {
    match installed.iter().filter(|view| view.level == level).map(|view| view.data_planes).sum() {
        0 => level.to_string(),
        data_planes => format!("{level} (on {data_planes} data planes)"),
    }
}

/// The descriptor from the catalog, or from the release's own proposal: both can be published together.
fn descriptor(current: &Current, line: &Line, level: Level) -> Result<Vec<u8>> {
    if let Some(bytes) = proposed::listed(&current.tree, line, level) {
        return Ok(bytes.to_vec());
    }
    let open = laid_next(current, Role::Releases)?;
    let listed = open.iter().filter_map(|it| {
        let bytes = proposed::listed(it.tree()?, line, level)?;
        Some(Listed { branch: &it.branch, bytes, signed: it.is_signed(current) })
    });
    proposed::signed(&listed.collect::<Vec<_>>(), line, level).map(<[u8]>::to_vec)
}
