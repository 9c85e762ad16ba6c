//! `publisher release promote`: a level enters its channel, with the earliest time of each ring fixed.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::release::Release;
use pdp_policies::{At, Channel, Digest, Level, Line, Overridable, Promotion, Tempo, stranded};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};

use crate::catalog::{CatalogArgs, Current, pending};
use crate::commands::channel;
use crate::keys::KeyArgs;

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
    #[command(flatten)]
    catalog: CatalogArgs,
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

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let descriptor = descriptor(&current, &args.line, args.level)?;
    let mut channel = channel::current(&current, &args.line)?;
    if let Some(old) = channel.levels.get(&args.level) {
        let what = format!("level {} was promoted at {}", args.level, old.promoted_at);
        return Err(Failure::new("AlreadyPromoted", what).hint("`publisher channel open` opens it further"));
    }
    let paces = channel.plan.tempos.get(&args.tempo);
    let opens_at: BTreeMap<_, _> =
        paces.into_iter().flatten().map(|(ring, pace)| (ring.clone(), now.plus(pace.opens_after))).collect();
    let promotion = Promotion {
        sha256: Digest::of(&descriptor),
        length: descriptor.len() as u64,
        promoted_at: now,
        tempo: args.tempo,
        opens_at,
        open_to: BTreeMap::new(),
        supersedes: Release::read("release", &descriptor)?.supersedes.into_iter().collect(),
        asks_override: args.asks.iter().copied().collect::<BTreeSet<_>>(),
    };
    channel.levels.insert(args.level, promotion);
    strands_nobody(&current, &channel)?;
    let proposed = channel::propose(&current, &args.catalog, &channel, &keys, now)?;
    let text = format!("✔ promotion of level {} at tempo {:?}: {proposed}", args.level, args.tempo);
    output::print(format, &channel.levels[&args.level], &text)?;
    Ok(exit::DONE)
}

/// Whatever is installed somewhere must find a way to the newest level.
fn strands_nobody(current: &Current, channel: &Channel) -> Result<()> {
    let mut needs = BTreeMap::new();
    for level in channel.levels.keys() {
        let release = Release::read("release", &descriptor(current, &channel.line, *level)?)?;
        needs.extend(release.requires.from.map(|needed| (*level, needed)));
    }
    let left = stranded(channel, |level| needs.get(&level).copied());
    if left.is_empty() {
        return Ok(());
    }
    let levels: Vec<_> = left.iter().map(Level::to_string).collect();
    let what = format!("no way would lead from level {} to the newest one", levels.join(", "));
    Err(Failure::new("Stranded", what)
        .cause("`requires.from` of what is above asks for more, or a required stop on the way is withdrawn")
        .hint(
            "promote a level in between that they can take, or build this one with a lower `requires.from`",
        ))
}

/// The descriptor from the catalog, or from the release's own proposal: both can be published together.
fn descriptor(current: &Current, line: &Line, level: Level) -> Result<Vec<u8>> {
    let path = format!("targets/{}", Release::target_name(line, level));
    if let Some(bytes) = current.tree.get(&path) {
        return Ok(bytes.to_vec());
    }
    let proposals = pending(current)?;
    let found = proposals.iter().find_map(|proposal| proposal.tree.get(&path));
    found.map(<[u8]>::to_vec).ok_or_else(|| {
        Failure::new("NotFound", format!("level {level} of `{line}` is neither published nor proposed"))
            .hint("run `publisher release publish` first")
            .exit(exit::NOT_FOUND)
    })
}
