//! What 500 levels cost a data plane that verifies the catalog anew, beside 10, and what pruning takes away.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use pdp_e2e::World;

use crate::row;

/// Of one catalog.
#[derive(Debug)]
struct Measured {
    microseconds: u64,
    bytes: u64,
    floors: u64,
}

/// Rows of the part `release`.
pub(crate) fn bench() -> Result<()> {
    let args =
        ["run", "--quiet", "--locked", "--release", "-p", "pdp-policies", "--example", "verify_growth"];
    let output = Command::new("cargo").current_dir(World::fixtures()).args(args).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let all = text.lines().map(measured).collect::<Result<Vec<_>>>()?;
    let [some, many, pruned] = all.as_slice() else { anyhow::bail!("three lines: {text}") };
    compare("verify a catalog anew: 500 levels / 10", many, some, "");
    compare("verify a catalog anew: 500 levels pruned to 20 / 10", pruned, some, "<= 2");
    for (name, of) in [("10 levels", some), ("500 levels", many), ("500 levels pruned to 20", pruned)] {
        row(&format!("catalog of {name}: bytes"), &of.bytes.to_string(), "");
        row(&format!("floors after {name}: bytes"), &of.floors.to_string(), "< 1048576");
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of one run")]
fn compare(name: &str, of: &Measured, beside: &Measured, aim: &str) {
    let ratio = of.microseconds as f64 / beside.microseconds.max(1) as f64;
    row(name, &format!("{} / {} µs = {ratio:.2}", of.microseconds, beside.microseconds), aim);
}

fn measured(line: &str) -> Result<Measured> {
    let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [_, microseconds, bytes, floors] = numbers.as_slice() else { None.context("four numbers")? };
    Ok(Measured { microseconds: *microseconds, bytes: *bytes, floors: *floors })
}
