//! Figures for Prometheus. Nothing in them names a customer.

use pdp_policies::At;
use pdp_policies::trust::Role;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What a counter is split by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Split {
    result: &'static str,
}

/// A refusal's stable code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: String,
}

/// All figures.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    polls: Family<Split, Counter>,
    grants: Counter,
    reports: Counter,
    refusals: Family<Code, Counter>,
    catalog: Family<Split, Counter>,
    write_failures: Counter,
    ring_state_failures: Counter,
    data_planes: Gauge,
    catalog_signed: Gauge,
    role_expires: Family<RoleLabel, Gauge>,
    held: Family<Held, Gauge>,
    log_lost: Gauge,
    not_director: Gauge,
}

/// A role of the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoleLabel {
    role: &'static str,
}

/// What holds rollouts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Held {
    by: &'static str,
}

/// What is as it is at the moment of asking.
#[derive(Debug, Default)]
pub(crate) struct Moment {
    /// Enrolled data planes.
    pub(crate) data_planes: usize,
    /// When the followed catalog was signed, Unix seconds; 0 without one.
    pub(crate) catalog_signed: i64,
    /// When each of its roles expires; none without one.
    pub(crate) roles: Option<[(Role, At); 6]>,
    /// Rollouts of levels that aren't withdrawn in which something is halted.
    pub(crate) halted: usize,
    /// Those that people paused.
    pub(crate) paused: usize,
    /// Those that go on only if people do something: nobody is about to prove the current wave.
    pub(crate) waiting_for_people: usize,
    /// True while everything is halted.
    pub(crate) everything: bool,
    /// True while the event log can't be followed.
    pub(crate) log_lost: bool,
    /// True if the followed catalog doesn't list the server's key as one that directs.
    pub(crate) not_director: bool,
}

impl Metrics {
    pub(crate) fn polled(&self, changed: bool) {
        let result = if changed { "new" } else { "unchanged" };
        self.polls.get_or_create(&Split { result }).inc();
    }

    pub(crate) fn granted(&self) {
        self.grants.inc();
    }

    pub(crate) fn reported(&self) {
        self.reports.inc();
    }

    pub(crate) fn refused(&self, code: &str) {
        self.refusals.get_or_create(&Code { code: code.to_owned() }).inc();
    }

    pub(crate) fn catalog_followed(&self) {
        self.catalog.get_or_create(&Split { result: "followed" }).inc();
    }

    pub(crate) fn catalog_failed(&self) {
        self.catalog.get_or_create(&Split { result: "failed" }).inc();
    }

    pub(crate) fn write_failed(&self) {
        self.write_failures.inc();
    }

    pub(crate) fn ring_state_failed(&self) {
        self.ring_state_failures.inc();
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self, moment: &Moment) -> String {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.data_planes.set(count(moment.data_planes));
        self.catalog_signed.set(moment.catalog_signed);
        self.log_lost.set(moment.log_lost.into());
        self.not_director.set(moment.not_director.into());
        for (role, at) in moment.roles.iter().flatten() {
            self.role_expires.get_or_create(&RoleLabel { role: role.name() }).set(at.unix());
        }
        for (by, n) in [
            ("halt", count(moment.halted)),
            ("pause", count(moment.paused)),
            ("people", count(moment.waiting_for_people)),
            ("everything", moment.everything.into()),
        ] {
            self.held.get_or_create(&Held { by }).set(n);
        }
        let mut registry = Registry::with_prefix("pdp_channel_server");
        registry.register("polls", "Assignments asked for", self.polls.clone());
        registry.register("grants", "Starts granted", self.grants.clone());
        registry.register("reports", "Reports taken", self.reports.clone());
        registry.register("refusals", "Requests refused, by code", self.refusals.clone());
        registry.register("catalog_looks", "Looks at the catalog", self.catalog.clone());
        registry.register("write_failures", "Writes that the database refused", self.write_failures.clone());
        registry.register(
            "ring_state_failures",
            "Ring states that couldn't be published",
            self.ring_state_failures.clone(),
        );
        registry.register("data_planes", "Enrolled data planes", self.data_planes.clone());
        registry.register(
            "catalog_signed_timestamp_seconds",
            "When the followed catalog was signed, 0 without one",
            self.catalog_signed.clone(),
        );
        registry.register(
            "catalog_role_expires_timestamp_seconds",
            "When each role of the followed catalog expires",
            self.role_expires.clone(),
        );
        registry.register(
            "rollouts_held",
            "Rollouts of levels that aren't withdrawn, by what holds them; `people`: a wave that nobody is about to prove; `everything` is 0 or 1",
            self.held.clone(),
        );
        registry.register("log_lost", "1 while the event log can't be followed", self.log_lost.clone());
        registry.register(
            "director_not_listed",
            "1 while the catalog doesn't list this server's key as a director's: nobody would believe what it says",
            self.not_director.clone(),
        );
        let mut text = String::new();
        let _ = encode(&mut text, &registry);
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ALERTS: &str = include_str!("../deploy/alerts.yaml");

    #[test]
    fn every_alert_has_a_runbook_and_looks_at_figures_that_are_there() {
        let text = Metrics::default().text(&Moment { waiting_for_people: 2, ..Moment::default() });
        assert!(text.contains("pdp_channel_server_rollouts_held{by=\"people\"} 2"), "{text}");
        let named =
            |mark: &'static str| ALERTS.lines().filter_map(move |line| line.trim().strip_prefix(mark));
        for name in named("- alert: ") {
            let page = format!("{}/../docs/runbooks/{name}.md", env!("CARGO_MANIFEST_DIR"));
            assert!(std::fs::read_to_string(page).unwrap().starts_with(&format!("# {name}\n\nSeverity: ")));
        }
        for expression in named("expr: ") {
            let (metric, label) = expression.split_once('{').unwrap();
            let holders = label.split('"').nth(1).unwrap().split('|');
            for by in holders {
                assert!(text.contains(&format!("{metric}{{by=\"{by}\"}}")), "{expression} in {text}");
            }
        }
    }
}
