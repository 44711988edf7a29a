{{- define "qwen3-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "qwen3-operator.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- /* Labels of the pod of helm test: no operator, so no budget and no Service counts it. */ -}}
{{- define "qwen3-operator.testSelector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: test
{{- end -}}

{{- define "qwen3-operator.labels" -}}
{{ include "qwen3-operator.selector" . }}
app.kubernetes.io/part-of: qwen3-operator
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "qwen3-operator.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "qwen3-operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is needed when serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* A repository that names a registry stays where it is. */ -}}
{{- define "qwen3-operator.image" -}}
{{- $repository := .Values.image.repository -}}
{{- with (.Values.global).imageRegistry -}}
{{- if not (regexMatch "^([^/]*[.:][^/]*|localhost)/" $repository) -}}
{{- $repository = printf "%s/%s" . $repository -}}
{{- end -}}
{{- end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- /* Files with which Prometheus is asked, in the container and out of it */ -}}
{{- define "qwen3-operator.volumeMounts" -}}
{{- with .Values.operator.prometheus -}}
{{- if and .url .tokenSecret.name }}
- name: prometheus-token
  mountPath: /etc/qwen3-operator/prometheus-token
  readOnly: true
{{- end }}
{{- if and .url .caConfigMap.name }}
- name: prometheus-ca
  mountPath: /etc/qwen3-operator/prometheus-ca
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{- define "qwen3-operator.volumes" -}}
{{- with .Values.operator.prometheus -}}
{{- if and .url .tokenSecret.name }}
- name: prometheus-token
  secret:
    secretName: {{ .tokenSecret.name }}
    items: [{key: {{ .tokenSecret.key }}, path: token}]
{{- end }}
{{- if and .url .caConfigMap.name }}
- name: prometheus-ca
  configMap:
    name: {{ .caConfigMap.name }}
    items: [{key: {{ .caConfigMap.key }}, path: ca.crt}]
{{- end }}
{{- end }}
{{- end -}}
