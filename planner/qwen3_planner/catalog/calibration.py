"""What an overlay file holds; the rows themselves: :mod:`qwen3_planner.catalog.measurements`.

Apart from them because every plan imports this, and few have a calibration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.catalog.measurements import DeviceRow, MemoryRow, SpeedRow


@dataclass(frozen=True, slots=True)
class Calibration:
    """All that an overlay file holds."""

    memory: tuple[MemoryRow, ...] = ()
    speed: tuple[SpeedRow, ...] = ()
    devices: tuple[DeviceRow, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to take up."""
        return bool(self.memory or self.speed or self.devices)


NOTHING_MEASURED = Calibration()
"""What a plan takes up where no overlay is given."""
