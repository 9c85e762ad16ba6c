//! Everything that keeps a data plane from going on, or is worth knowing, each told once.

use kube::ResourceExt;
use pdp_policies::{At, ObstacleCode, Owner};
use serde::Serialize;

use crate::crd::{
    CatalogState, ComponentState, ConditionType, ObstacleStatus, TargetPhase, UpdateSubscription,
};
use crate::kubectl::status::suspend_reason;
use crate::kubectl::{remedy, seen, words};

/// What pdp-sync calls a level that failed and was put back.
const LEVEL_FAILED: &str = "LevelFailed";

/// One thing that keeps it from going on, or is worth knowing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reason {
    /// True if it stands in the way; else it is only told.
    blocks: bool,
    code: String,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<Owner>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<At>,
    /// A command, or the advice to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Reason {
    fn blocking(code: &str, detail: impl Into<String>) -> Self {
        Self {
            blocks: true,
            code: code.to_owned(),
            detail: detail.into(),
            who: None,
            until: None,
            hint: None,
        }
    }

    fn told(code: &str, detail: impl Into<String>) -> Self {
        Self { blocks: false, ..Self::blocking(code, detail) }
    }

    fn of(self, who: Owner) -> Self {
        Self { who: Some(who), ..self }
    }

    fn hint(self, next: impl Into<String>) -> Self {
        Self { hint: Some(next.into()), ..self }
    }
}

/// All of them, what blocks before what is only told.
pub(super) fn all(of: &UpdateSubscription) -> Vec<Reason> {
    let found = [by_people(of), by_documents(of), by_level(of), obstacles(of), worth_knowing(of)];
    found.into_iter().flatten().collect()
}

/// What a person of this side set.
fn by_people(of: &UpdateSubscription) -> Vec<Reason> {
    let (place, mut found) = (seen::place(of), Vec::new());
    if of.spec.suspend {
        let reason = Reason::blocking("Suspended", suspend_reason(of)).of(Owner::Customer);
        found.push(reason.hint(format!("kubectl pdp resume {place}")));
    }
    if let Some(rollback) = &of.spec.rollback {
        let reason = Reason::blocking(
            "TakenBack",
            format!("level {} by a person: {}", rollback.from, rollback.reason),
        );
        found.push(reason.of(Owner::Customer).hint(format!("kubectl pdp rollback {place} --let-go")));
    }
    if !seen::looked_at(of) {
        let namespace = of.namespace().unwrap_or_default();
        let reason = Reason::told(
            "NotLookedAtYet",
            format!("no pdp-sync has looked at it; does one run in namespace {namespace}?"),
        );
        found.push(reason.of(Owner::Customer).hint(format!("kubectl get deployments -n {namespace}")));
    } else if seen::edited(of) {
        found.push(
            Reason::told("EditNotSeenYet", "the newest edit hasn't been looked at yet")
                .hint(format!("kubectl pdp reconcile {place}")),
        );
    }
    found
}

/// What is wrong with what came from outside.
fn by_documents(of: &UpdateSubscription) -> Vec<Reason> {
    let (status, mut found) = (seen::status(of), Vec::new());
    if let Some(refusal) = &status.refusal {
        let detail = format!("{}: {}", refusal.subject, refusal.detail);
        found.push(Reason::blocking(refusal.code.as_str(), detail).hint(refusal.hint.clone()));
    }
    let stalled = seen::condition(of, ConditionType::Stalled);
    if let Some(stalled) = stalled.filter(|c| c.reason != LEVEL_FAILED && !is_told(of, &c.reason)) {
        found.push(Reason::blocking(&stalled.reason, stalled.message.clone()));
    }
    let refused = seen::condition(of, ConditionType::InstructionRefused);
    if let Some(refused) = refused.filter(|c| !is_told(of, &c.reason)) {
        found.push(Reason::blocking(&refused.reason, refused.message.clone()).of(Owner::Vendor));
    }
    found
}

/// True if a refusal or an obstacle says it already.
fn is_told(of: &UpdateSubscription, code: &str) -> bool {
    let status = seen::status(of);
    status.refusal.as_ref().is_some_and(|refusal| refusal.code.as_str() == code)
        || status.obstacles.iter().any(|obstacle| obstacle.code.as_str() == code)
}

