//! `kubectl pdp pin`: nothing above a level, or security releases only, until a time.

use pdp_policies::policy::{Pin, PinTarget, Policy};
use pdp_policies::{At, Level, ObstacleCode};
use pdp_transport::cli::failure::Result;

use super::{Edit, when};
use crate::crd::UpdateSubscription;
use crate::kubectl::seen;

#[derive(Debug, clap::Args)]
pub(in crate::kubectl) struct Args {
    #[command(flatten)]
    edit: Edit,
    #[command(flatten)]
    to: To,
    /// Why, for people.
    #[arg(long)]
    reason: String,
    /// Who answers for it.
    #[arg(long)]
    owner: Option<String>,
    /// From then on it binds nobody, such as 2027-01-31T00:00:00Z.
    #[arg(long)]
    until: At,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct To {
    /// Nothing above this level.
    #[arg(long)]
    level: Option<u32>,
    /// Security releases and hotfixes only.
    #[arg(long)]
    security_only: bool,
}

pub(in crate::kubectl) async fn run(args: &Args) -> Result<u8> {
    let to = args.to.level.map_or(PinTarget::SecurityOnly {}, |level| PinTarget::Level(Level(level)));
    let pin = Pin { to, reason: args.reason.clone(), owner: args.owner.clone(), expires: args.until };
    super::change(&args.edit, ObstacleCode::Pinned, |of, now| pinned(of, &pin, now)).await
}

pub(super) fn pinned(of: &UpdateSubscription, pin: &Pin, now: At) -> Result<(Policy, String)> {
    let until = when(pin.expires, now);
    let says = match &pin.to {
        PinTarget::SecurityOnly {} => format!("takes security releases and hotfixes only, {until}"),
        PinTarget::Level(level) => {
            let here = seen::status(of).level.filter(|here| here > level);
            let stays =
                here.map_or_else(String::new, |here| format!("; level {here} is installed and stays"));
            format!("nothing above level {level} starts, security fixes neither, {until}{stays}")
        }
    };
    Ok((Policy { pin: Some(pin.clone()), ..of.spec.policy.clone() }, says))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubectl::testing::{healthy, now};

    pub(in crate::kubectl::policy) fn to_41(until: &str) -> Pin {
        let to = PinTarget::Level(Level(41));
        Pin { to, reason: "quarter-end".into(), owner: None, expires: until.parse().unwrap() }
    }

    #[test]
    fn a_pin_says_what_it_holds_and_for_how_long() {
        let security = Pin { to: PinTarget::SecurityOnly {}, ..to_41("9999-12-31T23:59:59Z") };
        let below = Pin { to: PinTarget::Level(Level(40)), ..to_41("2027-01-31T00:00:00Z") };
        for (pin, wanted) in [
            (
                to_41("2027-01-31T00:00:00Z"),
                "nothing above level 41 starts, security fixes neither, until 2027-01-31T00:00:00Z (in 68d 12h)",
            ),
            (security, "takes security releases and hotfixes only, for ever"),
            (
                below,
                "nothing above level 40 starts, security fixes neither, until 2027-01-31T00:00:00Z (in 68d 12h); \
                 level 41 is installed and stays",
            ),
        ] {
            let (policy, says) = pinned(&healthy(), &pin, now()).unwrap();
            assert_eq!((policy.pin.as_ref(), says.as_str()), (Some(&pin), wanted));
        }
    }
}
