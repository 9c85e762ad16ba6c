//! Exposure for people.

use pdp_policies::printable;

use super::{Exposed, Exposure, NotJudged, Open};

pub(crate) fn text(all: &Exposure) -> String {
    let mut lines: Vec<_> = all.exposed.iter().flat_map(plane).collect();
    if lines.is_empty() {
        lines.push(match all.not_judged.is_empty() {
            true => "✔ no data plane is open to it".to_owned(),
            false => "◎ no data plane that can be judged is open to it".to_owned(),
        });
    }
    lines.extend(all.not_judged.iter().map(not_judged));
    lines.join("\n")
}

fn not_judged(it: &NotJudged) -> String {
    format!("! {} isn't judged: {}", it.data_plane, it.reason)
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
