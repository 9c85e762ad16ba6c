//! Exposure for people.

use pdp_policies::printable;

use super::{Exposed, Open};

pub(crate) fn text(exposed: &[Exposed]) -> String {
    if exposed.is_empty() {
        return "✔ no data plane that reports is open to it".to_owned();
    }
    exposed.iter().flat_map(plane).collect::<Vec<_>>().join("\n")
}

fn plane(it: &Exposed) -> Vec<String> {
    let mut lines = vec![format!("{} at level {}", it.data_plane, it.level)];
    lines.extend(it.open.iter().map(open));
    lines.push(match &it.best {
        None => "  no promoted level helps".to_owned(),
        Some(best) => {
            let more = match best.introduces.as_slice() {
                [] => String::new(),
                ids => format!("; ! and opens it to {}", printable(&ids.join(", "))),
            };
            format!("  level {} fixes {}{more}", best.level, best.fixes.len())
        }
    });
    lines
}

fn open(it: &Open) -> String {
    let sign = if it.overdue { "✗" } else { "◎" };
    let due = if it.overdue { "was due" } else { "due" };
    let by = it
        .fixed_by
        .map_or_else(|| "no promoted level fixes it".to_owned(), |level| format!("fixed by level {level}"));
    format!("  {sign} {}, {due} {}; {by}", it.told.words(), it.due)
}
