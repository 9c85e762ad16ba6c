//! Whether this machine's clock may date a signature. Another clock can stop one, and never sets a time.

use pdp_policies::{At, CLOCK_TOLERANCE};
use pdp_transport::cli::failure::{Failure, Result};

/// Refuses to sign while the Git host's clock says something else. A host that says nothing stops nobody.
///
/// # Errors
/// `ClockDiffers`.
pub(super) fn check(host: Option<At>, now: At) -> Result<()> {
    let Some(host) = host.filter(|host| differs(*host, now)) else { return Ok(()) };
    Err(Failure::new(
        "ClockDiffers",
        format!("it is {now} here, and {host} on the Git host: nothing was signed"),
    )
    .cause("what is dated ahead is refused by every data plane")
    .hint("set this machine's clock (NTP); if it is right, tell whoever runs the Git host"))
}

/// True if two clocks are further apart than any reader takes.
pub(super) fn differs(one: At, other: At) -> bool {
    one.seconds_since(other).abs() > CLOCK_TOLERANCE
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_clock_beyond_the_tolerance_stops_a_signature_in_either_direction() {
        let now = At::from_unix(1_800_000_000);
        for (seconds, stops) in
            [(0, false), (900, false), (-900, false), (901, true), (-901, true), (86_400 * 365, true)]
        {
            let host = Some(At::from_unix(now.unix() + seconds));
            assert_eq!(check(host, now).is_err(), stops, "{seconds} s");
        }
        assert!(check(None, now).is_ok());
    }
}
