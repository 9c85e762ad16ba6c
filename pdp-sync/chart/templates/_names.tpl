{{- define "pdp-sync.name" -}}
{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{/* For what isn't in a namespace: two pdp-sync in one cluster must not meet. */}}
{{- define "pdp-sync.clusterName" -}}
{{ printf "%s:%s" .Release.Namespace (include "pdp-sync.name" .) }}
{{- end }}

{{- define "pdp-sync.selector" -}}
app.kubernetes.io/name: pdp-sync
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "pdp-sync.labels" -}}
{{ include "pdp-sync.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: pdp-sync
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "pdp-sync.image" -}}
{{- $name := printf "%s/%s" (.Values.global.imageRegistry | default .Values.image.registry) .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{ $name }}@{{ .Values.image.digest }}
{{- else -}}
{{ $name }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Names of this namespace's subscriptions, as a JSON list. Without a word, it is the one that the documentation makes. */}}
{{- define "pdp-sync.subscriptions" -}}
{{- $names := .Values.rbac.subscriptions }}
{{- with .Values.subscription }}{{ $names = append $names .name }}{{ end }}
{{- $names | uniq | default (list "pdp") | toJson }}
{{- end }}

{{/* pdp-sync's own Secrets, as a JSON list. */}}
{{- define "pdp-sync.ownSecrets" -}}
{{- $names := list "pdp-trust" }}
{{- range $subscription := include "pdp-sync.subscriptions" . | fromJsonArray }}
{{- range $part := list "decision" "state" "identity" "artifact-keys" }}
{{- $names = append $names (printf "pdp-%s-%s" $subscription $part) }}
{{- end }}
{{- end }}
{{- $names | toJson }}
{{- end }}

{{/* Secrets that subscriptions refer to, as a JSON list: those that are listed, and those of the chart's own subscription. */}}
{{- define "pdp-sync.namedSecrets" -}}
{{- $names := .Values.rbac.secrets }}
{{- with .Values.subscription }}
{{- $spec := .spec }}
{{- range list
  (dig "catalog" "git" "secretRef" "name" "" $spec)
  (dig "catalog" "oci" "secretRef" "name" "" $spec)
  (dig "instruction" "server" "enrolmentTokenSecretRef" "name" "" $spec)
  (dig "mirror" "secretRef" "name" "" $spec)
  (dig "pullSecretRef" "name" "" $spec)
  (dig "certSecretRef" "name" "" $spec) }}
{{- $names = append $names . }}
{{- end }}
{{- end }}
{{- $names | uniq | compact | toJson }}
{{- end }}
