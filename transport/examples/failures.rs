//! Prints `docs/failures.md`: every way in which registries, Git hosts, proxies and files fail, from the table in code.

use pdp_transport::{Kind, Row};

fn main() {
    println!("# Failures\n");
    println!(
        "Written by `make reference` from the table in `transport/src/error.rs`; a test compares. Codes are stable.\n\n\
         Where a code waits, the next pass or run tries again by itself, and a pass of pdp-sync isn't an error (exit code 0). \
         The other side's own words are in the cause, shortened and without control characters.\n"
    );
    println!(
        "| code | meaning | usual cause | what to do | exit code | waits |\n| --- | --- | --- | --- | --- | --- |"
    );
    for Row { code, meaning, cause, hint, exit, waits, .. } in Kind::ALL.map(Kind::row) {
        println!(
            "| `{code}` | {meaning} | {cause} | {hint} | {exit} | {} |",
            if waits { "yes" } else { "no" }
        );
    }
}
