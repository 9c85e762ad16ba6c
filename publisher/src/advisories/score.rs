//! The number that a CVSS vector comes to.

use cvss::{Cvss, v3};
use pdp_policies::CvssVector;
use pdp_policies::release::Severity;

/// What a vector says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rated {
    pub(crate) vector: CvssVector,
    /// Of CVSS 3.1 the base score.
    pub(crate) score: f64,
    pub(crate) severity: Severity,
}

/// Reads a vector of CVSS 3.1 or 4.0.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn rated(text: &str) -> Result<Rated, String> {
    let vector: CvssVector = text.parse().map_err(|e: pdp_policies::BadCvss| e.to_string())?;
    let cvss: Cvss = text.parse().map_err(|e: cvss::Error| format!("`{text}`: {e}"))?;
    match &cvss {
        Cvss::CvssV31(base) if !is_whole(base) => {
            return Err(format!("`{text}` lacks a metric of the base score"));
        }
        Cvss::CvssV31(_) | Cvss::CvssV40(_) => {}
        _ => return Err(format!("`{text}` is neither of CVSS 3.1 nor of 4.0")),
    }
    // Two texts of one vector would be two vectors to whoever compares them.
    let usual = cvss.to_string();
    if usual != text {
        return Err(format!("`{text}` is usually written `{usual}`"));
    }
    let score = cvss.score();
    let severity =
        severity(cvss.severity()).ok_or_else(|| format!("`{text}` comes to 0.0: nothing is vulnerable"))?;
    Ok(Rated { vector, score, severity })
}

/// The library takes a vector of CVSS 3.1 without them, and counts them as none.
fn is_whole(it: &v3::Vector) -> bool {
    it.av.is_some()
        && it.ac.is_some()
        && it.pr.is_some()
        && it.ui.is_some()
        && it.s.is_some()
        && it.c.is_some()
        && it.i.is_some()
        && it.a.is_some()
}

fn severity(it: cvss::Severity) -> Option<Severity> {
    Some(match it {
        cvss::Severity::None => return None,
        cvss::Severity::Low => Severity::Low,
        cvss::Severity::Medium => Severity::Medium,
        cvss::Severity::High => Severity::High,
        cvss::Severity::Critical => Severity::Critical,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn scores_are_those_of_the_official_calculators() {
        for (vector, score, severity) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "9.8", Severity::Critical),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "10.0", Severity::Critical),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "6.1", Severity::Medium),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "7.5", Severity::High),
            ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", "1.6", Severity::Low),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "9.3", Severity::Critical),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "10.0", Severity::Critical),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:H/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N", "5.1", Severity::Medium),
        ] {
            let rated = rated(vector).unwrap();
            assert_eq!(
                (format!("{:.1}", rated.score).as_str(), rated.severity),
                (score, severity),
                "{vector}"
            );
        }
    }

    #[test]
    fn what_is_no_whole_vector_in_its_usual_form_is_refused() {
        for (vector, words) in [
            ("", "is no CVSS vector"),
            ("9.8", "is no CVSS vector"),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", "is no CVSS vector"),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "neither of CVSS 3.1 nor of 4.0"),
            ("CVSS:5.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "5.0"),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", "lacks a metric"),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:Q", "Q"),
            ("CVSS:3.1/AV:N/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV"),
            ("CVSS:3.1/AC:L/AV:N/PR:N/UI:N/S:U/C:H/I:H/A:H", "usually written `CVSS:3.1/AV:N/AC:L/PR:N"),
            ("CVSS:3.1/av:n/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "usually written"),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "comes to 0.0"),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N", "SA"),
        ] {
            let problem = rated(vector).unwrap_err();
            assert!(problem.contains(words), "{vector}: {problem}");
        }
    }
}
