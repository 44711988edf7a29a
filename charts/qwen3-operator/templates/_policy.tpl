{{- /*
The rules of values.policy in CEL. Parts that read a resource take the variable that holds it, object
or oldObject: what an older one had already is let be (see policy.yaml).
*/ -}}

{{- /* Whether a source is allowed, as CEL about `url`. An entry that ends in / is a beginning. */ -}}
{{- define "qwen3-operator.policy.isAllowed" -}}
{{ toRawJson .Values.policy.allowedSources }}.exists(allowed,
  url == allowed || (allowed.endsWith('/') ? url.startsWith(allowed)
  : ['/', ':', '@', '#'].exists(end, url.startsWith(allowed + end))))
{{- end -}}

{{- /* The same, decided while rendering, for a checkpoint of the catalog: true or nothing. */ -}}
{{- define "qwen3-operator.policy.allows" -}}
{{- $url := .url -}}
{{- range .sources -}}
{{- if or (eq $url .) (and (hasSuffix "/" .) (hasPrefix . $url)) (hasPrefix (printf "%s/" .) $url) }}true{{ end -}}
{{- end -}}
{{- end -}}

{{- /* Licences by publisher, as YAML: the catalog's and those that the values add. */ -}}
{{- define "qwen3-operator.policy.licences" -}}
{{- $catalog := .Files.Get "files/policy-catalog.json" | fromJson -}}
{{- toYaml (merge (deepCopy .Values.policy.publisherLicences) $catalog.licences) -}}
{{- end -}}

{{- /* Publishers whose licence is allowed (which: allowed) or known (which: known), as JSON. */ -}}
{{- define "qwen3-operator.policy.publishers" -}}
{{- $allowed := .root.Values.policy.allowedLicences -}}
{{- $found := list -}}
{{- range $publisher, $licence := include "qwen3-operator.policy.licences" .root | fromYaml -}}
{{- if or (eq $.which "known") (has $licence $allowed) -}}
{{- $found = append $found $publisher -}}
{{- end -}}
{{- end -}}
{{- toRawJson $found -}}
{{- end -}}

{{- /*
Where a resource that names no source must not be served, as a map in CEL: formats by variant, "*" for
all of them. An engine's name stands for the formats that it tries where none is asked for.
*/ -}}
{{- define "qwen3-operator.policy.refused" -}}
{{- $catalog := .root.Files.Get "files/policy-catalog.json" | fromJson -}}
{{- $publishers := include "qwen3-operator.policy.publishers" (dict "root" .root "which" .which) | fromJsonArray -}}
{{- $unknown := has "unknown" .root.Values.policy.allowedLicences -}}
{{- $known := include "qwen3-operator.policy.publishers" (dict "root" .root "which" "known") | fromJsonArray -}}
{{- $table := dict -}}
{{- range $variant, $weights := $catalog.weights -}}
{{- $refused := list -}}
{{- range $format, $url := $weights -}}
{{- $isRefused := false -}}
{{- if eq $.rule "sources" -}}
{{- $isRefused = empty (include "qwen3-operator.policy.allows" (dict "url" $url "sources" $.root.Values.policy.allowedSources)) -}}
{{- else -}}
{{- $publisher := index (splitList "/" $url) 2 -}}
{{- $isRefused = not (or (has $publisher $publishers) (and $unknown (not (has $publisher $known)))) -}}
{{- end -}}
{{- if $isRefused -}}
{{- $refused = append $refused $format -}}
{{- end -}}
{{- end -}}
{{- if eq (len $refused) (len $weights) -}}
{{- $_ := set $table $variant (list "*") -}}
{{- else if $refused -}}
{{- $engines := list -}}
{{- range $engine, $ladder := $catalog.ladders -}}
{{- range $format := $ladder -}}
{{- if has $format $refused -}}
{{- $engines = append $engines $engine -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $_ := set $table $variant (concat ($engines | uniq) $refused) -}}
{{- end -}}
{{- end -}}
{{- toRawJson $table -}}
{{- end -}}

{{- /* Every source that a resource names: where it stands, and its URL. */ -}}
{{- define "qwen3-operator.policy.sources" -}}
({{ . }}.spec.model.?source.hasValue()
  ? [{'at': 'spec.model.source', 'url': string({{ . }}.spec.model.source)}] : [])
+ {{ . }}.spec.?lora.?adapters.orValue([]).map(a,
  {'at': 'spec.lora.adapters[' + a.name + '].source', 'url': string(a.source)})
