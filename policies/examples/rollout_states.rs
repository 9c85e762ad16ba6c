//! Prints `docs/rollout-states.md`: what people may do to a rollout, and when.
#![allow(clippy::unwrap_used)]

use pdp_policies::rollout::{CommandRefusal, Kind, Phase, allowed};

fn main() {
    println!(
        "# States of a rollout\n\nWritten by `make reference` from `policies/src/rollout/command.rs`; a test compares.\n\n\
         A row says where a ring stands, a column what a person wants; the cell is the event that is recorded, *so \
         already* where\nnothing is left to do, or the code of the refusal. `halt` and `resume` look at the scope that \
         they name (ring, rollout,\norganization), `acknowledge` and `expedite` at their ring, the others at the whole \
         rollout: halted if any ring of it is,\notherwise as the ring that opened last. A pause and a halt can stand \
         side by side; each ends by its own command.\n"
    );
    let names = Kind::ALL.map(|(_, name, _)| name);
    println!("| | {} |", names.join(" | "));
    println!("| --- |{}", " --- |".repeat(names.len()));
    for phase in Phase::ALL {
        let cells = Kind::ALL.map(|(kind, _, event)| match allowed(phase, kind) {
            Ok(true) => event.to_owned(),
            Ok(false) => "so already".to_owned(),
            Err(code) => format!("`{code}`"),
        });
        println!("| **{}** | {} |", phase.as_str(), cells.join(" | "));
    }
    println!("\n## Refusals\n\n| code | meaning | what to do |\n| --- | --- | --- |");
    let schema = serde_json::to_value(schemars::schema_for!(CommandRefusal)).unwrap();
    for variant in schema["oneOf"].as_array().unwrap() {
        let code: CommandRefusal = serde_json::from_value(variant["const"].clone()).unwrap();
        println!("| `{code}` | {} | {} |", variant["description"].as_str().unwrap(), code.hint());
    }
}
