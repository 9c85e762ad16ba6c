#!/usr/bin/env bash
# What one would guess: `helm pull` from one registry and `helm push` to another copies a chart: the same package has the same
#   digest there, so what was pinned by digest, or signed, stays so.
# What is true: `helm push` writes the package file's modification time into the manifest (org.opencontainers.image.created). The
#   file that was pulled has the same bytes and another time, so the copy has another digest. Pushing one file twice is stable.
# Seen with: helm.sh/helm/v4 v4.2.4, github.com/distribution/distribution/v3 v3.1.2, Go 1.26.
# Why it matters: a mirror that is filled by pull and push has no chart that a digest or a signature of the first registry fits,
#   though each package is whole. Copy by digest with a tool that copies manifests (crane, skopeo, oras, regctl).
# Needs: go, curl. Takes a few minutes, all of it the builds.
set -euo pipefail
helm=v4.2.4 distribution=v3.1.2 port=25989
folder=$(mktemp -d)
trap 'kill "${registry:-0}" 2>/dev/null || true; chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
GOBIN=$folder GOFLAGS=-mod=mod go install "github.com/distribution/distribution/v3/cmd/registry@$distribution"
GOBIN=$folder GOFLAGS=-mod=mod go install "helm.sh/helm/v4/cmd/helm@$helm"
printf 'version: 0.1\nstorage: {inmemory: {}}\nhttp: {addr: 127.0.0.1:%s}\n' "$port" >"$folder/config.yml"
"$folder/registry" serve "$folder/config.yml" >"$folder/log" 2>&1 &
registry=$!
for _ in $(seq 100); do
    curl --silent --output /dev/null "http://127.0.0.1:$port/v2/" && break
    sleep 0.1
done
helm() { env -i HOME="$folder" PATH="$PATH" "$folder/helm" "$@" 2>&1; }
digest() { helm push "$1" "oci://127.0.0.1:$port/$2" --plain-http | sed -n 's/^Digest: //p'; }
mkdir -p "$folder/chart/templates" "$folder/pulled"
printf 'apiVersion: v2\nname: a\nversion: 1.0.0\n' >"$folder/chart/Chart.yaml"
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n' >"$folder/chart/templates/a.yaml"
helm package "$folder/chart" --destination "$folder" >/dev/null
touch --date=2026-01-01T00:00:00Z "$folder/a-1.0.0.tgz"
first=$(digest "$folder/a-1.0.0.tgz" one)
again=$(digest "$folder/a-1.0.0.tgz" one)
helm pull "oci://127.0.0.1:$port/one/a" --version 1.0.0 --plain-http --destination "$folder/pulled" >/dev/null
cmp "$folder/a-1.0.0.tgz" "$folder/pulled/a-1.0.0.tgz"
copied=$(digest "$folder/pulled/a-1.0.0.tgz" two)
echo "pushed:              $first"
echo "pushed once more:    $again"
echo "pulled and pushed:   $copied (the same bytes)"
[ -n "$first" ] && [ "$first" = "$again" ] || { echo "changed: pushing a file twice isn't stable any more" >&2; exit 1; }
[ "$copied" != "$first" ] || { echo "changed: the copy has the same digest" >&2; exit 1; }