+ ({{ . }}.spec.?cache.?image.hasValue()
  ? [{'at': 'spec.cache.image.reference', 'url': 'oci://' + string({{ . }}.spec.cache.image.reference)}] : [])
{{- end -}}

{{- /* What is served from a checkpoint of the catalog because no source is named. */ -}}
{{- define "qwen3-operator.policy.implied" -}}
({{ . }}.spec.model.?source.hasValue() ? []
  : (({{ . }}.spec.?quantization.orValue('auto') != 'auto' ? [{{ . }}.spec.quantization]
      : [{{ . }}.spec.?engine.?name.orValue('auto')])
    + (!{{ . }}.spec.?fallback.?order.orValue([]).exists(o, o == 'quantization') ? []
      : size({{ . }}.spec.fallback.?quantizations.orValue([])) > 0 ? {{ . }}.spec.fallback.quantizations
      : [{{ . }}.spec.?engine.?name.orValue('auto')])
    ).map(f, {'at': 'spec.model.source', 'variant': string({{ . }}.spec.model.variant), 'format': string(f)}))
+ ({{ . }}.spec.?engine.?draftModel.hasValue()
  ? [{'at': 'spec.engine.draftModel', 'variant': string({{ . }}.spec.engine.draftModel), 'format': 'bf16'}] : [])
{{- end -}}

{{- /* Every model that a resource names. */ -}}
{{- define "qwen3-operator.policy.models" -}}
[{'at': 'spec.model.variant', 'name': string({{ . }}.spec.model.variant)}]
+ ({{ . }}.spec.?engine.?draftModel.hasValue()
  ? [{'at': 'spec.engine.draftModel', 'name': string({{ . }}.spec.engine.draftModel)}] : [])
{{- end -}}

{{- /* Everything whose content may be fixed: what is fetched by a revision, and images. */ -}}
{{- define "qwen3-operator.policy.pins" -}}
[{'at': 'spec.model', 'what': string({{ . }}.spec.model.?source.orValue('the default source of ' + {{ . }}.spec.model.variant)),
  'revision': string({{ . }}.spec.model.?revision.orValue(''))}]
+ {{ . }}.spec.?lora.?adapters.orValue([]).map(a,
  {'at': 'spec.lora.adapters[' + a.name + ']', 'what': string(a.source), 'revision': string(a.?revision.orValue(''))})
+ ({{ . }}.spec.?cache.?image.hasValue()
  ? [{'at': 'spec.cache.image', 'what': 'oci://' + string({{ . }}.spec.cache.image.reference), 'revision': ''}] : [])
+ ({{ . }}.spec.?engine.?draftModel.hasValue()
  ? [{'at': 'spec.engine.draftModel', 'what': string({{ . }}.spec.engine.draftModel), 'revision': ''}] : [])
{{- end -}}

{{- /* A name of the values that the catalog does not have ends the rendering. */ -}}
{{- define "qwen3-operator.policy.check" -}}
{{- $catalog := .Files.Get "files/policy-catalog.json" | fromJson -}}
{{- range .Values.policy.allowedVariants -}}
{{- if not (has . $catalog.variants) -}}
{{- fail (printf "policy.allowedVariants: %s is no variant of the catalog (qwen3 catalog models)" .) -}}
{{- end -}}
{{- end -}}
{{- range .Values.policy.allowedAccelerators -}}
{{- if not (has . $catalog.accelerators) -}}
{{- fail (printf "policy.allowedAccelerators: %s is no accelerator of the catalog (qwen3 catalog accelerators)" .) -}}
{{- end -}}
{{- end -}}
{{- $licences := append (values (include "qwen3-operator.policy.licences" . | fromYaml)) "unknown" -}}
{{- range .Values.policy.allowedLicences -}}
{{- if not (has . $licences) -}}
{{- fail (printf "policy.allowedLicences: no publisher has %s; known are %s. policy.publisherLicences adds publishers" . (join ", " ($licences | uniq | sortAlpha))) -}}
{{- end -}}
{{- end -}}
{{- with .Values.policy -}}
{{- if not (or .allowedSources .allowedVariants .allowedAccelerators .requirePinnedRevisions .allowedLicences .closedFields) -}}
{{- fail "policy.enabled is true, but no rule is given: see policy.* in values.yaml" -}}
{{- end -}}
{{- end -}}
{{- end -}}
