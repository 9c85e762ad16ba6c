//! Figures for Prometheus. Nothing in them names a customer.

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

    /// The text that Prometheus reads. `data_planes` and `catalog_signed` (Unix seconds) are as of now.
    pub(crate) fn text(&self, data_planes: usize, catalog_signed: i64) -> String {
        self.data_planes.set(i64::try_from(data_planes).unwrap_or(i64::MAX));
        self.catalog_signed.set(catalog_signed);
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
        let mut text = String::new();
        let _ = encode(&mut text, &registry);
        text
    }
}
