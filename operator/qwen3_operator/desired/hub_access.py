"""How a container that fetches weights reaches the hub: mirror, proxy, authorities, token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired.site import CA_KEY
from qwen3_planner.engines.sources import MODELSCOPE, is_on_hub, scheme_of

if TYPE_CHECKING:
    from qwen3_operator.desired.site import Hubs
    from qwen3_planner.api.references import TokenSecretRef

CA_VOLUME = "ca"
CA_PATH = "/etc/qwen3/ca"
"""Where the ConfigMap with certificate authorities is mounted."""

CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Python's ssl and httpx, requests, and curl each have a variable of their own."""

DIRECT = ("localhost", "127.0.0.1", "::1", ".svc", ".cluster.local")
"""Never through a proxy: an engine asks itself over HTTP whether it is warm."""

TOKEN_VARIABLES = {MODELSCOPE: "MODELSCOPE_API_TOKEN"}
"""Variable from which each hub's client takes its token; others: HF_TOKEN."""


def token_variable(source: str) -> str:
    """Return the variable that the hub's client reads its token from."""
    return TOKEN_VARIABLES.get(scheme_of(source), "HF_TOKEN")


def make_hub_env(source: str, hubs: Hubs) -> list[dict[str, Any]]:
    """Make the variables by which the hub is reached; none for weights on a volume."""
    if not is_on_hub(source):
        return []
    pairs = [*_endpoint(source, hubs), *_proxies(hubs)]
    if hubs.ca_config_map:
        pairs += [(name, f"{CA_PATH}/{CA_KEY}") for name in CA_VARIABLES]
    return [{"name": name, "value": value} for name, value in pairs]


def make_token_env(source: str, token: TokenSecretRef | None) -> list[dict[str, Any]]:
    """Make the variable with the hub's token, by reference."""
    if token is None:
        return []
    reference = {"name": token.name, "key": token.key}
    return [{"name": token_variable(source), "valueFrom": {"secretKeyRef": reference}}]


def make_ca_volumes(source: str, hubs: Hubs) -> list[dict[str, Any]]:
    """Make the volume with certificate authorities, where the site has its own."""
    if not hubs.ca_config_map or not is_on_hub(source):
        return []
    items = [{"key": CA_KEY, "path": CA_KEY}]
    return [{"name": CA_VOLUME, "configMap": {"name": hubs.ca_config_map, "items": items}}]


def make_ca_mounts(source: str, hubs: Hubs) -> list[dict[str, Any]]:
    """Make the mount of the same."""
    if not hubs.ca_config_map or not is_on_hub(source):
        return []
    return [{"name": CA_VOLUME, "mountPath": CA_PATH, "readOnly": True}]


def _endpoint(source: str, hubs: Hubs) -> list[tuple[str, str]]:
    """Name the mirror to every client: llama.cpp's and our own read MODEL_ENDPOINT."""
    if scheme_of(source) != MODELSCOPE:
        return [("HF_ENDPOINT", hubs.hf_endpoint)] if hubs.hf_endpoint else []
    mirror = hubs.modelscope_endpoint
    if not mirror:
        return []
    domain = mirror.partition("://")[2].partition("/")[0]
    return [("MODELSCOPE_DOMAIN", domain), ("MODEL_ENDPOINT", mirror)]


def _proxies(hubs: Hubs) -> list[tuple[str, str]]:
    """Name the proxies, in both spellings: curl reads http_proxy in small letters only."""
    if not hubs.https_proxy and not hubs.http_proxy:
        return []
    direct = ",".join(dict.fromkeys([*DIRECT, *filter(None, hubs.no_proxy.split(","))]))
    named = {
        "HTTPS_PROXY": hubs.https_proxy,
        "HTTP_PROXY": hubs.http_proxy,
        "NO_PROXY": direct,
    }
    given = [(name, value) for name, value in named.items() if value]
    return [*given, *((name.lower(), value) for name, value in given)]
