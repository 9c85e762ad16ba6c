//! The images of what is installed, looked at now and then: nobody tells of a workload that was changed.

use std::sync::{Arc, Weak};

use pdp_policies::flux::Health;
use pdp_policies::{At, ImageName, Span};
use pdp_transport::cli::failure::Result;

use super::desired::Desired;
use super::memory::Memory;
use super::observed::Objects;
use super::workloads::{Look, Workloads};

/// As long as Flux does nothing, workloads are looked at this often at most, however short the interval is.
const LOOK_EVERY: Span = Span::from_seconds(240);

/// What was seen last.
#[derive(Debug)]
pub(super) struct Looked {
    objects: Weak<Objects>,
    own: Vec<ImageName>,
    at: At,
    workloads: Arc<Workloads>,
}

impl Looked {
    fn holds(&self, objects: &Arc<Objects>, own: &[ImageName], now: At) -> bool {
        let age = now.seconds_since(self.at);
        let same = Weak::ptr_eq(&self.objects, &Arc::downgrade(objects)) && self.own == own;
        same && (0..LOOK_EVERY.seconds()).contains(&age)
    }
}

/// The workloads of the installed components: as they were seen last if that isn't long ago and Flux did nothing since.
/// Of a component that Flux doesn't call healthy nobody knows which level its workloads are of.
pub(super) fn look(
    look: Look<'_>,
    memory: &Memory,
    objects: &Arc<Objects>,
    installed: &[&Desired],
    now: At,
) -> Result<Arc<Workloads>> {
    let mut last = memory.looked();
    if let Some(looked) = last.as_ref().filter(|it| it.holds(objects, look.own, now)) {
        return Ok(Arc::clone(&looked.workloads));
    }
    *last = None;
    let healthy = |it: &&&Desired| matches!(objects.health(it, now), Health::Healthy { .. });
    let healthy: Vec<_> = installed.iter().filter(healthy).map(|it| (*it).clone()).collect();
    let workloads = Arc::new(Workloads::read(look, objects, &healthy)?);
    let (objects, own) = (Arc::downgrade(objects), look.own.to_vec());
    *last = Some(Looked { objects, own, at: now, workloads: Arc::clone(&workloads) });
    Ok(workloads)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_seen_holds_for_a_while_unless_flux_or_the_customer_did_something() {
        let (objects, others) = (Arc::new(Objects::default()), Arc::new(Objects::default()));
        let own: Vec<ImageName> = vec!["a.example/sidecar".parse().unwrap()];
        let (at, workloads) = (At::from_unix(1000), Arc::default());
        let looked = Looked { objects: Arc::downgrade(&objects), own: own.clone(), at, workloads };
        for (objects, own, now, holds) in [
            (&objects, own.as_slice(), 1000, true),
            (&objects, own.as_slice(), 1239, true),
            (&objects, own.as_slice(), 1240, false),
            (&objects, own.as_slice(), 999, false),
            (&objects, &[], 1001, false),
            (&others, own.as_slice(), 1001, false),
        ] {
            assert_eq!(looked.holds(objects, own, At::from_unix(now)), holds, "{now}");
        }
    }
}
