//! Asking the customer's own command whether what was written is healthy.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use pdp_policies::release::Component;
use pdp_policies::{Level, Span};
use pdp_transport::Error;
use pdp_transport::cli::failure::Result;

use crate::subscription::Probe;
use crate::time::Clock;

/// The exit code for "ask again" (EX_TEMPFAIL of sysexits.h).
const NOT_YET: i32 = 75;

/// What the probe says of a stage in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// Healthy, and it stayed so for as long as the components ask.
    Settled,
    /// It said no, or never yes.
    Failed,
}

/// Asks until the stage is settled or failed. Its output never leaves the machine. `alive` is called each time
/// before waiting: a stage may take longer than the vendor waits for a word.
pub(crate) fn settle(
    probe: &Probe,
    level: Level,
    stage: u32,
    components: &[&Component],
    clock: &Clock,
    mut alive: impl FnMut(),
) -> Result<Health> {
    let longest = |of: fn(&Component) -> Span| components.iter().map(|c| of(c)).max().unwrap_or_default();
    let (timeout, settle) = (longest(|c| c.timeout), longest(|c| c.settle));
    let deadline = clock.now().plus(timeout);
    let mut healthy_since = None;
    loop {
        match ask(probe, level, stage, components)? {
            Some(0) => {
                let since = *healthy_since.get_or_insert(clock.now());
                if clock.now().seconds_since(since) >= settle.seconds() {
                    return Ok(Health::Settled);
                }
            }
            Some(NOT_YET) if clock.now() < deadline => healthy_since = None,
            _ => return Ok(Health::Failed),
        }
        alive();
        clock.wait(probe.interval.max(Span::from_seconds(1)));
    }
}

fn ask(probe: &Probe, level: Level, stage: u32, components: &[&Component]) -> Result<Option<i32>> {
    let names: Vec<_> = components.iter().map(|c| c.name.as_str()).collect();
    let facts = BTreeMap::from([
        ("PDP_LEVEL", level.to_string()),
        ("PDP_STAGE", stage.to_string()),
        ("PDP_COMPONENTS", names.join(",")),
    ]);
    let Some((program, arguments)) = probe.command.split_first() else { return Ok(None) };
    let mut command = Command::new(program);
    command.args(arguments).envs(facts).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().map_err(|e| Error::io(format!("run the probe {program}"), &e))?;
    Ok(status.code())
}
