//! Prints `docs/codes.md`: every code of every program in words, from the types and tables in code.

fn main() {
    print!("{}", pdp_transport::cli::codes::markdown());
}
