"""A folder of the node as a claim of pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def claim_of_folder(
    name: str, namespace: str, folder: Path, mode: str = "ReadOnlyMany"
) -> list[dict[str, Any]]:
    """Return a volume and its claim; pods themselves may not name a folder of the node."""
    storage = {"storage": "1Gi"}
    volume = f"{name}-{namespace}"
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": volume},
            "spec": {
                "capacity": storage,
                "accessModes": [mode],
                "storageClassName": "",
                "hostPath": {"path": str(folder)},
                "claimRef": {"namespace": namespace, "name": name},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "accessModes": [mode],
                "storageClassName": "",
                "volumeName": volume,
                "resources": {"requests": storage},
            },
        },
    ]
