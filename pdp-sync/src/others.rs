//! Reports of the data planes that go first: from files, else from the channel server. Judged by their keys alone.

use std::collections::BTreeMap;

use pdp_policies::gate::Other;
use pdp_policies::policy::After;
use pdp_policies::report::Report;
use pdp_policies::trust::{self, Verified};
use pdp_policies::{At, DataPlaneName};
use pdp_transport::block_on;
use pdp_transport::cli::failure::Result;

use crate::content::HandedReports;
use crate::customer::Customer;
use crate::identity::Identity;

/// When the newest report of each was issued.
pub(crate) type Newest = BTreeMap<DataPlaneName, At>;

/// What was heard of each, and the newest report of each by now. What can't be had is told, and holds nobody else.
pub(crate) fn heard(
    customer: &Customer,
    files: &HandedReports,
    identity: Option<&Identity>,
    seen: &Newest,
    now: At,
) -> Result<(Vec<Other>, Newest)> {
    let (mut found, mut newest) = (Vec::new(), Newest::new());
    for after in &customer.policy.after {
        let name = after.data_plane.clone();
        let last = seen.get(&name).copied();
        let heard = newer(reports(customer, after, files, identity, now)?, last);
        let issued = heard.as_ref().and_then(|heard| heard.as_ref().ok()).map(|report| report.issued);
        newest.extend(issued.max(last).map(|at| (name.clone(), at)));
        found.extend(heard.map(|heard| Other { data_plane: name, heard }));
    }
    Ok((found, newest))
}

type Heard = std::result::Result<Verified<Report>, String>;

/// All that somebody has of it: as a file, and at the channel server.
fn reports(
    customer: &Customer,
    after: &After,
    files: &HandedReports,
    identity: Option<&Identity>,
    now: At,
) -> Result<Vec<Heard>> {
    let organization = &customer.pdp.organization;
    let judge = |bytes: &[u8]| {
        let judged = trust::handed_report(bytes, after, organization, now);
        judged.map_err(|refusal| format!("{}: {}", refusal.code, refusal.detail))
    };
    let mut all: Vec<Heard> = files.of(&after.data_plane).iter().map(|bytes| judge(bytes)).collect();
    if let Some(identity) = identity {
        let asked = identity.server.report_of(&customer.pdp, &identity.key, &after.data_plane, now);
        match block_on(asked)? {
            Ok(None) => {}
            Ok(Some(bytes)) => all.push(judge(&bytes)),
            Err(failure) => all.push(Err(failure.to_string())),
        }
    }
    Ok(all)
}

/// The newest that counts; one that is older than what was seen before is old news, whoever brings it.
fn newer(all: Vec<Heard>, last: Option<At>) -> Option<Heard> {
    let (good, mut bad): (Vec<_>, Vec<_>) = all.into_iter().partition(|heard| heard.is_ok());
    let newest = good.into_iter().flatten().max_by_key(|report| report.issued);
    match (newest, last) {
        (Some(report), Some(last)) if report.issued < last => {
            Some(Err(format!("OlderThanLast: it is of {}, and one of {last} was seen", report.issued)))
        }
        (Some(report), _) => Some(Ok(report)),
        (None, _) => bad.pop(),
    }
}
