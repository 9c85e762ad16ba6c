//! Clocks and space.

use pdp_policies::{At, CLOCK_TOLERANCE};

use super::Check;

/// A release with its images may need so much beside what is kept already (bytes).
const ENOUGH: u64 = 2 * 1024 * 1024 * 1024;

/// Another clock beside this one; `theirs` is none where the host says no time.
pub(crate) fn clock(subject: &str, theirs: Option<At>, now: At) -> Check {
    let Some(theirs) = theirs else { return Check::not_looked_at(subject, "the host says no time") };
    let apart = now.seconds_since(theirs);
    match apart.abs() > CLOCK_TOLERANCE {
        false => Check::good(subject, format!("{apart} s apart")),
        true => Check::bad(
            subject,
            format!("it is {now} here, and {theirs} there"),
            "set this machine's clock (NTP): what is dated ahead is refused by every data plane",
        ),
    }
}

/// `free` bytes in a folder; none where the system doesn't say.
pub(crate) fn space(folder: &str, free: Option<u64>) -> Check {
    let subject = format!("space {folder}");
    match free {
        None => Check::not_looked_at(subject, "the system doesn't say"),
        Some(free) if free >= ENOUGH => Check::good(subject, format!("{} MiB", free >> 20)),
        Some(free) => Check::bad(
            subject,
            format!("{} MiB", free >> 20),
            "free some: bundles and images pass through here",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn clocks_and_space_are_judged() {
        let now = At::from_unix(1_800_000_000);
        for (apart, state) in [(0, State::Good), (900, State::Good), (-901, State::Bad), (86_400, State::Bad)]
        {
            let theirs = At::from_unix(now.unix() + apart);
            assert_eq!(clock("Git host", Some(theirs), now).state, state, "{apart}");
        }
        assert_eq!(clock("Git host", None, now).state, State::NotLookedAt);
        for (free, state) in
            [(None, State::NotLookedAt), (Some(ENOUGH), State::Good), (Some(ENOUGH - 1), State::Bad)]
        {
            assert_eq!(space("/tmp", free).state, state, "{free:?}");
        }
    }
}
