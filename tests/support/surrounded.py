"""Resources with something around the model: those to take, and those to refuse by a rule."""

from __future__ import annotations

from support.resources import Bad

AROUND_BAD = (
    Bad(
        "a port on the nodes needs a Service that has one",
        "service: {nodePort: 30000}",
        "spec.service.type",
        "nodePort and externalTrafficPolicy need type NodePort or LoadBalancer",
    ),
    Bad(
        "networks are let in by load balancers",
        "service: {type: NodePort, loadBalancerSourceRanges: [10.0.0.0/8]}",
        "spec.service.type",
        "loadBalancerClass and loadBalancerSourceRanges need type LoadBalancer",
    ),
    Bad(
        "a host name is one",
        "route: {parentRefs: [{name: edge}], hostnames: ['https://m.example.com']}",
        "spec.route.hostnames[0]",
        "must be a host name such as qwen3.example.com, or *.example.com",
    ),
    Bad(
        "a path has no / at its end",
        "route: {parentRefs: [{name: edge}], path: /m/}",
        "spec.route.path",
        "must be a path such as /qwen3-32b, without a / at the end",
    ),
    Bad(
        "a time has a unit",
        "route: {parentRefs: [{name: edge}], requestTimeout: '60'}",
        "spec.route.requestTimeout",
        'must be a time such as "10m", or "0s" for none',
    ),
    Bad(
        "a certificate is for hosts",
        "ingress: {tlsSecretName: tls}",
        "spec.ingress.hosts",
        "tlsSecretName needs hosts: a certificate is for names",
    ),
    Bad(
        "a peer is pods or a network",
        "networkPolicy: {from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}",
        "spec.networkPolicy.from[0]",
        "give podSelector, namespaceSelector or both, or else ipBlock",
    ),
    Bad(
        "a network has a length",
        "networkPolicy: {from: [{ipBlock: {cidr: 10.0.0.1}}]}",
        "spec.networkPolicy.from[0].ipBlock.cidr",
        "must be a network such as 10.0.0.0/8",
    ),
    Bad(
        "an interval is one",
        "monitoring: {interval: often}",
        "spec.monitoring.interval",
        'must be a time such as "30s"',
    ),
)

AROUND_GOOD = (
    """service: {type: LoadBalancer, port: 80, nodePort: 30080, labels: {team: a}, headless: true,
        loadBalancerClass: service.k8s.aws/nlb, loadBalancerSourceRanges: [10.0.0.0/8, 'fd00::/8'],
        externalTrafficPolicy: Local, sessionAffinity: ClientIP}""",
    """route: {parentRefs: [{name: edge, namespace: gateways, sectionName: https, port: 443}],
        hostnames: [m.example.com, '*.example.org'], path: /models/m, requestTimeout: 1h30m}""",
    "ingress: {}",
    "ingress: {hosts: [m.example.com], tlsSecretName: tls, ingressClassName: nginx, path: /m}",
    "inferencePool: {endpointPickerRef: {name: epp, port: 9002, failureMode: FailOpen}}",
    """networkPolicy: {from: [{podSelector: {matchLabels: {app: chat}}}, {namespaceSelector: {}},
        {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], metricsFrom: [{podSelector: {}}]}""",
    "networkPolicy: {}\nmonitoring: {podMonitor: false}",
    "monitoring: {interval: 15s, labels: {release: prometheus}}",
    """podTemplate: {metadata: {labels: {team: a}, annotations: {a: b}}, spec: {hostIPC: false,
        containers: [{name: engine, securityContext: {runAsUser: 0}}, {name: side, image: x}],
        volumes: [{name: cache, persistentVolumeClaim: {claimName: c}}]}}""",
)
