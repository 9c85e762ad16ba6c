//! Which PDPs of a ring belong to the first percents: fresh per release, chosen by nobody.

use crate::digest::Digest;
use crate::names::PdpId;
use crate::plan::Percent;

/// True if the PDP is among the first `percent` of its ring for this release.
///
/// x = first 8 bytes, big-endian, of SHA-256(`<release sha256 hex>/<organization>/<data plane>`);
/// in when x·100 < percent·2⁶⁴. Test vectors: `docs/cohort-vectors.tsv`.
pub fn contains(release: &Digest, pdp: &PdpId, percent: Percent) -> bool {
    u128::from(draw(release, pdp)) * 100 < u128::from(percent.get()) << 64
}

/// The 64-bit number that a PDP draws for a release.
pub fn draw(release: &Digest, pdp: &PdpId) -> u64 {
    let hash = Digest::of(format!("{}/{pdp}", release.hex()).as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pdp(n: u32) -> PdpId {
        PdpId { organization: "acme-retail".parse().unwrap(), data_plane: format!("p{n}").parse().unwrap() }
    }

    proptest::proptest! {
        #[test]
        fn a_larger_percent_never_loses_a_member(n in 0u32..10_000, a in 0u8..=100, b in 0u8..=100) {
            let release = Digest::of(b"release");
            let [small, large] = [a.min(b), a.max(b)].map(|p| contains(&release, &pdp(n), p.try_into().unwrap()));
            proptest::prop_assert!(!small || large);
        }
    }

    #[test]
    fn nobody_at_0_everybody_at_100_a_third_at_33() {
        let release = Digest::of(b"release");
        let count = |percent: u8| {
            (0..3000).filter(|n| contains(&release, &pdp(*n), percent.try_into().unwrap())).count()
        };
        assert_eq!(count(0), 0);
        assert_eq!(count(100), 3000);
        assert!((900..1100).contains(&count(33)), "{}", count(33));
    }
}
