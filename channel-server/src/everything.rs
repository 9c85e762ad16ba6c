//! The halt of everything. Pure.

use pdp_policies::At;
use pdp_policies::is_same_person;
use pdp_policies::rollout::CommandRefusal;

use crate::event::Event;

/// A halt of everything that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Everything {
    /// Since when.
    pub(crate) at: At,
    /// Who halted it, and why.
    pub(crate) by: String,
    pub(crate) reason: String,
    /// Who asked to resume first.
    pub(crate) resume_asked: Option<String>,
}

/// What the log says of it, one event on.
pub(crate) fn apply(halt: &mut Option<Everything>, at: At, event: &Event) {
    match event {
        Event::EverythingHalted { by, reason } => {
            let new = Everything { at, by: by.clone(), reason: reason.clone(), resume_asked: None };
            // Whoever halts again disagrees with the one who asked to end it.
            halt.get_or_insert(new).resume_asked = None;
        }
        Event::EverythingResumeAsked { by, .. } => {
            if let Some(halt) = halt {
                halt.resume_asked.get_or_insert_with(|| by.clone());
            }
        }
        // A log that somebody wrote by hand ends no halt with one person's word.
        Event::EverythingResumed { by, .. } => {
            let asked = halt.as_ref().and_then(|halt| halt.resume_asked.as_ref());
            if asked.is_some_and(|first| !is_same_person(first, by)) {
                *halt = None;
            }
        }
        _ => {}
    }
}

/// The event that a person's wish to resume leads to; none if nothing is halted.
///
/// # Errors
/// When the same person asks twice.
pub(crate) fn resume(
    halt: Option<&Everything>,
    by: String,
    reason: String,
) -> Result<Option<Event>, CommandRefusal> {
    let Some(halt) = halt else { return Ok(None) };
    match &halt.resume_asked {
        None => Ok(Some(Event::EverythingResumeAsked { by, reason })),
        Some(first) if is_same_person(first, &by) => Err(CommandRefusal::SecondPersonNeeded),
        Some(_) => Ok(Some(Event::EverythingResumed { by, reason })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_until_two_people_say_so() {
        let (mut halt, at) = (None, At::from_unix(1));
        let mut go = |event: Event| apply(&mut halt, at, &event);
        let (ann, bob) = (|| "ann".to_owned(), || "bob".to_owned());
        go(Event::EverythingHalted { by: ann(), reason: String::new() });
        go(Event::EverythingResumed { by: bob(), reason: String::new() });
        go(Event::EverythingResumeAsked { by: ann(), reason: String::new() });
        go(Event::EverythingResumed { by: ann(), reason: String::new() });
        assert!(halt.is_some(), "nobody asked first, and then the same person twice");
        let asked = resume(halt.as_ref(), ann(), String::new());
        assert_eq!(asked, Err(CommandRefusal::SecondPersonNeeded));
        let asked = resume(halt.as_ref(), "Ann".to_owned(), String::new());
        assert_eq!(asked, Err(CommandRefusal::SecondPersonNeeded), "the same person, written otherwise");
        let resumed = resume(halt.as_ref(), bob(), String::new());
        apply(
            &mut halt,
            at,
            &resumed.ok().flatten().unwrap_or(Event::EverythingHalted { by: bob(), reason: bob() }),
        );
        assert!(halt.is_none());
        assert_eq!(resume(halt.as_ref(), bob(), String::new()), Ok(None));
    }
}
