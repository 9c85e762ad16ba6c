//! A bar per ring, for `rollout status --watch` on a terminal.

use console::Style;
use pdp_policies::rollout::Census;
use pdp_transport::channel_server::{RingStatus, RingView, RolloutView};

use super::holds::{Next, holds};
use super::left::When;
use super::{ring, title};

/// So many columns are for sign and name, and so many for the numbers behind the bar.
const BEFORE: usize = 16;
const BEHIND: usize = 15;
/// What the letters mean.
const LEGEND: [&str; 2] = [
    "H healthy  s started  F failed  ! silent  o offered  d deferred",
    ". waiting, not reporting  - past, unmeasured",
];

/// The rollout on a screen so many columns wide. Letters say what colours say too.
pub(super) fn screen(view: &RolloutView, width: usize, colored: bool) -> Vec<String> {
    let width = width.clamp(44, 120);
    let mut lines = wrap(&format!("{}, as of {}", title(view), view.now), "", width);
    for hold in holds(view) {
        lines.extend(wrap(&format!("✗ {}", hold.what), "  ", width));
        lines.extend(people(&hold.next, "    ", width));
    }
    for (place, ring) in view.rings.iter().enumerate() {
        lines.push(bar(ring, width, colored));
        let (state, census) = (ring::state(ring, place, When::Left(view.now)), ring::census(ring));
        let indent = " ".repeat(BEFORE);
        // Of a ring that is through nobody wants two lines.
        let words = match (ring.status, census) {
            (RingStatus::Passed, Some(census)) => vec![format!("{state}; {census}")],
            (_, census) => [Some(state), census].into_iter().flatten().collect(),
        };
        lines.extend(words.iter().flat_map(|words| wrap(words, &indent, width)));
        lines.extend(ring::next(view, ring).iter().flat_map(|next| people(next, "    ", width)));
    }
    lines.extend(LEGEND.iter().flat_map(|line| wrap(line, "", width)));
    lines
}

fn bar(ring: &RingView, width: usize, colored: bool) -> String {
    let census = &ring.census;
    let name: String = match ring.ring.as_str() {
        name if name.len() > BEFORE - 3 => name.chars().take(BEFORE - 4).chain(['…']).collect(),
        name => name.to_owned(),
    };
    let segments = segments(census);
    let numbers: Vec<u32> = segments.iter().map(|(_, _, number)| *number).collect();
    let cells = allot(&numbers, width - BEFORE - BEHIND);
    let drawn = segments.iter().zip(cells).filter(|(_, cells)| *cells > 0);
    let drawn = drawn.map(|((letter, style, _), cells)| {
        style.clone().force_styling(colored).apply_to(letter.repeat(cells)).to_string()
    });
    let (sign, names) = (ring::sign(ring), BEFORE - 3);
    format!("{sign} {name:names$} {} {}/{}", drawn.collect::<String>(), census.healthy, census.members)
}

fn segments(census: &Census) -> [(&'static str, Style, u32); 8] {
    let style = Style::new;
    [
        ("H", style().green(), census.healthy),
        ("s", style().cyan(), census.started),
        ("F", style().red().bold(), census.failed),
        ("!", style().magenta().bold(), census.silent),
        ("o", style().yellow(), census.offered),
        ("d", style().blue(), census.deferred),
        (".", style().dim(), census.waiting + census.not_reporting),
        ("-", style().dim(), census.past + census.excluded),
    ]
}

/// Cells by share; whoever is there at all gets one, so that a single failure among thousands is seen.
fn allot(numbers: &[u32], width: usize) -> Vec<usize> {
    let total: u64 = numbers.iter().map(|number| u64::from(*number)).sum();
    let share = |number: u32| u64::from(number) * width as u64;
    let fair = |number: u32| usize::try_from(share(number).checked_div(total).unwrap_or(0)).unwrap_or(width);
    let mut cells: Vec<usize> =
        numbers.iter().map(|number| if *number == 0 { 0 } else { fair(*number).max(1) }).collect();
    let used = |cells: &[usize]| cells.iter().sum::<usize>();
    while total > 0 && used(&cells) < width {
        let short = |n: &usize| share(numbers[*n]).saturating_sub(cells[*n] as u64 * total);
        let Some(most) = (0..cells.len()).rev().max_by_key(short) else { break };
        cells[most] += 1;
    }
    while used(&cells) > width {
        let Some(most) = (0..cells.len()).rev().max_by_key(|n| cells[*n]) else { break };
        cells[most] -= 1;
    }
    cells
}

/// The command on a line of its own where it doesn't fit behind the words, for whoever copies it.
fn people(next: &Next, indent: &str, width: usize) -> Vec<String> {
    let line = format!("{indent}{next}");
    if line.chars().count() <= width {
        return vec![line];
    }
    let mut lines = wrap(&next.words, indent, width);
    if !next.command.is_empty() {
        lines.extend(wrap(&next.command, indent, width));
    }
    lines
}

/// Broken at spaces; what comes after the first line is as far in as `indent`.
fn wrap(text: &str, indent: &str, width: usize) -> Vec<String> {
    let mut lines = vec![indent.to_owned()];
    for word in text.split(' ') {
        let last = lines.last().map_or(0, |line| line.chars().count());
        let begins = last == indent.chars().count();
        if !begins && last + 1 + word.chars().count() > width {
            lines.push(indent.to_owned());
        }
        if let Some(line) = lines.last_mut() {
            if line.len() > indent.len() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
