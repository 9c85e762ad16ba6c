#!/usr/bin/env bash
# What one would guess: in the nights when clocks change, the rule `30 2,14 * * *` does at half past two what `30 2 * * *` does.
# What is true: croner counts a list, a step or a range of hours or minutes as an interval. Half past two of `30 2 * * *` is made
#   up for at three where the clock skips it, and comes once where the clock shows it twice; half past two of `30 2,14 * * *` is
#   left out in spring and comes twice in autumn. `2-2` is a range and counts as a fixed time again.
# Seen with: croner 4.0.3, jiff 0.2.46, zone Europe/Berlin (28 March and 31 October 2027).
# Why it matters: who adds a second time of day to a maintenance window or job changes what the first one does in two nights a year.
# Needs: cargo. Takes half a minute, all of it the build.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<TOML
[package]
name = "seen"
version = "0.0.0"
edition = "2024"
[dependencies]
croner = { version = "=4.0.3", features = ["jiff"] }
jiff = { version = "=0.2.46", features = ["tzdb-bundle-always"] }
TOML
cat >"$folder/src/main.rs" <<'RUST'
use croner::Cron;
use jiff::{Timestamp, tz::TimeZoneDatabase};

/// What the rule opens on the day that begins after `from`.
fn on(rule: &str, from: &str, day: i8) -> String {
    let zone = TimeZoneDatabase::bundled().get("Europe/Berlin").unwrap();
    let cron: Cron = rule.parse().unwrap();
    let mut at = from.parse::<Timestamp>().unwrap().to_zoned(zone);
    let mut found = Vec::new();
    loop {
        at = cron.find_next_occurrence(&at, false).unwrap();
        if at.day() == day {
            found.push(at.strftime("%H:%M%:z").to_string());
        } else if !found.is_empty() {
            return found.join(" ");
        }
    }
}

fn main() {
    for rule in ["30 2 * * *", "30 2,14 * * *", "30 2-2 * * *"] {
        println!("{rule} | {} | {}", on(rule, "2027-03-27T23:00:00Z", 28), on(rule, "2027-10-30T22:00:00Z", 31));
    }
}
RUST
seen=$(CARGO_TARGET_DIR="$folder/target" cargo run --quiet --manifest-path "$folder/Cargo.toml")
echo "rule | 28 March, 02:00-03:00 is skipped | 31 October, it comes twice"
echo "$seen"
expected='30 2 * * * | 03:00+02:00 | 02:30+02:00
30 2,14 * * * | 14:30+02:00 | 02:30+02:00 02:30+01:00 14:30+01:00
30 2-2 * * * | 03:00+02:00 | 02:30+02:00'
[ "$seen" = "$expected" ] || { echo "changed" >&2; exit 1; }
