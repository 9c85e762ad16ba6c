#!/usr/bin/env bash
# What one would guess: the same request to the same registry is answered with the same challenge, so a challenge can be
#   compared as text, or serve as the key under which its token is kept.
# What is true: CNCF distribution writes the actions of a scope in random order. The same POST is answered sometimes with
#   scope="repository:a/b:pull,push" and sometimes with scope="repository:a/b:push,pull".
# Seen with: github.com/distribution/distribution/v3 v3.1.2, Go 1.26 (2.8.2 of Debian 12 does the same).
# Why it matters: a client that keeps tokens by the challenge's text asks the token service again and again; one that cuts
#   the value at its comma asks for `pull` or for `push` alone, and fails in either way, by chance.
# Needs: go, openssl, curl. Takes a minute or two, most of it the build.
set -euo pipefail
version=v3.1.2 port=25987
folder=$(mktemp -d)
trap 'kill "${registry:-0}" 2>/dev/null || true; chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
GOBIN=$folder GOFLAGS=-mod=mod go install "github.com/distribution/distribution/v3/cmd/registry@$version"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$folder/key.pem" -out "$folder/cert.pem" -days 1 -subj /CN=test 2>/dev/null
cat >"$folder/config.yml" <<CONFIG
version: 0.1
storage: {inmemory: {}}
http: {addr: 127.0.0.1:$port}
auth: {token: {realm: https://token.example/, service: test, issuer: test, rootcertbundle: $folder/cert.pem}}
CONFIG
"$folder/registry" serve "$folder/config.yml" >"$folder/log" 2>&1 &
registry=$!
for _ in $(seq 100); do
    curl --silent --output /dev/null "http://127.0.0.1:$port/v2/" && break
    sleep 0.1
done
challenges() {
    for _ in $(seq 200); do
        curl --silent --output /dev/null --dump-header - --request POST "http://127.0.0.1:$port/v2/a/b/blobs/uploads/"
    done | grep -io 'scope="[^"]*"' | sort | uniq -c
}
seen=$(challenges)
echo "200 times the same request; the scopes of its challenges:"
echo "$seen"
[ "$(wc -l <<<"$seen")" = 2 ] || { echo "changed: the order is no longer random" >&2; exit 1; }
