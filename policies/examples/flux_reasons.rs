//! Prints `docs/flux-reasons.md`: what Flux's reasons say about a release.

use pdp_policies::flux::REASONS;

fn main() {
    println!(
        "# Flux's reasons\n\nWritten by `make reference` from `policies/src/flux/reasons.rs`; a test compares.\n"
    );
    println!(
        "What the reason of `Ready=False` on a Flux object says about the release. Only *failed* makes pdp-sync go \
         back, and only\nfor the digest that is wanted and the newest generation of the object. *Failed if it lasts* \
         counts once the component's\ntimeout has passed, because Flux tries again by itself and a restart of the API \
         server looks the same. A reason that\nisn't listed is waited for, unless the HelmRelease is `Stalled` with \
         `RetriesExceeded`. Where Flux\nhas been at the wanted digest for twice the component's timeout, it has \
         failed, too (`TimedOut`).\n"
    );
    println!("| kind | reason | says | why |\n| --- | --- | --- | --- |");
    for row in REASONS {
        println!("| {} | `{}` | {} | {} |", row.kind.as_str(), row.reason, row.class.as_str(), row.why);
    }
}
