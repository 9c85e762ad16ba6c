#!/usr/bin/env bash
# What one would guess: `Key::key_id` of sigstore-tuf gives the id under which a repository made with tuf-on-ci lists a key,
#   as its documentation says; and TUF clients agree on the id of a key that has a field of its maker's (`x-…`).
# What is true: in Sigstore's own root every key has such a field, and every declared id is the hash of the whole key object,
#   with that field. `key_id` leaves it out, so it gives another id for each of them.
# Seen with: sigstore-tuf 0.15.1, and the root of Sigstore's public instance that the crate sigstore 0.15.0 carries.
# Why it matters: whoever names a key's holder within the key object, and makes ids with `key_id`, declares other ids than that
#   repository does, and a client that computes ids over the whole object refuses them (tough 0.24 does: "Invalid key ID"); and
#   whoever looks keys of such a repository up by a computed id finds none.
# Needs: cargo and a C compiler. Takes about two minutes, most of it the build.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cargo init --quiet --name ids --vcs none .
cat >>Cargo.toml <<'TOML'
serde_json = "=1.0.154"
sigstore-tuf = "=0.15.1"
TOML
cat >src/main.rs <<'RUST'
use sigstore_tuf::metadata::{Metadata, Root};

fn main() {
    let file = std::fs::read(std::env::args().nth(1).expect("a root")).expect("readable");
    let root = Metadata::<Root>::from_slice(&file).expect("a root").into_signed();
    let whole: serde_json::Value = serde_json::from_slice(&file).expect("JSON");
    let (mut own, mut all) = (0, 0);
    for (declared, key) in &root.keys {
        own += usize::from(key.key_id().expect("an id") == *declared);
        let bytes = sigstore_tuf::canonical_json::to_canonical_bytes(&whole["signed"]["keys"][declared]).expect("canonical");
        all += usize::from(sha256(&bytes) == *declared);
    }
    println!("{} keys: key_id gives the declared id of {own}, the hash of the whole object that of {all}", root.keys.len());
}

fn sha256(bytes: &[u8]) -> String {
    use std::io::Write;
    let mut child = std::process::Command::new("sha256sum").stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().expect("sha256sum");
    child.stdin.take().expect("stdin").write_all(bytes).expect("written");
    let output = child.wait_with_output().expect("a hash");
    String::from_utf8_lossy(&output.stdout).split(' ').next().unwrap_or_default().to_owned()
}
RUST
curl --silent --show-error --fail --location https://static.crates.io/crates/sigstore/sigstore-0.15.0.crate | tar -xzf - sigstore-0.15.0/trust_root/prod/root.json
seen=$(cargo run --quiet -- sigstore-0.15.0/trust_root/prod/root.json)
echo "$seen"
[ "$seen" = "6 keys: key_id gives the declared id of 0, the hash of the whole object that of 6" ] || { echo "changed" >&2; exit 1; }
