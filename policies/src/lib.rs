//! What is a release, who vouches for it, who gets it, and when may it be applied.
//!
//! No IO, no clock, no randomness: bytes and times come in, verdicts go out.
//! Start reading at [`trust::catalog`] (who vouches) and [`gate::decide`] (who gets it, and when).

mod advisory;
mod after;
mod approval_rule;
mod channel;
mod chart_path;
pub mod codes;
pub mod cohort;
mod cron_rule;
mod deadline;
pub mod decision;
mod digest;
pub mod disclosure;
pub mod document;
pub mod dsse;
pub mod flux;
pub mod foreign;
pub mod gate;
pub mod helm_yaml;
mod hotfix;
mod image_name;
pub mod image_values;
mod ineffective;
pub mod instruction;
pub mod json_pointer;
mod key_change;
mod keys;
mod lints;
mod loosened;
pub mod moves;
mod names;
pub mod outlives;
mod person;
mod plan;
pub mod policy;
mod present_version;
mod printable;
mod prune;
mod quota;
mod reach;
pub mod release;
pub mod release_values;
pub mod report;
pub mod rollout;
mod time;
mod time_zone;
mod tree;
pub mod trust;
mod turn;
pub mod values;
pub mod values_schema;
pub mod version_range;
mod vulnerability;
pub mod yaml;
mod yaml_line;

pub use after::HandedReport;
pub use channel::{Channel, Overridable, Promotion, Stop, Withdrawal};
pub use chart_path::is_chart_path;
pub use codes::{Obstacle, ObstacleCode, Owner, Refusal, RefusalCode};
pub use cron_rule::CronRule;
pub use deadline::Deadline;
pub use digest::{Digest, NotADigest};
pub use document::API_VERSION;
pub use hotfix::{AUDIENCES, Audience, Barred, audience_member};
pub use image_name::{BadImageName, ImageName, MAX_IMAGE_NAME, is_image_name, split_image};
pub use key_change::{BadKeyChange, KeyPurpose};
pub use keys::{ARTIFACT_KEYS, DIRECTOR_KEYS, KeyList, KeyState, ListedKey};
pub use loosened::Loosening;
pub use names::{
    BadName, ComponentName, DataPlaneName, KubernetesName, Level, Line, Organization, PdpId, Person,
    Platform, Ring,
};
pub use person::{PersonName, is_same_person};
pub use plan::{Cap, Chance, DEFAULT_PLAN, Pace, Percent, RingPlan, RingRules, Tempo};
pub use present_version::{NotAVersion, PresentVersion};
pub use printable::{printable, printable_lines};
pub use prune::{Keep, Kept, Pruning, prune};
pub use quota::{Quota, Used};
pub use reach::stranded;
pub use release::Release;
pub use time::{At, BadSpan, BadTime, CLOCK_TOLERANCE, Span};
pub use time_zone::{MAX_ZONE_BYTES, ZoneData, ZoneDataProblem, built_in_zone_data};
pub use tree::{CatalogTree, MAX_FILE_BYTES, MAX_TREE_BYTES, MAX_TREE_FILES, TreeRefusal, is_safe};
pub use turn::Turn;
pub use version_range::VersionRange;
pub use vulnerability::{BadCve, BadCvss, Cve, CvssVector};
pub use yaml_line::line_of;
