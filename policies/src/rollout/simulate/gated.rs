//! The plan as it stands: one poll after the other, until nobody can start any more and all that started has ended.

use super::Trial;
use super::course::Course;
use super::fleet::Fleet;
use super::plane::{Plane, at_poll};
use super::server::Server;
use crate::names::{BadName, Ring};
use crate::plan::{RingPlan, Tempo};

pub(super) fn run(
    plan: &RingPlan,
    rings: &[Ring],
    tempo: Tempo,
    fleet: &Fleet,
    planes: Vec<Plane>,
    trial: &Trial,
) -> Result<Course, BadName> {
    let (poll, patience) = (fleet.poll_every.seconds(), patience(plan, tempo, fleet));
    let mut server = Server::new(plan, rings, tempo, planes, trial, poll)?;
    let mut moved = 0;
    loop {
        if server.tick() {
            moved = server.now;
        }
        let next = if moved == server.now { Some(server.now + 1) } else { server.next(moved + patience) };
        match next {
            Some(next) => server.now = at_poll(next, poll),
            None => return Ok(server.finish(moved)),
        }
    }
}

/// When nothing has happened for this long (seconds), windows change nothing any more: all of them were open, and all
/// that time decides is decided.
fn patience(plan: &RingPlan, tempo: Tempo, fleet: &Fleet) -> i64 {
    let windows = fleet.rings.iter().filter_map(|crowd| crowd.windows).map(|windows| windows.every.seconds());
    let paces = plan.tempos.get(&tempo).into_iter().flat_map(|paces| paces.values());
    let paces =
        paces.map(|pace| pace.opens_after.seconds() + pace.soak.seconds().max(pace.silence_after.seconds()));
    windows.max().unwrap_or_default()
        + paces.max().unwrap_or_default()
        + 2 * fleet.poll_every.seconds()
        + fleet.upgrade.most.seconds()
}
