#!/usr/bin/env bash
# What one would guess: an entry of a kustomization's `images` applies to the image that it names, and to no other one.
# What is true: the name is read as a regular expression without quoting. `team/proxy.v2` also takes `team/proxy-v2`: the
#   second image runs by the first one's digest, under its own name. Written `team/proxy[.]v2`, the entry takes its own alone.
# Seen with: sigs.k8s.io/kustomize/kustomize/v5 v5.7.1, Go 1.26 (Flux' kustomize-controller and helm-controller have the same code).
# Why it matters: who pins images by digest with such entries pins another image wrongly, and it can't be pulled; every host has
#   a dot in its name.
# Needs: go. Takes a minute or two, all of it the build.
set -euo pipefail
version=v5.7.1
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
GOBIN=$folder GOFLAGS=-mod=mod go install "sigs.k8s.io/kustomize/kustomize/v5@$version"
cat >"$folder/pod.yaml" <<POD
apiVersion: v1
kind: Pod
metadata: {name: a}
spec: {containers: [{name: one, image: "team/proxy.v2:1"}, {name: other, image: "team/proxy-v2:1"}]}
POD
digest=sha256:$(printf 'a%.0s' $(seq 64))
images() { # images NAME: what becomes of both images under an entry for this name
    printf 'resources: [pod.yaml]\nimages: [{name: "%s", digest: "%s"}]\n' "$1" "$digest" >"$folder/kustomization.yaml"
    "$folder/kustomize" build "$folder" | sed -n 's/.*image: //p' | sed 's/\(sha256:a\{4\}\)a*/\1.../' | sort | paste -sd ' '
}
plain=$(images team/proxy.v2) quoted=$(images 'team/proxy[.]v2')
echo "entry team/proxy.v2:   $plain"
echo "entry team/proxy[.]v2: $quoted"
[ "$plain" = "team/proxy-v2@sha256:aaaa... team/proxy.v2@sha256:aaaa..." ] || { echo "changed: the name is taken as it is" >&2; exit 1; }
[ "$quoted" = "team/proxy-v2:1 team/proxy.v2@sha256:aaaa..." ] || { echo "changed: the name is no pattern" >&2; exit 1; }
