"""The image's bill of materials (SBOM), and for which machines its wheels exist."""

from .making import BILL, LOCK, WHEELS, make_bill, make_wheels

__all__ = ["BILL", "LOCK", "WHEELS", "make_bill", "make_wheels"]
