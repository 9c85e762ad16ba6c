//! What is said of a component that stays the same from level to level.

use std::path::Path;

use pdp_e2e::World;
use serde_json::{Value, json};

use crate::images::Layout;
use crate::statements::{BUNDLE, CYCLONEDX, Line, done, listed_as, released, stated, statement_key};

/// What a release signature states.
const RELEASE: &str = "https://sigstore.dev/cosign/sign/v1";

#[test]
fn an_sbom_of_a_component_that_stays_the_same_is_attached_once_until_it_says_something_else() {
    let world = World::start().unwrap();
    let layout = Layout::new(&world);
    let line = Line::new(&world, &layout.digest);
    let key = statement_key(&world);
    let (artifact, ci, person) = (world.key("artifact"), world.key("ci"), world.key("release-1"));
    for (level, part, attached) in [(40, "musl", 1), (41, "musl", 1), (42, "zlib", 2)] {
        let line = line.at(level);
        // As tools write it anew each time.
        line.put(
            "sbom.json",
            &json!({
                "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
                "serialNumber": format!("urn:uuid:00000000-0000-4000-8000-0000000000{level}"),
                "metadata": { "timestamp": format!("2026-11-01T00:00:{level}Z") },
                "components": [{ "type": "library", "name": part }],
            }),
        );
        line.states(&["{path: sbom.json, of: cilium}"]);
        let out = world.path(&format!("stated-{level}")).to_string_lossy().into_owned();
        done(&world, &["release", "build", &line.file(), "--out", &out]);
        done(&world, &["release", "sign", &out, "--key", &artifact, "--statement-key", &key]);
        done(&world, &["release", "publish", &out, "--key", &ci, "--key", &person]);
        released(&world, level);
        let release = Path::new(&out).join(format!("release-pdp-2026-{level}.json"));
        let release: Value = serde_json::from_slice(&std::fs::read(release).unwrap()).unwrap();
        let component = release["components"][0]["artifact"]["chart"]["digest"].as_str().unwrap();
        assert_eq!(listed_as(&world.registry, BUNDLE, component, CYCLONEDX), attached, "level {level}");
        assert_eq!(listed_as(&world.registry, BUNDLE, component, RELEASE), 1, "level {level}");
        let shown = stated(&done(&world, &["release", "verify", &level.to_string(), "--line", "pdp-2026"]));
        assert_eq!(
            shown.iter().filter(|(about, _)| about == "cilium").count(),
            1,
            "level {level}: {shown:?}"
        );
    }
}