/// What became of the level itself.
fn by_level(of: &UpdateSubscription) -> Vec<Reason> {
    let (status, mut found) = (seen::status(of), Vec::new());
    let target = status.target.as_ref();
    let failed = target.and_then(|target| Some((target.level, target.failed.as_ref()?)));
    let stalled = seen::condition(of, ConditionType::Stalled).filter(|c| c.reason == LEVEL_FAILED);
    let detail = match (failed, stalled) {
        _ if is_told(of, ObstacleCode::Quarantined.as_str()) => None,
        (Some((level, component)), _) => Some(format!("`{component}` failed on level {level}")),
        (None, Some(stalled)) => Some(stalled.message.clone()),
        (None, None) => None,
    };
    found.extend(detail.map(|detail| {
        let next = remedy::of(ObstacleCode::Quarantined, &seen::place(of));
        Reason::blocking(LEVEL_FAILED, detail).of(Owner::Vendor).hint(next)
    }));
    let unwell = status.components.iter().filter(|c| c.state != ComponentState::Healthy);
    found.extend(unwell.map(|c| {
        let reason = c.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
        let detail = format!("{} {}: {}{reason}", c.name, c.version, words::state(c.state));
        if c.state == ComponentState::Failed {
            Reason::blocking("Component", detail)
        } else {
            Reason::told("Component", detail)
        }
    }));
    found
}

fn obstacles(of: &UpdateSubscription) -> Vec<Reason> {
    let place = seen::place(of);
    let one = |o: &ObstacleStatus| Reason {
        until: o.next,
        ..Reason::blocking(o.code.as_str(), o.detail.clone()).of(o.owner).hint(remedy::of(o.code, &place))
    };
    seen::status(of).obstacles.iter().map(one).collect()
}

/// What stands in nobody's way today.
fn worth_knowing(of: &UpdateSubscription) -> Vec<Reason> {
    use ConditionType as C;
    let mut found = Vec::new();
    if let Some(catalog) = seen::status(of).catalog.as_ref().filter(|c| c.state == CatalogState::Stale) {
        let signed = catalog.signed_at.map_or_else(String::new, |at| format!(", signed {at}"));
        let again = format!("kubectl pdp reconcile {} --with-source", seen::place(of));
        found.push(
            Reason::told("CatalogStale", format!("the catalog is older than 26 hours{signed}")).hint(again),
        );
    }
    if seen::looked_at(of) && seen::status(of).target.is_none() && seen::condition(of, C::UpToDate).is_none()
    {
        found.push(Reason::told("NotKnown", "whether anything newer is promoted isn't known now"));
    }
    for r#type in [C::InstructionUnavailable, C::EarlierRing, C::Exposed, C::Mixed] {
        let told = seen::condition(of, r#type)
            .map(|c| Reason::told(r#type.as_str(), format!("{}: {}", c.reason, c.message)));
        found.extend(told);
    }
    let slip = seen::condition(of, C::PolicyIneffective);
    found.extend(slip.filter(|_| !is_told(of, C::PolicyIneffective.as_str())).map(|c| {
        let next = remedy::of(ObstacleCode::PolicyIneffective, &seen::place(of));
        Reason::told(C::PolicyIneffective.as_str(), c.message.clone()).of(Owner::Customer).hint(next)
    }));
    let foreign = seen::condition(of, C::ForeignImage);
    found.extend(foreign.map(|c| {
        let next = remedy::of(ObstacleCode::ForeignImage, &seen::place(of));
        Reason::told(C::ForeignImage.as_str(), c.message.clone()).of(Owner::Customer).hint(next)
    }));
    found.extend(clocks(of));
    found.extend(trouble(of));
    found
}

/// By which zone data windows go, where that isn't this program's own.
fn clocks(of: &UpdateSubscription) -> Vec<Reason> {
    let Some(zones) = seen::status(of).zone_data.as_ref() else { return Vec::new() };
    let own = pdp_policies::built_in_zone_data();
    let other = (zones.version != own && !of.spec.policy.windows.is_empty()).then(|| {
        format!("pdp-sync goes by zone data {}, and this program says windows by {own}", zones.version)
    });
    let words = zones.note.iter().chain(&zones.moved).cloned().chain(other);
    words.map(|words| Reason::told("ZoneData", words).of(Owner::Customer)).collect()
}

/// What is tried again by itself; what is under way, or waits for an obstacle, is told already.
fn trouble(of: &UpdateSubscription) -> Option<Reason> {
    let target = seen::status(of).target.as_ref();
    let reconciling = seen::condition(of, ConditionType::Reconciling)?;
    if target.is_some_and(|target| target.phase != TargetPhase::Waiting) || is_told(of, &reconciling.reason) {
        return None;
    }
    // Flux's word for a retry says nothing; the code stands in `Ready`.
    let ready = seen::status(of).conditions.iter().find(|c| c.type_ == "Ready" && c.status == "False");
    let told = ready.unwrap_or(reconciling);
    Some(Reason::told(&told.reason, told.message.clone()))
}

/// A reason for people.
pub(super) fn text(reason: &Reason, now: At) -> String {
    let sign = if reason.blocks { "✗" } else { "◎" };
    let mut lines = vec![format!("  {sign} {}: {}", reason.code, reason.detail)];
    lines.extend(reason.who.map(|who| format!("      who:  {}", words::owner(who))));
    lines.extend(
        reason.until.map(|at| format!("      when: by itself, {} at the earliest", words::when(at, now))),
    );
    lines.extend(reason.hint.as_ref().map(|hint| format!("      hint: {hint}")));
    lines.join("\n")
}
