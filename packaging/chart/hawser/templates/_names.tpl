{{/* One Hawser in a cluster: its names and its namespace are fixed, and everything else counts on that. */}}
{{- define "hawser.name" -}}hawser-cloudcore{{- end }}

{{- define "hawser.selector" -}}
app.kubernetes.io/name: hawser-cloudcore
{{- end }}

{{- define "hawser.labels" -}}
{{ include "hawser.selector" . }}
app.kubernetes.io/part-of: hawser
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "hawser.metadata" -}}
name: {{ include "hawser.name" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "hawser.labels" . | nindent 2 }}
{{- end }}

{{/* Of the pods: a class that the chart makes, or one that is there. */}}
{{- define "hawser.priorityClassName" -}}
{{- if .Values.priorityClass.create }}{{ include "hawser.name" . }}{{ else }}{{ .Values.priorityClassName }}{{ end }}
{{- end }}
