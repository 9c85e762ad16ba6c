//! References of a subscription to objects of its namespace.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A name in the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NameOf {
    /// The name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// A key of a Secret or ConfigMap in the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyOf {
    /// The name of the object.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key within it.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// A ConfigMap with reports of other data planes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportsOf {
    /// Each key is `<data plane>.json`.
    pub config_map_ref: NameOf,
}

/// Where newer zone data lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimeZones {
    /// Key `version` holds the IANA release, such as `2027a`; each zone is a compiled one (TZif) under its name with `.` in place
    /// of `/`: `Europe.Stockholm`. Zones that aren't there stay pdp-sync's own.
    pub config_map_ref: NameOf,
}
