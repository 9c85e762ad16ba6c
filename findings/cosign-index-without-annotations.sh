#!/usr/bin/env bash
# What one would guess: the index behind the tag `sha256-<digest>`, by which registries without the referrers API list what refers
#   to an artifact, says the same as the API would: artifact type and annotations of each, as the OCI specification asks.
# What is true: cosign writes the artifact type and no annotations there. Its manifests have them (what is stated, by
#   dev.sigstore.bundle.predicateType), their entries don't.
# Seen with: github.com/sigstore/cosign/v3 v3.1.3, github.com/distribution/distribution/v3 v3.1.2, Go 1.26.
# Why it matters: who tells signatures from SBOMs by the annotations of the list finds all on one registry and none on another.
#   An entry without annotations has to be opened, or taken for any of them.
# Needs: go, curl, python3. Takes several minutes, all of it the builds.
set -euo pipefail
cosign=v3.1.3 distribution=v3.1.2 port=25991
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
sign
entry=$(index | python3 -c 'import json, sys; print(json.load(sys.stdin)["manifests"][0]["digest"])')
annotations() { python3 -c 'import json, sys; value = json.load(sys.stdin); value = value.get("manifests", [value])[0]; print(len(value.get("annotations") or {}))'; }
listed=$(index | annotations)
own=$(curl --silent --fail --header "Accept: $type" "$base/manifests/$entry" | annotations)
echo "annotations of the entry: $listed, of the manifest that it names: $own"
[ "$listed" = 0 ] && [ "$own" -gt 0 ] || { echo "changed: entries have annotations" >&2; exit 1; }
