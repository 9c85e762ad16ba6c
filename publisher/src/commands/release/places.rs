//! Where a release's artifacts lie now: where the vendor moved them to, or else where the release says.

use pdp_policies::moves::{Address, MoveKind, successors};
use pdp_policies::{At, Channel, Digest, Release};
use pdp_transport::Kind;
use pdp_transport::oci::{Registry, Repository};

use pdp_transport::cli::failure::{Failure, Result};

use super::publish::target;

/// All places to look at, the newest first, as data planes do. `elsewhere` is the only one if it is given.
pub(in crate::commands) fn places(
    channel: Option<&Channel>,
    release: &Release,
    elsewhere: Option<&str>,
    now: At,
) -> Result<Vec<Repository>> {
    let named = target(&release.bundle.repository, elsewhere)?;
    let moves = channel.map(|channel| channel.moves.as_slice()).unwrap_or_default();
    let address = Address::loosely(&named.to_string()).ok().filter(|_| elsewhere.is_none());
    let hops = address.iter().flat_map(|from| successors(moves, MoveKind::Artifacts, from, now));
    let mut all = vec![named.clone()];
    for hop in hops {
        all.push(hop.to.to_string().parse()?);
    }
    all.reverse();
    Ok(all)
}

/// Why a release's index is nowhere.
pub(in crate::commands) struct Nowhere {
    /// True if each place answered, and none has it.
    pub(in crate::commands) is_gone: bool,
    pub(in crate::commands) failure: Failure,
}

/// The first place that has the release's index, and its bytes, which are compared with the digest.
///
/// # Errors
/// What is in the way, if no place has it.
pub(in crate::commands) async fn found(
    registry: &Registry,
    places: &[Repository],
    digest: &Digest,
) -> std::result::Result<(Repository, Vec<u8>), Nowhere> {
    let (mut worst, mut asked) = (None, Vec::new());
    for place in places {
        match registry.manifest(place, digest).await {
            Ok(index) => return Ok((place.clone(), index)),
            Err(error) => {
                asked.push(place.to_string());
                // What can't be looked at says more than what isn't there.
                if worst.as_ref().is_none_or(|known: &pdp_transport::Error| known.kind == Kind::NotFound) {
                    worst = Some(error);
                }
            }
        }
    }
    let is_gone = worst.as_ref().is_none_or(|error| error.kind == Kind::NotFound);
    let failure = worst.map_or_else(|| Failure::new("NotFound", "no place is known"), Failure::from);
    let hint = format!(
        "asked: {}; if the artifacts lie elsewhere, name that with --registry, or let data planes know with \
         `publisher channel move --kind artifacts`",
        asked.join(", ")
    );
    Err(Nowhere { is_gone, failure: failure.hint(hint) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pdp_policies::RingPlan;
    use pdp_policies::moves::Move;
    use serde_json::json;

    use super::*;

    #[test]
    fn successors_are_asked_first_and_a_named_registry_alone() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let release = json!({
            "apiVersion": "updates.pdp.wso2.com/v1", "line": "pdp-2026", "level": 41, "version": "1", "kind": "update",
            "bundle": { "repository": "a.example/pdp/x", "digest": digest, "size": 1 },
            "components": [{
                "name": "cilium", "version": "1", "stage": 1, "releaseName": "cilium", "namespace": "x", "images": [],
                "artifact": { "manifests": { "digest": digest, "size": 1 } }, "onFailure": "hold", "timeout": "5m",
                "settle": "1m",
            }],
        });
        let release = Release::read("release", release.to_string().as_bytes()).unwrap();
        let moved = |from: &str, to: &str, since| Move {
            kind: MoveKind::Artifacts,
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            since: At::from_unix(since),
            until: At::from_unix(9),
        };
        let mut channel = Channel::new("pdp-2026".parse().unwrap(), RingPlan::shipped().unwrap());
        let asked = |channel: Option<&Channel>, elsewhere| {
            let all = places(channel, &release, elsewhere, At::from_unix(1)).unwrap();
            all.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(asked(None, None), ["a.example/pdp/x"]);
        channel.moves = vec![moved("a.example/pdp", "b.example/n", 0), moved("b.example", "c.example", 1)];
        let all = ["c.example/n/x", "b.example/n/x", "a.example/pdp/x"];
        assert_eq!(asked(Some(&channel), None), all);
        assert_eq!(asked(Some(&channel), Some("m.example")), ["m.example/pdp/x"]);
        channel.moves = vec![moved("a.example", "b.example", 2)];
        assert_eq!(asked(Some(&channel), None), ["a.example/pdp/x"], "not yet");
    }
}
