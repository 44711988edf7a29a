"""Where a running control plane keeps its files, and which ports it listens on."""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = "127.0.0.1"

_BLOCK = 8
_BLOCKS = range(20_000, 30_000, _BLOCK)
"""Below the ports that Linux gives to outgoing connections and the range of NodePorts, so that
nothing takes a port between the look and the start."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one control plane, all on loopback."""

    etcd_client: int
    etcd_peer: int
    apiserver: int
    controller_manager: int
    scheduler: int
    kwok: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Files and ports of one control plane."""

    folder: Path
    ports: Ports
    address: str = LOOPBACK
    """Of what its certificate is for; pods of a real kubelet cannot reach loopback."""

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://{self.address}:{self.ports.apiserver}"

    @property
    def etcd(self) -> str:
        """URL of etcd."""
        return f"http://{LOOPBACK}:{self.ports.etcd_client}"

    @property
    def etcd_peer(self) -> str:
        """URL that etcd would offer to other members."""
        return f"http://{LOOPBACK}:{self.ports.etcd_peer}"

    @property
    def etcd_data(self) -> Path:
        """Etcd's database."""
        return self.folder / "etcd"

    @property
    def certificates(self) -> Path:
        """Folder into which the API server writes the certificate that it makes for itself."""
        return self.folder / "certificates"

    @property
    def certificate(self) -> Path:
        """Certificate of the API server with its authority: what a client has to trust."""
        return self.certificates / "apiserver.crt"

    @property
    def certificate_key(self) -> Path:
        """Key of that certificate."""
        return self.certificates / "apiserver.key"

    @property
    def service_account_key(self) -> Path:
        """Key that signs ServiceAccount tokens."""
        return self.folder / "service-account.key"

    @property
    def tokens(self) -> Path:
        """Tokens of the administrator and of the parts of the control plane."""
        return self.folder / "tokens.csv"

    @property
    def audit_policy(self) -> Path:
        """What the API server writes into the audit log."""
        return self.folder / "audit-policy.json"

    @property
    def audit_log(self) -> Path:
        """The audit log; there only when asked for."""
        return self.folder / "audit.log"

    @property
    def scheduler_configuration(self) -> Path:
        """Configuration of kube-scheduler."""
        return self.folder / "scheduler.json"

    @property
    def home(self) -> Path:
        """Home of kubectl and helm, so that they leave nothing in the user's."""
        return self.folder / "home"

    def kubeconfig(self, user: str) -> Path:
        """Kubeconfig of one of the users in `tokens`."""
        return self.folder / f"{user}.kubeconfig"

    def log(self, name: str) -> Path:
        """Output of one program."""
        return self.folder / "logs" / f"{name}.log"

    def make_folders(self) -> None:
        """Create the folders; only the user may look into them."""
        for folder in (self.etcd_data, self.certificates, self.home, self.folder / "logs"):
            folder.mkdir(mode=0o700, parents=True)


class ReservedPorts:
    """Six ports that nobody listens on, and that no other control plane gets before the end.

    Programs start seconds after the look, and some are stopped and started again meanwhile. So
    each control plane has a block of ports to itself, and holds its first one as the sign of that.
    """

    def __init__(self) -> None:
        while True:
            base = random.choice(_BLOCKS)  # noqa: S311 - not a secret
            sign = _bound(base)
            if sign is not None:
                numbers = range(base + 1, base + 1 + len(Ports.__dataclass_fields__))
                if all(_is_free(number) for number in numbers):
                    break
                sign.close()
        self._sign = sign
        self.ports = Ports(*numbers)

    def release(self) -> None:
        """Let others have them."""
        self._sign.close()


def _is_free(port: int) -> bool:
    there = _bound(port)
    if there is not None:
        there.close()
    return there is not None


def _bound(port: int) -> socket.socket | None:
    """Return a socket that holds a port; None where somebody has it."""
    holder = socket.socket()
    try:
        holder.bind((LOOPBACK, port))
    except OSError:
        holder.close()
        return None
    return holder
