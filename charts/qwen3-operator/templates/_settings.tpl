{{- /* Settings of the operator (operator/qwen3_operator/settings.py), as YAML. Nothing secret is among
them: proxies with a password are refused, and Prometheus' token is mounted from its Secret. */ -}}
{{- define "qwen3-operator.settings" -}}
{{- $given := .Values.operator -}}
{{- $settings := dict
  "lease_name" (include "qwen3-operator.fullname" .)
  "lease_duration_s" $given.leaseDurationSeconds
  "workers" $given.workers
  "request_limit" $given.requestLimit
  "read_engines" $given.readEngines
  "group_limit_s" $given.groupLimitSeconds
  "log_level" $given.logLevel
  "log_format" $given.logFormat
  "fetch_image" (default (include "qwen3-operator.image" .) $given.fetchImage)
  "allow_host_path" $given.allowHostPath
  "pod_template_level" $given.podTemplate.level
  "pod_labels" (include "qwen3-operator.selector" . | fromYaml)
  "pod_monitors" $given.podMonitors.enabled
  "offline" $given.hubs.offline
  "name_all_holders" $given.nameAllHolders
  "near_labels" $given.nearLabels
-}}
{{- $registries := deepCopy (default dict $given.imageRegistries) -}}
{{- with (.Values.global).imageRegistry -}}
{{- $registries = merge $registries (dict "*" .) -}}
{{- end -}}
{{- /* what is left empty keeps the operator's own default */ -}}
{{- range $name, $value := dict
  "namespaces" .Values.watchNamespaces
  "images" $given.images
  "image_registries" $registries
  "image_pull_secrets" $given.imagePullSecrets
  "amd_groups" $given.amdGroups
  "host_path_folders" $given.hostPathFolders
  "pod_template_accounts" $given.podTemplate.serviceAccounts
  "growing_pools" $given.growingPools
  "pod_monitor_labels" $given.podMonitors.labels
  "prometheus_namespaces" $given.prometheusNamespaces
  "gateway" $given.routes.gateway
  "route_hostname" $given.routes.hostname
  "hf_endpoint" $given.hubs.hfEndpoint
  "modelscope_endpoint" $given.hubs.modelscopeEndpoint
  "https_proxy" $given.hubs.httpsProxy
  "http_proxy" $given.hubs.httpProxy
  "no_proxy" $given.hubs.noProxy
  "ca_config_map" $given.hubs.caConfigMap
-}}
{{- if $value -}}{{- $_ := set $settings $name $value -}}{{- end -}}
{{- end -}}
{{- with $given.prometheus -}}
{{- if .url -}}
{{- $_ := set $settings "prometheus_url" .url -}}
{{- $_ := set $settings "prometheus_timeout_s" .timeoutSeconds -}}
{{- $_ := set $settings "scaling_interval_s" .intervalSeconds -}}
{{- range $name, $value := dict
  "prometheus_proxy" .proxy
  "prometheus_labels" .labels
  "prometheus_token_file" (ternary "/etc/qwen3-operator/prometheus-token/token" "" (not (empty .tokenSecret.name)))
  "prometheus_ca_file" (ternary "/etc/qwen3-operator/prometheus-ca/ca.crt" "" (not (empty .caConfigMap.name)))
-}}
{{- if $value -}}{{- $_ := set $settings $name $value -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end -}}
