//! Dangerous things are done by whoever types the name, or says `--yes`.

use std::io::{IsTerminal, stdin};

use super::failure::{Failure, Result};
use super::output::say;

/// Lets through who said `--yes`, or types `word` at a terminal. Without a terminal nobody is asked.
///
/// # Errors
/// `NotConfirmed`.
pub fn confirm(what: &str, word: &str, yes: bool) -> Result<()> {
    let ask = || {
        say(&format!("type `{word}` to {what}:"));
        let mut typed = String::new();
        stdin().read_line(&mut typed).ok()?;
        Some(typed)
    };
    judge(
        what,
        word,
        yes,
        stdin().is_terminal().then_some(ask).and_then(|ask| if yes { None } else { ask() }),
    )
}

fn judge(what: &str, word: &str, yes: bool, typed: Option<String>) -> Result<()> {
    let refuse = |cause: &str, hint: String| {
        Err(Failure::new("NotConfirmed", format!("{what}: nothing was changed")).cause(cause).hint(hint))
    };
    match typed {
        _ if yes => Ok(()),
        Some(typed) if typed.trim() == word => Ok(()),
        Some(_) => refuse("another word was typed", format!("type exactly `{word}`")),
        None => refuse(
            "nobody can be asked: stdin is no terminal",
            "run it at a terminal, or add --yes".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_the_exact_word_or_yes_lets_through() {
        for (yes, typed, allowed) in [
            (true, None, true),
            (false, Some("42\n"), true),
            (false, Some("4\n"), false),
            (false, Some("\n"), false),
            (false, None, false),
        ] {
            let judged = judge("leave level 42", "42", yes, typed.map(str::to_owned));
            assert_eq!(judged.is_ok(), allowed, "{yes} {typed:?}");
        }
        let unasked = judge("leave level 42", "42", false, None).unwrap_err();
        assert!(unasked.hint.unwrap().contains("--yes"));
    }
}
