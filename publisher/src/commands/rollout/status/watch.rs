//! Follows a rollout until there is nothing to watch any more.

use std::future::Future;
use std::pin::pin;
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

/// How long an answer may take until a person is told: what is on the screen may be old by then.
const PATIENCE: Duration = Duration::from_secs(5);

/// The last look, and why the rollout can't go on by itself; nothing if it is through.
pub(super) async fn watch(desk: &Desk, path: &str, until: Until) -> Result<(RolloutView, Option<String>)> {
    let mut shown = Shown::new();
    let mut contact = Contact::default();
    loop {
        let slow = || shown.aside(contact.lost("no answer yet: still asking"));
        match patiently(desk.get::<RolloutView>(path), PATIENCE, slow).await {
            Ok(view) => {
                shown.aside(contact.found());
                shown.show(&view);
                if let Some(end) = end(&view, until) {
                    shown.clear();
                    let why = if let End::Held(why) = end { Some(why) } else { None };
                    return Ok((view, why));
                }
            }
            // A watcher outlives a restart of the server.
            Err(failure) if failure.transient => {
                shown.aside(contact.lost(&format!("{}: looking again every second", failure.code)));
            }
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The answer, however long it takes; `tell` is called once if that is longer than `patience`.
async fn patiently<T>(answer: impl Future<Output = T>, patience: Duration, tell: impl FnOnce()) -> T {
    let mut answer = pin!(answer);
    if let Ok(answered) = tokio::time::timeout(patience, &mut answer).await {
        return answered;
    }
    tell();
    answer.await
}

/// Whether the server answers. That it doesn't is said once, in its first words, and that it does again.
#[derive(Debug, Default)]
struct Contact {
    is_lost: bool,
}

impl Contact {
    fn lost(&mut self, why: &str) -> Option<String> {
        let is_news = !std::mem::replace(&mut self.is_lost, true);
        is_news.then(|| format!("◎ {why}"))
    }

    fn found(&mut self) -> Option<String> {
        std::mem::take(&mut self.is_lost).then(|| "✔ the channel server answers again".to_owned())
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

    /// Says something that stays above what is shown.
    fn aside(&mut self, words: Option<String>) {
        if let Some(words) = words {
            self.clear();
            say(&words);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_that_takes_long_is_told_of_once_and_waited_for() {
        let (mut told, brief) = (0, Duration::from_millis(5));
        let late = async {
            tokio::time::sleep(brief * 4).await;
            "late"
        };
        assert_eq!((patiently(late, brief, || told += 1).await, told), ("late", 1));
        let (mut told, long) = (0, Duration::from_secs(60));
        assert_eq!((patiently(async { "at once" }, long, || told += 1).await, told), ("at once", 0));
    }

    #[test]
    fn a_server_that_hangs_or_is_gone_is_told_of_once_until_it_answers() {
        let mut contact = Contact::default();
        assert_eq!(contact.found(), None, "it was never lost");
        let first = contact.lost("no answer yet: still asking");
        assert_eq!(first.as_deref(), Some("◎ no answer yet: still asking"));
        assert_eq!(contact.lost("it timed out"), None);
        assert_eq!(contact.found().as_deref(), Some("✔ the channel server answers again"));
        assert_eq!(contact.found(), None);
        assert!(contact.lost("it is gone").is_some());
    }
}
