//! What of a policy protects nothing, or can never be met: a slip that nobody would notice before the day that it was for.

use crate::channel::Channel;
use crate::gate::{AT_LEAST, ever_opens};
use crate::names::Level;
use crate::policy::{ApprovalRule, Freeze, MinimumAge, Pin, PinTarget, Policy};
use crate::time::{At, Span};

/// More of one kind than this is no policy.
const MAX_EACH: usize = 100;
/// More data planes than this aren't gone after.
const MAX_AFTER: usize = 20;
/// So many freezes are remembered while no level starts.
const MOST_SEEN: usize = 10 * MAX_EACH;
/// More own images than this are nobody's sidecars.
const MAX_OWN_IMAGES: usize = 64;
/// Who waits for longer doesn't let a level ripen.
const MAX_AGE: Span = Span::from_seconds(366 * 86_400);

impl Policy {
    /// All that protects nothing or can never be met, in words that begin with the field.
    ///
    /// `before` is the policy that was seen before, none if there was none. A pin or freeze that it had was seen in force and
    /// ends by itself; one that comes new and is over already was to hold something.
    pub fn ineffective(&self, before: Option<&Self>, now: At) -> Vec<String> {
        let mut found = self.too_many();
        found.extend(self.freezes.iter().enumerate().filter_map(|(n, freeze)| {
            let problem = freeze.swapped().or_else(|| freeze.over(before, now))?;
            Some(format!("freezes[{n}] {problem}"))
        }));
        found.extend(self.pin.as_ref().and_then(|pin| pin.over(before, now)));
        found.extend(self.windows_problems(now));
        found.extend(self.minimum_age.as_ref().and_then(MinimumAge::problem));
        found.extend(
            self.approval.iter().flat_map(ApprovalRule::problems).map(|it| format!("approval: {it}")),
        );
        let after = self.after.iter().enumerate();
        found.extend(after.filter_map(|(n, after)| Some(format!("after[{n}] {}", after.problem()?))));
        found
    }

    /// As [`Self::ineffective`], and a pin that comes new to a level that the vendor never published, or one to a level that it
    /// withdrew before it was installed.
    pub fn ineffective_in(
        &self,
        channel: &Channel,
        installed: Option<Level>,
        before: Option<&Self>,
        now: At,
    ) -> Vec<String> {
        let mut found = self.ineffective(before, now);
        found.extend(self.pin.as_ref().filter(|pin| now < pin.expires).and_then(|pin| {
            let PinTarget::Level(level) = pin.to else { return None };
            // One that was in force before this was looked at may wait for a level that is to come.
            let seen = before.and_then(|before| before.pin.as_ref()).is_some_and(|was| was.to == pin.to);
            let slip =
                withdrawn(channel, level).or_else(|| never_published(channel, level).filter(|_| !seen));
            slip.filter(|_| Some(level) != installed)
        }));
        found
    }

    /// The stricter of both, field by field, and what `newer` adds to what holds: what is kept to tell, later, what was loosened
    /// and what was seen in force.
    #[must_use]
    pub fn stricter(&self, newer: &Self) -> Self {
        let loosened = newer.loosened(self);
        let looser = |field: &str| loosened.iter().any(|it| it.field.split('.').next() == Some(field));
        let mut kept = Self {
            pin: pick(looser("pin"), &self.pin, &newer.pin),
            hold: pick(looser("hold"), &self.hold, &newer.hold),
            windows: pick(looser("windows"), &self.windows, &newer.windows),
            freezes: pick(looser("freezes"), &self.freezes, &newer.freezes),
            minimum_age: pick(looser("minimumAge"), &self.minimum_age, &newer.minimum_age),
            approval: pick(looser("approval"), &self.approval, &newer.approval),
            after: pick(looser("after"), &self.after, &newer.after),
            overrides: pick(looser("overrides"), &self.overrides, &newer.overrides),
            own_images: pick(looser("ownImages"), &self.own_images, &newer.own_images),
        };
        let unseen: Vec<_> = newer.freezes.iter().filter(|freeze| !freeze.was_in(&kept)).cloned().collect();
        kept.freezes.extend(unseen.into_iter().take(MOST_SEEN.saturating_sub(self.freezes.len())));
        kept
    }

