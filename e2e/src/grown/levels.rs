//! Levels made of one: under other numbers, with some other digests.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Files, sha256};
use crate::wire::rfc3339;
use crate::world::World;

pub(super) const CHANNEL: &str = "channel-pdp-2026.json";

/// What all levels are made of.
pub(super) struct Pattern {
    level: u64,
    descriptor: Value,
    channel: Value,
    pub(super) lists: Files,
}

impl Pattern {
    pub(super) fn of(world: &World) -> Result<Self> {
        let mut files = world.git.files("catalog", "catalog")?;
        let channel: Value =
            serde_json::from_slice(files.get(&format!("targets/{CHANNEL}")).context("a channel")?)?;
        let levels = channel["levels"].as_object().into_iter().flatten();
        let level = levels.filter_map(|(level, _)| level.parse::<u64>().ok()).max().context("a level")?;
        let name = format!("targets/release-pdp-2026-{level}.json");
        let mut descriptor: Value = serde_json::from_slice(files.get(&name).context("a descriptor")?)?;
        for field in ["base", "supersedes", "requires"] {
            descriptor.as_object_mut().context("a descriptor")?.remove(field);
        }
        let lists = ["director-keys.json", "artifact-keys.json"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), files.remove(&format!("targets/{name}"))?)))
            .collect();
        Ok(Self { level, descriptor, channel, lists })
    }

    /// Name and content of a level; those below the newest have some artifacts that nobody else has.
    pub(super) fn descriptor(&self, level: u32, newest: u32) -> (String, Vec<u8>) {
        let mut made = self.descriptor.clone();
        made["level"] = json!(level);
        if level < newest {
            let other =
                |what: &str| json!(format!("sha256:{}", sha256(format!("{what} {level}").as_bytes())));
            made["bundle"]["digest"] = other("bundle");
            for component in made["components"].as_array_mut().into_iter().flatten().take(3) {
                let name = component["name"].to_string();
                for kind in ["chart", "manifests"] {
                    if component["artifact"][kind].is_object() {
                        component["artifact"][kind]["digest"] = other(&name);
                    }
                }
                component["images"][0]["digest"] = other(&format!("image of {name}"));
            }
        }
        (format!("release-pdp-2026-{level}.json"), format!("{made:#}\n").into_bytes())
    }

    /// Promotes and opens all; each was promoted an hour after the one before.
    pub(super) fn channel(&self, described: &Files, now: i64) -> Vec<u8> {
        let mut channel = self.channel.clone();
        let pattern = &self.channel["levels"][self.level.to_string()];
        let count = i64::try_from(described.len()).unwrap_or_default();
        let promote = |(name, bytes): (&String, &Vec<u8>)| {
            let level = name.trim_start_matches("release-pdp-2026-").trim_end_matches(".json");
            let at = now - 3600 * (count - level.parse::<i64>().unwrap_or_default() + 1);
            let mut promotion = pattern.clone();
            (promotion["sha256"], promotion["length"]) = (json!(sha256(bytes)), json!(bytes.len()));
            promotion["promotedAt"] = json!(rfc3339(at));
            promotion["openTo"] = json!({ "general": 100 });
            for (_, opens) in promotion["opensAt"].as_object_mut().into_iter().flatten() {
                *opens = json!(rfc3339(at));
            }
            for field in ["base", "supersedes"] {
                promotion.as_object_mut().and_then(|promotion| promotion.remove(field));
            }
            (level.to_owned(), promotion)
        };
        channel["levels"] = described.iter().map(promote).collect::<serde_json::Map<_, _>>().into();
        format!("{channel:#}\n").into_bytes()
    }
}
