//! A plan that knows nothing but time: shares of the whole fleet by the clock. When people would stop it is noted;
//! it goes on to show what happens if nobody does.

use super::Trial;
use super::course::{Course, Point};
use super::plane::{End, Plane, at_poll, span};
use crate::names::Ring;
use crate::time::Span;

/// Bottlerocket's default waves: this share of the fleet (percent) after this part of the length (of 144).
pub const WAVES: [(i64, usize); 7] = [(1, 1), (4, 5), (24, 15), (48, 40), (96, 60), (120, 90), (144, 100)];

/// What happens at one poll, in this order: reports come before questions. Data planes by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    Ends(usize),
    Stop,
    Starts(usize),
}

/// Lasts as long as the gated plan does when all is well; customers' windows hold here too.
pub(super) fn run(rings: &[Ring], mut planes: Vec<Plane>, trial: &Trial, length: Span, poll: i64) -> Course {
    let mut course = Course::new(rings, &planes);
    let mut point = Point::zero(rings.len());
    let happens = all(&mut planes, trial, length, poll);
    for (n, (at, what)) in happens.iter().enumerate() {
        match *what {
            Happens::Ends(plane) => end(&mut planes, plane, trial, &mut point),
            Happens::Stop => course.stop(&point, *at),
            Happens::Starts(plane) => {
                planes.get(plane).iter().for_each(|plane| point.begin(plane.ring_number));
                course.last_start = Some(span(*at));
            }
        }
        if happens.get(n + 1).is_none_or(|(next, _)| next > at) {
            course.note(&point, *at);
        }
    }
    course.length = Some(length);
    let last = happens.last().map_or(0, |(at, _)| *at).max(at_poll(length.seconds(), poll));
    course.finish(&point, last)
}

fn end(planes: &mut [Plane], n: usize, trial: &Trial, point: &mut Point) {
    let Some(plane) = planes.get_mut(n) else { return };
    if let Some((_, end)) = plane.next_end(trial) {
        point.end(plane.ring_number, plane.end.replace(end), end);
    }
}

/// All that happens, in order.
fn all(planes: &mut [Plane], trial: &Trial, length: Span, poll: i64) -> Vec<(i64, Happens)> {
    let (count, mut happens, mut failure) = (planes.len(), Vec::new(), None::<i64>);
    for (n, plane) in planes.iter_mut().enumerate().filter(|(_, plane)| !plane.offline) {
        let Some((part, _)) = WAVES.iter().find(|(_, share)| n < (count * share).div_ceil(100)) else {
            continue;
        };
        let cohort = at_poll(length.seconds() * part / 144, poll);
        let began = plane.opens(cohort).map_or(cohort, |opens| at_poll(opens, poll));
        plane.began = Some(began);
        happens.push((began, Happens::Starts(n)));
        while let Some((at, end)) = plane.next_end(trial) {
            let at = at_poll(at, poll).max(began + poll);
            happens.push((at, Happens::Ends(n)));
            plane.end = Some(end);
            // Whoever looks for the level's faults isn't misled by others here, which flatters this plan.
            if matches!(end, End::Failed | End::Silent) {
                failure = Some(failure.map_or(at, |first| first.min(at)));
            }
        }
        plane.end = None;
    }
    happens.extend(failure.map(|at| (at_poll(at + trial.reaction.seconds(), poll), Happens::Stop)));
    happens.sort_unstable();
    happens
}
