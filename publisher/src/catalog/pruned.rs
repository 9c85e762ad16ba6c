//! Levels leave the catalog in two steps: first their channel, then the releases. Either alone is harmless in this order.

use std::collections::BTreeSet;

use pdp_policies::trust::Role;
use pdp_policies::{CatalogTree, Channel, Level, Release};
use pdp_transport::cli::failure::Result;

use super::merge::Pending;
use super::role::RoleFile;

/// A proposal that is ready and that would leave a channel with a level which no release manager signs, where nothing
/// starts any more; or that gives the number of a pruned level to something new. And why it waits.
pub(super) fn half_done(
    before: &CatalogTree,
    merged: &CatalogTree,
    proposals: &[Pending],
) -> Option<(String, String)> {
    let ready = |role: Role| {
        let mut found = proposals.iter().filter(|it| it.role == Some(role) && it.obstacle.is_none());
        found.next().map(|it| it.branch.clone())
    };
    let (releases, channels) = (ready(Role::Releases), ready(Role::Channels));
    let (listed, listed_before) = (listed(merged).ok()?, listed(before).ok()?);
    for channel in named(merged) {
        let mark = channel_of(before, &channel).and_then(|before| before.pruned_through);
        if let (true, Some(branch)) = (channel.pruned_through < mark, &channels) {
            let why = format!(
                "the channel of `{}` would forget what was pruned: make it with this publisher",
                channel.line
            );
            return Some((branch.clone(), why));
        }
        let mut gone = listed_before.difference(&listed).filter_map(|name| level_of(&channel, name));
        if let (Some(level), Some(branch)) = (gone.find(|level| !channel.may_be_pruned(*level)), &releases) {
            return Some((branch.clone(), too_early(&channel, level)));
        }
        for level in channel.levels.keys() {
            let name = Release::target_name(&channel.line, *level);
            if listed.contains(&name) {
                continue;
            }
            if let Some(branch) = channels.as_ref().filter(|_| !names(before, &channel, *level)) {
                return Some((branch.clone(), format!("level {level} isn't published")));
            }
        }
        let mut new = listed.difference(&listed_before).filter_map(|name| level_of(&channel, name));
        if let (Some(level), Some(branch)) = (new.find(|level| channel.may_be_pruned(*level)), &releases) {
            return Some((
                branch.clone(),
                format!("level {level} may have been pruned: it takes a new number"),
            ));
        }
    }
    None
}

fn too_early(channel: &Channel, level: Level) -> String {
    if channel.levels.contains_key(&level) {
        let line = &channel.line;
        return format!(
            "the channel of `{line}` still names level {level}: the proposal of `channels` without it comes first"
        );
    }
    format!("level {level} wasn't pruned from its channel: its number would become free")
}

/// Takes out the files that no role lists any more: whoever fetches the catalog shouldn't pay for them.
pub(crate) fn drop_unlisted(tree: &mut CatalogTree) -> Result<()> {
    let mut listed = BTreeSet::new();
    for role in [Role::Targets, Role::Releases, Role::Channels] {
        listed.extend(targets(&RoleFile::read(tree, role)?));
    }
    let paths: Vec<_> = tree.iter().map(|(path, _)| path.to_owned()).collect();
    let unlisted = |path: &&String| path.strip_prefix("targets/").is_some_and(|name| !listed.contains(name));
    paths.iter().filter(unlisted).for_each(|path| tree.remove(path));
    Ok(())
}

/// The names of the levels of a channel's line that a role lists.
pub(crate) fn level_of(channel: &Channel, name: &str) -> Option<Level> {
    let level = name.strip_prefix(&format!("release-{}-", channel.line))?.strip_suffix(".json")?;
    let level = level.parse().ok()?;
    (Release::target_name(&channel.line, level) == name).then_some(level)
}

/// What a role lists.
pub(crate) fn targets(file: &RoleFile) -> BTreeSet<String> {
    file.signed["targets"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn listed(tree: &CatalogTree) -> Result<BTreeSet<String>> {
    Ok(targets(&RoleFile::read(tree, Role::Releases)?))
}

/// The channels that the tree's role lists.
fn named(tree: &CatalogTree) -> Vec<Channel> {
    let Ok(file) = RoleFile::read(tree, Role::Channels) else { return Vec::new() };
    let paths = targets(&file).into_iter().map(|name| format!("targets/{name}"));
    paths.filter_map(|path| Channel::read(&path, tree.get(&path)?).ok()).collect()
}

fn names(tree: &CatalogTree, channel: &Channel, level: Level) -> bool {
    channel_of(tree, channel).is_some_and(|before| before.levels.contains_key(&level))
}

/// The channel of the same line in a tree.
fn channel_of(tree: &CatalogTree, channel: &Channel) -> Option<Channel> {
    let path = format!("targets/{}", Channel::target_name(&channel.line));
    Channel::read(&path, tree.get(&path)?).ok()
}
