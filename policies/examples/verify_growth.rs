//! Prints, for 10 levels, 500, and 500 pruned to 20: the microseconds to judge the catalog anew and to read the newest
//! release, and the bytes of the catalog.
#![allow(clippy::unwrap_used, clippy::panic, dead_code)]

#[path = "../tests/it/vendor.rs"]
mod vendor;

use std::collections::BTreeSet;

use pdp_policies::trust::{Floors, Judged, catalog};
use pdp_policies::{Channel, Level, Release};
use vendor::{Vendor, channel, line, now, release};

/// As many components as a data plane has.
const COMPONENTS: usize = 20;
/// The best of so many is taken.
const TRIES: usize = 10;

fn main() {
    let vendor = Vendor::new();
    let some = levels(10);
    let many = levels(500);
    let all = channel(&many);
    let gone: BTreeSet<Level> = (1..=480).map(Level).collect();
    measure(&vendor, &some, &channel(&some));
    measure(&vendor, &many, &all);
    measure(&vendor, &many[480..], &all.without(&gone));
}

fn levels(count: u32) -> Vec<Release> {
    let one = |level| {
        let mut release = release(level);
        let component = release.components[0].clone();
        release.components = (0..COMPONENTS)
            .map(|n| {
                let mut component = component.clone();
                component.name = format!("component-{n}").parse().unwrap();
                component.release_name = format!("component-{n}").parse().unwrap();
                component
            })
            .collect();
        release
    };
    (1..=count).map(one).collect()
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock; the library doesn't")]
fn measure(vendor: &Vendor, releases: &[Release], channel: &Channel) {
    let tree = vendor.catalog(releases, channel, now());
    let bytes: usize = tree.iter().map(|(_, content)| content.len()).sum();
    let floors = Floors::new(vendor.root_bytes());
    let newest = releases.last().unwrap().level;
    let (mut best, mut kept) = (u128::MAX, 0);
    for _ in 0..TRIES {
        let tree = tree.clone();
        let start = std::time::Instant::now();
        let Judged::Trusted(catalog, floors) = catalog(tree, &floors, now(), true) else { panic!() };
        catalog.release(&line(), newest).unwrap();
        best = best.min(start.elapsed().as_micros());
        kept = serde_json::to_vec(&floors).unwrap().len();
    }
    println!("{} {best} {bytes} {kept}", releases.len());
}
