//! How a pass ended, in words.

use pdp_policies::decision::DecisionRecord;
use pdp_transport::cli::Failure;

use super::components;
use crate::target::{ComponentHealth, UnderWay};

pub(super) fn failure_words(failure: &Failure) -> String {
    let parts = [Some(&failure.what), failure.cause.as_ref(), failure.hint.as_ref()];
    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("; ")
}

pub(super) fn under_way_words(record: Option<&DecisionRecord>, under_way: &UnderWay) -> String {
    let level = record.map_or_else(String::new, |record| record.target().level.to_string());
    let way = if under_way.back { "goes back" } else { "is applied" };
    let open = health_words(&under_way.components);
    format!("level {level} {way}, stage {}: {open}", under_way.turn)
}

pub(super) fn health_words(open: &[ComponentHealth]) -> String {
    let one = |it: &ComponentHealth| match components::reason(&it.health) {
        Some(reason) => format!("{} ({reason})", it.name),
        None => it.name.to_string(),
    };
    open.iter().map(one).collect::<Vec<_>>().join(", ")
}
