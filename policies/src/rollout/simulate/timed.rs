//! A plan that knows nothing but time: shares of the whole fleet by the clock. When people would stop it is noted;
//! it goes on to show what happens if nobody does.

use super::Trial;
use super::course::Course;
use super::fleet::Fleet;
use super::plane::{End, planes};
use crate::names::{BadName, Ring};
use crate::plan::RingPlan;
use crate::time::Span;

/// Bottlerocket's default waves: this share of the fleet (percent) after this part of the length (of 144).
pub const WAVES: [(i64, usize); 7] = [(1, 1), (4, 5), (24, 15), (48, 40), (96, 60), (120, 90), (144, 100)];

/// Lasts as long as the gated plan does when all is well; customers' windows hold here too.
pub(super) fn run(plan: &RingPlan, fleet: &Fleet, trial: &Trial, length: Span) -> Result<Course, BadName> {
    let rings: Vec<Ring> = plan.rings.iter().map(|rules| rules.name.clone()).collect();
    let mut planes = planes(fleet, &rings, trial)?;
    let mut course = Course::new(&rings, &planes);
    let (poll, all) = (fleet.poll_every.seconds(), planes.len());
    let opens = WAVES.map(|(part, share)| (length.seconds() * part / 144, share));
    let (mut now, mut stop) = (0, None::<i64>);
    loop {
        for plane in &mut planes {
            while let Some((_, end)) = plane.due(trial, now) {
                plane.end = Some(end);
                if end != End::Healthy {
                    stop = stop.or(Some(now + trial.reaction.seconds()));
                }
            }
        }
        if stop.is_some_and(|stop| stop <= now) {
            course.stop(&planes, now);
        }
        let share = opens.iter().rev().find(|(at, _)| *at <= now).map_or(0, |(_, share)| *share);
        let cohort = (all * share).div_ceil(100);
        for plane in planes.iter_mut().take(cohort) {
            if plane.began.is_none() && !plane.offline && plane.is_open(now) {
                plane.began = Some(now);
            }
        }
        course.note(&planes, now);
        let ends = planes.iter().filter_map(|plane| plane.next_end(trial)).map(|(at, _)| at);
        let waiting = planes.iter().take(cohort).filter(|plane| plane.began.is_none() && !plane.offline);
        let windows = waiting.filter_map(|plane| plane.opens(now));
        let starts = opens.iter().map(|(at, _)| *at).chain(windows);
        match ends.chain(starts).chain(stop).filter(|at| *at > now).min() {
            Some(next) => now = (next + poll - 1) / poll * poll,
            None => {
                course.length = Some(length);
                return Ok(course.finish(&planes, now));
            }
        }
    }
}
