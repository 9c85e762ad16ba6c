//! `kubectl pdp`, see `pdp_sync::kubectl`.

fn main() -> std::process::ExitCode {
    pdp_sync::kubectl::main()
}
