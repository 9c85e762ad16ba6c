//! Which images a level makes nodes pull, and where from. Pure.

use std::collections::BTreeSet;

use pdp_policies::Digest;
use pdp_policies::decision::Inputs;
use pdp_policies::release::{Component, Image, Release};
use pdp_transport::oci::Repository;

use super::Answer;
use crate::render;

/// An image at the place where nodes pull it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pulled {
    pub(super) repository: Repository,
    pub(super) digest: Digest,
}

impl Pulled {
    /// What is missing of it, for people.
    pub(super) fn lines(&self, answer: &Answer) -> Vec<String> {
        let Answer::Missing(missing) = answer else { return Vec::new() };
        let line = |digest: &Digest| match *digest == self.digest {
            true => format!("{}@{digest}", self.repository),
            false => format!("{}@{digest} (a part of {})", self.repository, self.digest),
        };
        missing.iter().map(line).collect()
    }
}

/// The images of the components that this data plane takes. A name that is no address is nothing that could be asked for.
pub(super) fn pulled(release: &Release, inputs: &Inputs) -> BTreeSet<Pulled> {
    let components = release.components_for(inputs.platform, &inputs.left_out);
    let images = components.into_iter().flat_map(|it| it.images.iter().map(move |image| (it, image)));
    let one = |(component, image): (&Component, &Image)| {
        let repository = place(component, image, inputs).parse().ok()?;
        Some(Pulled { repository, digest: image.digest })
    };
    images.filter_map(one).collect()
}

/// What only a running program names comes from its makers also where there is a mirror, unless values carry it.
fn place(component: &Component, image: &Image, inputs: &Inputs) -> String {
    let carried =
        component.image_values.iter().any(|it| it.images().any(|(name, _)| name == image.pull_name()));
    let there = (carried || !image.runtime).then(|| render::mirrored(image.pull_name(), inputs)).flatten();
    there.unwrap_or_else(|| image.pull_name().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubectl::testing::record;

    #[test]
    fn images_are_asked_for_where_they_are_pulled() {
        let record = record("done");
        let mut release = record.target().clone();
        let image = |name: &str, from: Option<&str>, runtime: bool| Image {
            name: name.to_owned(),
            from: from.map(str::to_owned),
            digest: Digest::of(name.as_bytes()),
            runtime,
        };
        let images = vec![
            image("q.io/plain", None, false),
            image("short", Some("q.io/long"), false),
            image("q.io/late", None, true),
            image("nowhere", None, false),
        ];
        release.components.iter_mut().for_each(|component| component.images.clear());
        release.components[0].images = images;
        let found = |mirror: Option<&str>| -> Vec<String> {
            let mut inputs = record.inputs().clone();
            inputs.mirror = mirror.map(str::to_owned);
            pulled(&release, &inputs).into_iter().map(|it| it.repository.to_string()).collect()
        };
        assert_eq!(found(None), ["q.io/late", "q.io/long", "q.io/plain"]);
        assert_eq!(found(Some("m.example:5/p")), ["m.example:5/p/long", "m.example:5/p/plain", "q.io/late"]);
    }

    #[test]
    fn what_this_data_plane_leaves_out_is_not_asked_for() {
        let record = record("done");
        let (mut release, mut inputs) = (record.target().clone(), record.inputs().clone());
        inputs.mirror = Some("m.example".to_owned());
        let component = &mut release.components[0];
        component.optional = true;
        component.images = vec![Image {
            name: "q.io/only-here".to_owned(),
            from: None,
            digest: Digest::of(b"only-here"),
            runtime: false,
        }];
        let name = component.name.clone();
        let taken =
            |inputs: &Inputs| pulled(&release, inputs).iter().any(|it| it.repository.path == "only-here");
        assert!(taken(&inputs));
        inputs.left_out = vec![name];
        assert!(!taken(&inputs));
    }
}
