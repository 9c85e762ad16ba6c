//! A comparison for people.

use pdp_policies::Digest;
use pdp_policies::printable;

use super::component::{ComponentDiff, ImageChange, What};
use super::objects_text::objects;
use super::{Change, Diff, WayBack};

/// More values of one component than these are counted, not shown.
const MOST_VALUES: usize = 20;

/// Line by line, the security content first.
pub(crate) fn text(diff: &Diff) -> String {
    let (from, to) = (&diff.from, &diff.to);
    let mut lines = vec![format!(
        "{} level {} ({}) -> {} ({}, {:?})",
        diff.line,
        from.level,
        printable(&from.version),
        to.level,
        printable(&to.version),
        to.kind
    )];
    lines.extend(from.data_planes.zip(to.data_planes).map(|(old, new)| {
        format!("  on {old} data planes: level {}; on {new}: level {}", from.level, to.level)
    }));
    lines.extend(diff.fixed.iter().map(|it| format!("  ✔ fixes {}", it.words())));
    lines.extend(diff.forgotten.iter().map(|id| format!("  ! no longer names {}", printable(id))));
    lines.extend(diff.requires.iter().map(|it| change("requires", it)));
    lines.extend(diff.components.iter().flat_map(component));
    if !diff.unchanged.is_empty() {
        let names: Vec<_> = diff.unchanged.iter().map(ToString::to_string).collect();
        lines.push(format!("  = {}", names.join(", ")));
    }
    lines.extend(way_back(&diff.way_back));
    lines.join("\n")
}

fn component(it: &ComponentDiff) -> Vec<String> {
    let (was, is) = (it.was.as_deref().unwrap_or("-"), it.is.as_deref().unwrap_or("-"));
    let (sign, what) = match it.what {
        What::New => ("+", "new"),
        What::Removed => ("-", "uninstalled"),
        What::Forgotten => ("!", "not named any more: it stays installed, and nobody updates it"),
        What::Changed if it.artifact => ("~", "other chart or manifests"),
        What::Changed => ("~", "same chart or manifests"),
    };
    let mut lines = vec![format!(
        "  {sign} {} {} -> {}  stage {}, {what}",
        it.name,
        printable(was),
        printable(is),
        it.stage
    )];
    lines.extend(it.fields.iter().map(|one| format!("  {}", change("", one))));
    lines.extend(it.values.iter().take(MOST_VALUES).map(|one| format!("  {}", change("values", one))));
    if let Some(more) = it.values.len().checked_sub(MOST_VALUES).filter(|more| *more > 0) {
        lines.push(format!("      values: {more} more"));
    }
    lines.extend(it.images.iter().map(image));
    lines.extend(it.objects.iter().flat_map(objects));
    lines.extend(it.unrendered.iter().map(|words| {
        let words = printable(words.lines().next().unwrap_or_default());
        format!("      ! not rendered, give it --values: {words}")
    }));
    lines
}

fn image(it: &ImageChange) -> String {
    let short = |digest: Option<Digest>| digest.map_or_else(|| "-".to_owned(), |digest| digest.short());
    format!("      image {} {} -> {}", printable(&it.name), short(it.was), short(it.is))
}

fn change(of: &str, it: &Change) -> String {
    let place = printable(&it.field);
    format!("    {of}{place}: {} -> {}", printable(&it.was.to_string()), printable(&it.is.to_string()))
}

fn way_back(back: &WayBack) -> Vec<String> {
    if back.is_safe() {
        return vec!["  ✔ the way back: everything goes back as it was".to_owned()];
    }
    let mut lines = vec!["  ! the way back isn't whole:".to_owned()];
    lines.extend(back.held.iter().map(|it| format!("    {it} stays as it is (onFailure: hold)")));
    lines.extend(back.left_behind.iter().map(|it| format!("    nobody takes away {it}")));
    lines.extend(back.uninstalled.iter().map(|it| format!("    {it} is installed anew, without its data")));
    lines
}
