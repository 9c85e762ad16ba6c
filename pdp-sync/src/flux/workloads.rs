//! What the workloads of components are beside Flux's word: whether they are still up, because Flux judges a release once,
//! when it is applied; and whether they run what the release names, because values of the customer can put in any image.

use std::collections::BTreeMap;

use pdp_policies::foreign::{Foreign, Template, foreign, names};
use pdp_policies::{ComponentName, ImageName};
use pdp_transport::cli::failure::Result;

use super::desired::Desired;
use super::inventory;
use super::observed::Objects;
use super::pod_template;
use crate::cluster::Cluster;

/// More workloads of one component than this aren't looked at: then the component counts as foreign.
const MAX_WORKLOADS: usize = 256;
/// So many foreign images of one component are told.
const TOLD: usize = 3;

/// The first workload of each component that isn't ready, and the images that aren't the release's, in words.
#[derive(Debug, Default)]
pub(super) struct Workloads {
    unready: BTreeMap<ComponentName, String>,
    foreign: BTreeMap<ComponentName, String>,
    /// What would have to be listed so that none is foreign.
    names: BTreeMap<ComponentName, Vec<ImageName>>,
}

impl Workloads {
    /// Looks at the workloads in the inventories of these components. `own` are images of the customer's.
    pub(super) fn read(
        cluster: &Cluster,
        objects: &Objects,
        components: &[Desired],
        own: &[ImageName],
    ) -> Result<Self> {
        let mut found = Self::default();
        for desired in components {
            let Some(applier) = objects.applier(desired) else { continue };
            let all = inventory::workloads(applier);
            let mut templates = Vec::new();
            for workload in all.iter().take(MAX_WORKLOADS) {
                let seen = pod_template::read(cluster, workload)?;
                if !seen.is_up {
                    found.unready.entry(desired.name.clone()).or_insert_with(|| workload.to_string());
                }
                templates.extend(seen.template);
            }
            found.judge(desired, &templates, all.len().saturating_sub(MAX_WORKLOADS), own);
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
