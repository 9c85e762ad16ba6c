//! What a proposal changes, as people say it: in a channel, a list of keys, the releases, and in who holds what.

use pdp_policies::trust::Role;
use pdp_policies::{CatalogTree, Channel, KeyList, KeyPurpose, Refusal, Release, printable};
use pdp_transport::cli::failure::Result;

use super::changes::listed_file;
use super::channel_words::of_channel;
use super::holder_words::of_holders;
use super::key_words::of_keys;
use super::level_words::{Known, of_release};
use super::role::RoleFile;

/// One line for each change that means something to people; the values beside it are complete. Only files that the role
/// lists are read, as it lists them: others are nobody's word.
///
/// # Errors
/// When a file that the role lists newly is missing, or isn't the one that it lists.
pub(super) fn words(
    current: &CatalogTree,
    before: &RoleFile,
    tree: &CatalogTree,
    file: &RoleFile,
    known: &Known<'_>,
) -> Result<Vec<String>> {
    let mut lines = of_holders(before, file);
    for (name, listed) in file.signed["targets"].as_object().into_iter().flatten() {
        if before.signed["targets"].get(name) == Some(listed) {
            continue;
        }
        let path = format!("targets/{name}");
        let (old, new) = (current.get(&path), listed_file(tree, current, &path, listed)?);
        lines.extend(match file.role {
            Role::Targets => in_key_list(name, &path, old, new),
            Role::Channels => in_channel(&path, old, new, known),
            Role::Releases => in_release(&path, old, new),
            _ => Vec::new(),
        });
    }
    for (name, _) in before.signed["targets"].as_object().into_iter().flatten() {
        if file.signed["targets"].get(name).is_none() {
            lines.push(format!("{name} is LISTED NO MORE"));
        }
    }
    Ok(lines.iter().map(|line| printable(line)).collect())
}

fn in_channel(path: &str, old: Option<&[u8]>, new: &[u8], known: &Known<'_>) -> Vec<String> {
    let new = match Channel::read(path, new) {
        Ok(new) => new,
        Err(refusal) => return vec![refused(&refusal)],
    };
    let before = old.and_then(|bytes| Channel::read(path, bytes).ok());
    let first = before.is_none().then(|| "a NEW CHANNEL".to_owned());
    // Against an empty one all that a channel says is news; its plan is in the values.
    let before = before.unwrap_or_else(|| Channel::new(new.line.clone(), new.plan.clone()));
    first
        .into_iter()
        .chain(of_channel(&before, &new, known))
        .map(|it| format!("{}: {it}", new.line))
        .collect()
}

fn in_release(path: &str, old: Option<&[u8]>, new: &[u8]) -> Vec<String> {
    let release = match Release::read(path, new) {
        Ok(release) => release,
        Err(refusal) => return vec![refused(&refusal)],
    };
    let again = old.map(|_| "it is WRITTEN ANEW under the same number: data planes refuse it".to_owned());
    let lines = again.into_iter().chain(of_release(release.level, &release, None));
    lines.map(|it| format!("{}: {it}", release.line)).collect()
}

fn in_key_list(name: &str, path: &str, old: Option<&[u8]>, new: &[u8]) -> Vec<String> {
    let purpose = [KeyPurpose::Director, KeyPurpose::Artifact].into_iter().find(|it| it.file() == name);
    let Some(purpose) = purpose else { return Vec::new() };
    let old = old.and_then(|bytes| KeyList::read(path, bytes).ok()).unwrap_or_else(|| KeyList::active([]));
    match KeyList::read(path, new) {
        Ok(new) => {
            let mut words = of_keys(purpose, &old, &new);
            words.extend(of_keys(KeyPurpose::Statement, &old.statements(), &new.statements()));
            words
        }
        Err(refusal) => vec![refused(&refusal)],
    }
}

/// What this program can't read, no data plane of its version reads.
fn refused(refusal: &Refusal) -> String {
    format!("every data plane would refuse it: {refusal}")
}
