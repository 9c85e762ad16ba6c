//! `pdp-sync`: see `commands/mod.rs` for what it can do and `reconcile.rs` for how.

fn main() -> std::process::ExitCode {
    pdp_sync::main()
}
