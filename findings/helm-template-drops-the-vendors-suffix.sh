#!/usr/bin/env bash
# What one would guess: `helm template --kube-version v1.34.1-gke.1829001` decides about a chart's `kubeVersion` as `helm install`
#   does in a cluster that says it is v1.34.1-gke.1829001.
# What is true: the option's suffix is cut off before the comparison, the cluster's isn't. A chart with `kubeVersion: ">=1.25"`
#   renders, and is refused in the cluster, since to Helm a version with a suffix comes before its release.
# Seen with: helm.sh/helm/v4 v4.2.4, Go 1.26.
# Why it matters: whoever tests charts for GKE or EKS by rendering with the vendor's version passes charts that Flux and Helm
#   refuse there. Only a cluster, or its answer at /version, tells.
# Needs: go, python3. Takes a few minutes, all of it the build.
set -euo pipefail
version=v4.2.4 says=v1.34.1-gke.1829001
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
GOBIN=$folder GOFLAGS=-mod=mod go install "helm.sh/helm/v4/cmd/helm@$version"
mkdir -p "$folder/chart/templates"
printf 'apiVersion: v2\nname: a\nversion: 1.0.0\nkubeVersion: ">=1.25"\n' >"$folder/chart/Chart.yaml"
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n' >"$folder/chart/templates/a.yaml"
# The three answers that Helm asks a cluster for before it looks at the chart.
cat >"$folder/cluster.py" <<'PYTHON'
import http.server, json, sys

ANSWERS = {
    "/version": {"major": "1", "minor": "34", "gitVersion": sys.argv[1]},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
}

class Cluster(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ANSWERS.get(self.path.split("?")[0])
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body or {}).encode())

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cluster)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
python3 "$folder/cluster.py" "$says" >"$folder/port" &
server=$!
until [ -s "$folder/port" ]; do sleep 0.1; done
helm() { env -i HOME="$folder" PATH="$PATH" "$folder/helm" "$@" 2>&1; }
rendered=$(helm template a "$folder/chart" --kube-version "$says" | grep -c 'kind: ConfigMap' || true)
refused=$(helm install a "$folder/chart" --dry-run=server --kube-apiserver "http://127.0.0.1:$(cat "$folder/port")" | grep -c 'incompatible with Kubernetes' || true)
echo "template --kube-version $says: rendered $rendered"
echo "install in a cluster that says $says: refused $refused"
[ "$rendered" = 1 ] || { echo "changed: template refuses it, too" >&2; exit 1; }
[ "$refused" = 1 ] || { echo "changed: the cluster's suffix doesn't count any more" >&2; exit 1; }
