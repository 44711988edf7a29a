"""Secrets of one control plane: a signing key, tokens, kubeconfigs.

They are made afresh for each control plane and are worth nothing outside it.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ADMIN = "admin"

USERS: Mapping[str, tuple[str, str]] = {
    ADMIN: ("admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", "system:masters"),
    "scheduler": ("system:kube-scheduler", ""),
    "kwok": ("kwok", "system:masters"),
}
"""Short name -> user and group. Own names let the audit log tell who asked. The controllers run as
one user that may do everything: a ServiceAccount for each of them would only cost time here. The
scheduler has just its own role, as in a real cluster."""

_P256_HEAD = bytes.fromhex("30310201010420")
_P256_TAIL = bytes.fromhex("a00a06082a8648ce3d030107")
"""DER of an ECPrivateKey (RFC 5915) on the curve P-256 around its 32 secret bytes; the public half
is left out, readers compute it. So no library and no openssl is needed to make a key."""


def signing_key() -> str:
    """Return a new private key (PEM) that the API server can sign ServiceAccount tokens with."""
    # Without its highest bit the number is below the order of the curve, as it must be.
    secret = bytearray(secrets.token_bytes(32))
    secret[0] &= 0x7F
    der = _P256_HEAD + bytes(secret) + _P256_TAIL
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN EC PRIVATE KEY-----\n{body}-----END EC PRIVATE KEY-----\n"


def new_tokens() -> dict[str, str]:
    """Return a random token for each of USERS."""
    return {name: secrets.token_urlsafe(32) for name in USERS}


def token_file(tokens: Mapping[str, str]) -> str:
    """Return the contents of --token-auth-file: token,user,uid,"groups"."""
    rows = []
    for name, token in tokens.items():
        user, group = USERS[name]
        rows.append(f"{token},{user},{user}" + (f',"{group}"' if group else ""))
    return "\n".join(rows) + "\n"


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach an API server, whoever one is."""

    server: str
    certificate: Path


def write_kubeconfig(
    path: Path, access: Access, user: str, token: str, namespace: str = "default"
) -> Path:
    """Write a kubeconfig that needs no other file, readable by its owner only; return its path."""
    authority = base64.b64encode(access.certificate.read_bytes()).decode()
    cluster = {"server": access.server, "certificate-authority-data": authority}
    name = "qwen3-test"
    context = {"cluster": name, "user": user, "namespace": namespace}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": name, "context": context}],
    }
    write_secret(path, json.dumps(document, indent=2) + "\n")  # JSON is YAML
    return path


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read, replacing one that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
