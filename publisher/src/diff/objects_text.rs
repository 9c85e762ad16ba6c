//! What becomes of objects, for people: what fails first, then what people have to know, then the rest.

use pdp_policies::printable;

use super::objects::{Hook, ObjectsDiff, RightsChange};

/// More names of one sort than these are counted, not shown.
const MOST: usize = 10;

pub(super) fn objects(it: &ObjectsDiff) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(
        it.fixed.iter().map(|it| format!("      ✗ no cluster changes {} of {}", it.field, it.object)),
    );
    lines.extend(it.definitions.iter().map(|it| format!("      ✗ {}: {}", printable(&it.name), it.lost)));
    lines.extend(listed("! deletes", &it.deleted));
    lines.extend(listed("! leaves behind", &it.left));
    lines.extend(it.rights.iter().flat_map(rights));
    lines.extend(listed("restarts", &it.restarts));
    lines.extend(it.hooks.iter().map(hook));
    lines.extend(listed("new", &it.new));
    let other: Vec<_> = it.changed.iter().filter(|one| !it.restarts.contains(one)).cloned().collect();
    lines.extend(listed("changes", &other));
    lines
}

fn listed(what: &str, names: &[String]) -> Option<String> {
    let shown = names.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    let more = match names.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!names.is_empty()).then(|| format!("      {what} {shown}{more}"))
}

fn rights(it: &RightsChange) -> Vec<String> {
    let line = |sign: &str, words: &[String]| {
        let sign = format!("{sign} {}:", it.object);
        listed(&sign, words)
    };
    [line("! rights gained by", &it.gained), line("rights lost by", &it.lost)].into_iter().flatten().collect()
}

fn hook(it: &Hook) -> String {
    let changed = if it.changed { ", another one than before" } else { "" };
    format!("      runs {} ({}{changed})", it.object, it.when.join(", "))
}
