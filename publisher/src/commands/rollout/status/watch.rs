//! Follows a rollout until there is nothing to watch any more.

use std::time::Duration;

use console::Term;
use pdp_transport::channel_server::RolloutView;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::say;

use super::bars::screen;
use super::lines::Lines;
use super::until::{End, Until, end};
use crate::server::Desk;

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);

/// The last look, and why the rollout can't go on by itself; nothing if it is through.
pub(super) async fn watch(desk: &Desk, path: &str, until: Until) -> Result<(RolloutView, Option<String>)> {
    let mut shown = Shown::new();
    let mut away = false;
    loop {
        match desk.get::<RolloutView>(path).await {
            Ok(view) => {
                away = false;
                shown.show(&view);
                if let Some(end) = end(&view, until) {
                    shown.clear();
                    let why = if let End::Held(why) = end { Some(why) } else { None };
                    return Ok((view, why));
                }
            }
            // A watcher outlives a restart of the server.
            Err(failure) if failure.transient => {
                if !std::mem::replace(&mut away, true) {
                    shown.clear();
                    say(&format!("◎ {}: looking again every second", failure.code));
                }
            }
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Bars where a terminal can move its cursor, lines elsewhere.
enum Shown {
    Bars { screen: Term, before: Vec<String> },
    Lines(Lines),
}

impl Shown {
    fn new() -> Self {
        let screen = Term::buffered_stderr();
        match screen.is_term() && !console::is_dumb() {
            true => Self::Bars { screen, before: Vec::new() },
            false => Self::Lines(Lines::default()),
        }
    }

    fn show(&mut self, view: &RolloutView) {
        match self {
            Self::Lines(lines) => lines.news(view).iter().for_each(|line| say(line)),
            Self::Bars { screen: term, before } => {
                let (rows, columns) = term.size();
                let mut lines = screen(view, usize::from(columns), console::colors_enabled_stderr());
                lines.truncate(usize::from(rows).saturating_sub(1).max(1));
                if lines != *before {
                    redraw(term, before.len(), &lines);
                    *before = lines;
                }
            }
        }
    }

    fn clear(&mut self) {
        if let Self::Bars { screen, before } = self {
            redraw(screen, before.len(), &[]);
            before.clear();
        }
    }
}

/// In one piece, so that nothing flickers. A terminal that went away is no error.
fn redraw(term: &Term, above: usize, lines: &[String]) {
    let _ = term.clear_last_lines(above);
    for line in lines {
        let _ = term.write_line(line);
    }
    let _ = term.flush();
}
