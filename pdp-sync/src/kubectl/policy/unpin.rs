//! `kubectl pdp unpin`: levels start again as the rest of the policy allows.

use pdp_policies::ObstacleCode;
use pdp_policies::policy::Policy;
use pdp_transport::cli::failure::{Failure, Result};

use super::Edit;
use crate::crd::UpdateSubscription;
use crate::kubectl::seen;

#[derive(Debug, clap::Args)]
pub(in crate::kubectl) struct Args {
    #[command(flatten)]
    edit: Edit,
}

pub(in crate::kubectl) async fn run(args: &Args) -> Result<u8> {
    super::change(&args.edit, ObstacleCode::Pinned, |of, _| unpinned(of)).await
}

fn unpinned(of: &UpdateSubscription) -> Result<(Policy, String)> {
    let Some(pin) = &of.spec.policy.pin else {
        return Err(Failure::new("NotFound", format!("{} has no pin", seen::id(of))));
    };
    let next = seen::status(of).target.as_ref().map(|target| target.level);
    let next = next.map_or_else(|| "the next level".to_owned(), |level| format!("level {level}"));
    let says = format!("the pin ({}) is gone; {next} starts once nothing else holds it", pin.reason);
    Ok((Policy { pin: None, ..of.spec.policy.clone() }, says))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubectl::testing::subscription;
    use serde_json::json;

    #[test]
    fn only_a_pin_that_is_there_is_taken_away() {
        let pin = json!({ "to": { "level": 41 }, "reason": "audit", "expires": "2027-01-31T00:00:00Z" });
        let (policy, says) =
            unpinned(&subscription(&json!({ "spec": { "policy": { "pin": pin } } }))).unwrap();
        assert!(
            policy.pin.is_none() && says.starts_with("the pin (audit) is gone; the next level"),
            "{says}"
        );
        assert_eq!(unpinned(&subscription(&json!({}))).unwrap_err().code, "NotFound");
    }
}