    fn too_many(&self) -> Vec<String> {
        let counts = [
            ("windows", self.windows.len(), MAX_EACH),
            ("freezes", self.freezes.len(), MAX_EACH),
            ("overrides", self.overrides.len(), MAX_EACH),
            ("after", self.after.len(), MAX_AFTER),
            ("approval.approvers", self.approval.as_ref().map_or(0, |rule| rule.approvers.len()), MAX_EACH),
            ("ownImages", self.own_images.len(), MAX_OWN_IMAGES),
        ];
        let beyond = counts.into_iter().filter(|(_, count, most)| count > most);
        beyond.map(|(field, count, most)| format!("{field} lists {count}; at most {most} are read")).collect()
    }

    /// Each window on its own, then all together.
    fn windows_problems(&self, now: At) -> Vec<String> {
        if self.windows.len() > MAX_EACH {
            return Vec::new();
        }
        let found: Vec<_> = self.windows.iter().filter_map(|window| window.check(now).err()).collect();
        let never = |needed| !ever_opens(&self.windows, needed, now);
        if found.is_empty() && never(AT_LEAST) {
            let why = match never(Span::default()) {
                true => "those that forbid cover the others".to_owned(),
                false => format!("none is open for the {AT_LEAST} that a level takes at least"),
            };
            return vec![format!("windows never allow a start within a year: {why}")];
        }
        found.into_iter().map(|problem| format!("windows: {problem}")).collect()
    }
}

fn pick<T: Clone>(looser: bool, before: &T, newer: &T) -> T {
    if looser { before.clone() } else { newer.clone() }
}

impl Freeze {
    fn swapped(&self) -> Option<String> {
        let Self { from, until, .. } = self;
        (until <= from).then(|| {
            format!("ends (`until: {until}`) before it begins (`from: {from}`), so it would hold nothing")
        })
    }

    /// Why a freeze that comes new protects nothing: it is over.
    fn over(&self, before: Option<&Policy>, now: At) -> Option<String> {
        let seen = before.is_some_and(|before| self.was_in(before));
        (self.until <= now && !seen).then(|| {
            format!(
                "is over already (`until: {}`), so it would hold nothing: correct its dates, or take it out",
                self.until
            )
        })
    }

    /// One whose end, or beginning, was moved is the same one. Reasons come again each year.
    fn was_in(&self, policy: &Policy) -> bool {
        policy.freezes.iter().any(|was| was.from == self.from || was.until == self.until)
    }
}

impl Pin {
    fn over(&self, before: Option<&Policy>, now: At) -> Option<String> {
        let was = before.and_then(|before| before.pin.as_ref());
        // One whose end was moved, or that was moved to another level, is the same one.
        let seen = was.is_some_and(|was| was.to == self.to || was.expires == self.expires);
        (self.expires <= now && !seen).then(|| {
            format!("pin ends (`expires: {}`) before it begins, now: it would hold nothing", self.expires)
        })
    }
}

impl MinimumAge {
    fn problem(&self) -> Option<String> {
        let age = self.age;
        let severe = self.severe.as_ref().map(|severe| severe.age);
        if age.seconds() == 0 {
            return Some("minimumAge.age is 0s: it would hold nothing; take it out".to_owned());
        }
        if age > MAX_AGE {
            return Some(format!("minimumAge.age of {age}: more than {MAX_AGE} is a pin or a hold"));
        }
        let severe = severe.filter(|severe| *severe > age)?;
        Some(format!(
            "minimumAge.severe.age of {severe} is longer than {age}: what is severe would wait longer"
        ))
    }
}

fn withdrawn(channel: &Channel, level: Level) -> Option<String> {
    let withdrawal = channel.withdrawn.get(&level)?;
    let fixed = withdrawal.fixed_by.map_or_else(String::new, |by| format!("; level {by} fixes it"));
    let reason = crate::printable(&withdrawal.reason);
    Some(format!("pin.to names level {level}, which the vendor withdrew: {reason}{fixed}"))
}

fn never_published(channel: &Channel, level: Level) -> Option<String> {
    let published = channel.levels.contains_key(&level) || channel.may_be_pruned(level);
    (!published).then(|| {
        let newest = channel.levels.keys().next_back();
        let newest = newest.map_or_else(String::new, |newest| format!("; the newest is {newest}"));
        format!("pin.to names level {level}, which was never published in this line{newest}")
    })
}
