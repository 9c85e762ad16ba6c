//! Reports of the data planes that go first: from files, else from the channel server. Judged by their keys alone.

use pdp_policies::At;
use pdp_policies::gate::Other;
use pdp_policies::policy::After;
use pdp_policies::trust;
use pdp_transport::block_on;
use pdp_transport::cli::failure::Result;

use crate::content::HandedReports;
use crate::customer::Customer;
use crate::identity::Identity;

/// What was heard of each. What can't be had is told, and holds nobody else.
pub(crate) fn heard(
    customer: &Customer,
    files: &HandedReports,
    identity: Option<&Identity>,
    now: At,
) -> Result<Vec<Other>> {
    let mut found = Vec::new();
    for after in &customer.policy.after {
        found.extend(one(customer, after, files, identity, now)?);
    }
    Ok(found)
}

/// None if nobody has a report of it.
fn one(
    customer: &Customer,
    after: &After,
    files: &HandedReports,
    identity: Option<&Identity>,
    now: At,
) -> Result<Option<Other>> {
    let organization = &customer.pdp.organization;
    let judge = |bytes: &[u8]| {
        let judged = trust::handed_report(bytes, after, organization, now);
        judged.map_err(|refusal| format!("{}: {}", refusal.code, refusal.detail))
    };
    let data_plane = after.data_plane.clone();
    if let Some(bytes) = files.of(&data_plane) {
        return Ok(Some(Other { data_plane, heard: judge(&bytes) }));
    }
    let Some(identity) = identity else { return Ok(None) };
    let asked = identity.server.report_of(&customer.pdp, &identity.key, &data_plane, now);
    let heard = match block_on(asked)? {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => judge(&bytes),
        Err(failure) => Err(failure.to_string()),
    };
    Ok(Some(Other { data_plane, heard }))
}
