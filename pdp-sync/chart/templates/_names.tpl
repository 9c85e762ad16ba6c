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
