//! Custom resource definitions: Flux's, in four states, and those of the program under test.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::programs::Program;
use crate::tools::Tools;

/// Which definitions of Flux a cluster has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flux {
    /// Those of the controllers that the tests run.
    Current,
    /// Of the oldest Flux that is supported, 2.7, as far as helm-controller goes; the other two are today's.
    Oldest,
    /// As before Flux 2.6: `OCIRepository` is served as `v1beta2` only, `HelmRelease` as `v2beta2`.
    Old,
    /// None.
    Missing,
}

/// Flux's definitions.
pub(super) fn of_flux(tools: &Tools, flux: Flux) -> Result<Vec<Value>> {
    if flux == Flux::Missing {
        return Ok(Vec::new());
    }
    let mut found = parsed(tools.definitions()?)?;
    match flux {
        Flux::Old => found.iter_mut().for_each(age),
        Flux::Oldest => {
            let oldest = parsed(tools.oldest_definitions()?)?;
            found.retain(|it| oldest.iter().all(|old| old["metadata"]["name"] != it["metadata"]["name"]));
            found.extend(oldest);
        }
        Flux::Current | Flux::Missing => {}
    }
    Ok(found)
}

fn parsed(texts: Vec<String>) -> Result<Vec<Value>> {
    texts.iter().map(|text| serde_saphyr::from_str(text).context("a definition of Flux")).collect()
}

/// Names the one version as it was called once.
fn age(definition: &mut Value) {
    let old = match definition["spec"]["names"]["kind"].as_str() {
        Some("OCIRepository") => "v1beta2",
        Some("HelmRelease") => "v2beta2",
        _ => return,
    };
    definition["spec"]["versions"][0]["name"] = json!(old);
}

/// What `pdp-sync crds` prints.
pub(super) fn of_pdp_sync() -> Result<Vec<Value>> {
    let output = Program::PdpSync.command()?.arg("crds").output().context("run pdp-sync crds")?;
    ensure!(output.status.success(), "pdp-sync crds: {}", String::from_utf8_lossy(&output.stderr));
    serde_saphyr::from_multiple(&String::from_utf8(output.stdout)?).context("what `pdp-sync crds` prints")
}

/// Where objects of a definition's newest version are listed.
pub(super) fn path(definition: &Value) -> Option<String> {
    let spec = &definition["spec"];
    let version = spec["versions"].as_array()?.last()?["name"].as_str()?;
    Some(format!("/apis/{}/{version}/{}", spec["group"].as_str()?, spec["names"]["plural"].as_str()?))
}
