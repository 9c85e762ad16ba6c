#!/usr/bin/env bash
# What one would guess: `cosign sign` with the key that signed an artifact already changes nothing, or replaces what that key made.
# What is true: each run adds one more Sigstore bundle, since no two ECDSA signatures are alike and none is looked for.
# Seen with: github.com/sigstore/cosign/v3 v3.1.3, github.com/distribution/distribution/v3 v3.1.2, Go 1.26.
# Why it matters: an artifact that stays the same from release to release, in a pipeline that signs each release, gathers
#   signatures without end. Readers that look at so many at most (and all should) see a new key's signature no more.
# Needs: go, curl, python3. Takes several minutes, all of it the builds.
set -euo pipefail
cosign=v3.1.3 distribution=v3.1.2 port=25990
folder=$(mktemp -d)
trap 'kill "${registry:-0}" 2>/dev/null || true; chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
GOBIN=$folder GOFLAGS=-mod=mod go install "github.com/distribution/distribution/v3/cmd/registry@$distribution"
GOBIN=$folder GOFLAGS=-mod=mod go install "github.com/sigstore/cosign/v3/cmd/cosign@$cosign"
printf 'version: 0.1\nstorage: {inmemory: {}}\nhttp: {addr: 127.0.0.1:%s}\n' "$port" >"$folder/config.yml"
"$folder/registry" serve "$folder/config.yml" >"$folder/log" 2>&1 &
registry=$!
base=http://127.0.0.1:$port/v2/test/a
for _ in $(seq 100); do
    curl --silent --output /dev/null "http://127.0.0.1:$port/v2/" && break
    sleep 0.1
done
# An artifact of one empty object.
printf '{}' >"$folder/blob"
blob=sha256:$(sha256sum "$folder/blob" | cut -d' ' -f1)
place=$(curl --silent --dump-header - --output /dev/null --request POST "$base/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
curl --silent --fail --request PUT --data-binary "@$folder/blob" --header 'Content-Type: application/octet-stream' "$place&digest=$blob"
part="{\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"digest\":\"$blob\",\"size\":2}"
type=application/vnd.oci.image.manifest.v1+json
printf '{"schemaVersion":2,"mediaType":"%s","artifactType":"text/plain","config":%s,"layers":[%s]}' "$type" "$part" "$part" >"$folder/manifest"
digest=$(sha256sum "$folder/manifest" | cut -d' ' -f1)
curl --silent --fail --request PUT --data-binary "@$folder/manifest" --header "Content-Type: $type" "$base/manifests/sha256:$digest"
sign() {
    env -i HOME="$folder" PATH="$PATH" COSIGN_PASSWORD=test "$folder/cosign" sign --key "$folder/cosign.key" --yes --tlog-upload=false \
        --use-signing-config=false --allow-http-registry "127.0.0.1:$port/test/a@sha256:$digest" 2>/dev/null
}
(cd "$folder" && env -i HOME="$folder" PATH="$PATH" COSIGN_PASSWORD=test ./cosign generate-key-pair 2>/dev/null)
index() { curl --silent --fail --header 'Accept: application/vnd.oci.image.index.v1+json' "$base/manifests/sha256-$digest"; }
count() { index | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["manifests"]))'; }
sign
once=$(count)
sign
sign
thrice=$(count)
echo "signatures after one run: $once, after three by the same key: $thrice"
[ "$once" = 1 ] && [ "$thrice" = 3 ] || { echo "changed: signing again adds nothing any more" >&2; exit 1; }
