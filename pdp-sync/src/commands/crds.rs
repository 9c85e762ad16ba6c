//! `pdp-sync crds`: the definitions of its own kinds, as the chart ships them.

use kube::CustomResourceExt;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::cli::output::raw;

use crate::crd::{UpdateApproval, UpdateSubscription};

pub(crate) fn run() -> Result<u8> {
    let yaml = |crd| serde_saphyr::to_string(&crd).map_err(internal);
    let both = [yaml(UpdateSubscription::crd())?, yaml(UpdateApproval::crd())?];
    raw(&both.join("---\n"))?;
    Ok(exit::DONE)
}
