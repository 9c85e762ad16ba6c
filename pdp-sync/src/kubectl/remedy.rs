//! What a person can do about an obstacle: a command, or the advice to wait.

use pdp_policies::ObstacleCode as Code;

/// The next step for one code; `place` is `NAME -n NAMESPACE`.
pub(super) fn of(code: Code, place: &str) -> String {
    let edit = |field: &str| format!("kubectl edit usub {place}   # {field}");
    match code {
        Code::RingNotOpenYet | Code::NoGrant => {
            "nothing: levels are opened ring by ring, it starts by itself".to_owned()
        }
        Code::Withdrawn => "nothing: a level that replaces it follows".to_owned(),
        Code::Stopped | Code::Halted => {
            "nothing here: the vendor lets go; ask its support if it can't wait".to_owned()
        }
        Code::RequiredStopFirst => "nothing: the level in between comes first, by itself".to_owned(),
        Code::RequiresUnmet => format!("update what is too old, then kubectl pdp reconcile {place}"),
        Code::Quarantined => format!(
            "kubectl pdp history {place}   # a newer level follows; after ForeignImage, spec.policy.ownImages lets this one be tried again"
        ),
        Code::CatalogExpired => {
            format!("kubectl pdp reconcile {place} --with-source   # if it stays: tell the vendor")
        }
        Code::Pinned => format!("kubectl pdp unpin {place}"),
        Code::OutsideWindow => edit("spec.policy.windows, or wait for the window"),
        Code::Frozen => {
            format!("kubectl pdp unfreeze {place}   # a hold: kubectl edit usub, spec.policy.hold")
        }
        Code::AwaitingApproval => {
            format!(
                "kubectl pdp approve {place} --level LEVEL --key KEY --requester WHO --reason WHY   # or reject"
            )
        }
        Code::TooYoung => edit("spec.policy.minimumAge, or let it ripen"),
        Code::AfterOther => {
            format!(
                "kubectl pdp report NAME   # there, then into the ConfigMap of spec.reportsOf of {place}, unless a server brings it"
            )
        }
        Code::PolicyIneffective => edit("what is named above in spec.policy"),
        Code::ComponentSuspended => {
            "flux resume helmrelease COMPONENT   # or kustomization; the one named above".to_owned()
        }
        Code::HeldByEdit => {
            "put the edited object back as it was; `kubectl pdp verify` names what differs".to_owned()
        }
        Code::CustomerValuesInvalid => {
            "kubectl edit configmap pdp-values-COMPONENT   # the one named above".to_owned()
        }
        Code::ForeignImage => {
            format!(
                "kubectl edit configmap pdp-values-COMPONENT   # take the image out; one's own: spec.policy.ownImages of {place}"
            )
        }
        Code::ImageMissing => {
            format!(
                "kubectl pdp reconcile {place}   # once they are there; before, nothing: it starts by itself"
            )
        }
        Code::ForeignOwner => {
            let name = place.split(' ').next().unwrap_or(place);
            format!(
                "kubectl label KIND NAME {}={name}   # hands the object named above over",
                crate::crd::SUBSCRIPTION_LABEL
            )
        }
        _ => "see docs/codes.md".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that there are today.
    const ALL: [Code; 22] = [
        Code::RingNotOpenYet,
        Code::Withdrawn,
        Code::Stopped,
        Code::Halted,
        Code::RequiredStopFirst,
        Code::RequiresUnmet,
        Code::Quarantined,
        Code::CatalogExpired,
        Code::NoGrant,
        Code::Pinned,
        Code::OutsideWindow,
        Code::Frozen,
        Code::AwaitingApproval,
        Code::TooYoung,
        Code::AfterOther,
        Code::PolicyIneffective,
        Code::ComponentSuspended,
        Code::HeldByEdit,
        Code::CustomerValuesInvalid,
        Code::ForeignOwner,
        Code::ForeignImage,
        Code::ImageMissing,
    ];

    #[test]
    fn every_code_has_a_next_step_of_its_own() {
        for code in ALL {
            let remedy = of(code, "prod -n pdp");
            assert!(!remedy.contains("codes.md"), "{code}");
            // What one's own side can take away is a command, or says which edit.
            if code.owner() == pdp_policies::Owner::Customer && code != Code::RequiresUnmet {
                assert!(
                    ["kubectl", "flux", "ssh-keygen"].iter().any(|tool| remedy.contains(tool)),
                    "{code}: {remedy}"
                );
            }
        }
        assert!(of(Code::OutsideWindow, "prod -n pdp").starts_with("kubectl edit usub prod -n pdp "));
        assert!(of(Code::ForeignOwner, "prod -n pdp").contains("subscription=prod "));
    }
}
