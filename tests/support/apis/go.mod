// Definitions of optional APIs, as their own projects publish them; read by definitions.py.
//
// Nothing is built from them, so this module has neither code nor a graph of its own: a version here
// and its hash in go.sum are all that is used. It is apart from the control plane's module so that
// the cache of its programs is not keyed by it.
module qwen3-operator.invalid/apis

go 1.26.0

require (
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.5.1
	sigs.k8s.io/gateway-api-inference-extension v1.5.0
	sigs.k8s.io/karpenter v1.8.0
	sigs.k8s.io/kueue v0.14.0
	sigs.k8s.io/lws v0.9.0
)
