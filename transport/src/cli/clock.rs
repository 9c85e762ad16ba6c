//! The one place where the time is read.

use pdp_policies::At;

/// Now. In debug builds `PDP_NOW` (RFC 3339, UTC) moves the clock, so that tests needn't wait for days.
pub fn now() -> At {
    if cfg!(debug_assertions)
        && let Some(moved) = std::env::var("PDP_NOW").ok().and_then(|text| text.parse().ok())
    {
        return moved;
    }
    At::of(jiff::Timestamp::now())
}
