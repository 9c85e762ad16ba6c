//! What the workloads of components are beside Flux's word: whether they are still up, because Flux judges a release once,
//! when it is applied; and whether they run what the release names, because values of the customer can put in any image.

use std::collections::BTreeMap;

use pdp_policies::foreign::{Foreign, Template, foreign, names};
use pdp_policies::{ComponentName, ImageName};
use pdp_transport::cli::failure::Result;
use serde_json::Value;

use super::desired::Desired;
use super::inventory::{self, Workload};
use super::labelled::{self, ChartWorkloads};
use super::observed::Objects;
use super::pod_template;
use crate::cluster::{Cluster, Kind};

/// More workloads of one component than this aren't looked at: then the component counts as foreign.
const MAX_WORKLOADS: usize = 256;
/// What a component runs that nobody lists.
const UNSEEN: &str =
    "its workloads can't be seen: helm-controller keeps no inventory, and pdp-sync may not list them";
/// So many foreign images of one component are told.
const TOLD: usize = 3;

/// Where workloads are looked for, and what they may run besides the release's images.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) charts: ChartWorkloads,
    /// Images of the customer's.
    pub(super) own: &'a [ImageName],
}

/// The first workload of each component that isn't ready, and the images that aren't the release's, in words.
#[derive(Debug, Default)]
pub(super) struct Workloads {
    unready: BTreeMap<ComponentName, String>,
    foreign: BTreeMap<ComponentName, String>,
    /// What would have to be listed so that none is foreign.
    names: BTreeMap<ComponentName, Vec<ImageName>>,
}

impl Workloads {
    /// Looks at the workloads of these components.
    pub(super) fn read(look: Look<'_>, objects: &Objects, components: &[Desired]) -> Result<Self> {
        let mut found = Self::default();
        for desired in components {
            let Some(applier) = objects.applier(desired) else { continue };
            let Some(all) = listed(look, desired.kind, applier)? else {
                found.foreign.insert(desired.name.clone(), UNSEEN.to_owned());
                continue;
            };
            let mut templates = Vec::new();
            for workload in all.iter().take(MAX_WORKLOADS) {
                let seen = pod_template::read(look.cluster, workload)?;
                if !seen.is_up {
                    found.unready.entry(desired.name.clone()).or_insert_with(|| workload.to_string());
                }
                templates.extend(seen.template);
            }
            found.judge(desired, &templates, all.len().saturating_sub(MAX_WORKLOADS), look.own);
        }
        Ok(found)
    }

    /// Compares a component's templates with its images in the release.
    pub(super) fn judge(
        &mut self,
        desired: &Desired,
        templates: &[Template],
        unseen: usize,
        own: &[ImageName],
    ) {
        let found = foreign(&desired.images, templates, own);
        // Nobody knows what the others run.
        if unseen == 0 {
            self.names.insert(desired.name.clone(), names(&found));
        }
        let words = words(&found, unseen);
        self.foreign.extend(words.map(|words| (desired.name.clone(), words)));
    }

    /// The component's first workload that isn't ready.
    pub(super) fn unready(&self, component: &ComponentName) -> Option<&str> {
        self.unready.get(component).map(String::as_str)
    }

    /// The component's images that neither the release nor the customer names.
    pub(super) fn foreign(&self, component: &ComponentName) -> Option<&str> {
        self.foreign.get(component).map(String::as_str)
    }

    /// The names of these images, if the customer could list them all.
    pub(super) fn foreign_names(&self, component: &ComponentName) -> Vec<ImageName> {
        self.names.get(component).cloned().unwrap_or_default()
    }

    /// All components with such images.
    pub(super) fn all_foreign(&self) -> &BTreeMap<ComponentName, String> {
        &self.foreign
    }
}

/// The workloads of an applier, none if nobody tells pdp-sync.
fn listed(look: Look<'_>, kind: Kind, applier: &Value) -> Result<Option<Vec<Workload>>> {
    match (kind, look.charts) {
        (Kind::HelmRelease, ChartWorkloads::Unseen) => Ok(None),
        (Kind::HelmRelease, ChartWorkloads::Labels) => {
            labelled::workloads(look.cluster, applier, MAX_WORKLOADS + 1).map(Some)
        }
        _ => Ok(Some(inventory::workloads(applier))),
    }
}

fn words(found: &[Foreign], unseen: usize) -> Option<String> {
    let mut words: Vec<_> = found.iter().take(TOLD).map(ToString::to_string).collect();
    if found.len() > TOLD {
        words.push(format!("and {} more", found.len() - TOLD));
    }
    if unseen > 0 {
        words.push(format!("{unseen} workloads beyond the first {MAX_WORKLOADS} aren't looked at"));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_few_are_told_the_others_counted_and_what_wasnt_seen_is_no_silence() {
        let one = Foreign {
            workload: "Job a/b".to_owned(),
            place: "container c".to_owned(),
            image: "x:1".to_owned(),
        };
        assert_eq!(words(&[], 0), None);
        assert_eq!(words(std::slice::from_ref(&one), 0).as_deref(), Some("Job a/b, container c: x:1"));
        assert!(words(&vec![one; 5], 0).is_some_and(|words| words.ends_with("; and 2 more")));
        assert!(words(&[], 4).is_some_and(|words| words.starts_with("4 workloads")));
    }
}
