//! The one place where the time is read.

use pdp_policies::At;

/// Now. In debug builds tests move the clock, so that they needn't wait for days: `PDP_NOW` (RFC 3339, UTC)
/// stops it there, `PDP_NOW_FILE` names a file with the time, for programs that run on while it moves.
pub fn now() -> At {
    moved().unwrap_or_else(|| At::of(jiff::Timestamp::now()))
}

/// As [`now`], in Unix milliseconds.
pub fn millis() -> i64 {
    moved().map_or_else(|| jiff::Timestamp::now().as_millisecond(), |at| at.unix() * 1000)
}

/// True if tests moved the clock of this process.
pub fn is_moved() -> bool {
    moved().is_some()
}

/// True if tests stopped the clock for this process.
pub fn is_stopped() -> bool {
    cfg!(debug_assertions) && std::env::var_os("PDP_NOW").is_some()
}

fn moved() -> Option<At> {
    if !cfg!(debug_assertions) {
        return None;
    }
    if let Ok(text) = std::env::var("PDP_NOW") {
        return text.parse().ok();
    }
    let file = std::env::var_os("PDP_NOW_FILE")?;
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}
