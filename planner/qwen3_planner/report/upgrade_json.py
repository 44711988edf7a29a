"""What an upgrade changes, as the JSON document of contract ``upgrade-check/v1``.

Absent means not applicable; sizes are bytes. Fields may be added, never renamed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_planner.plan import NoPlan
from qwen3_planner.report.plan_json import layout_document, to_document

if TYPE_CHECKING:
    from qwen3_planner.upgrading.values import Figure, FlagGone, Turn, Upgrade

SCHEMA = "upgrade-check/v1"


def upgrade_document(upgrade: Upgrade) -> dict[str, Any]:
    """Say what an upgrade changes as ``qwen3 upgrade-check -o json`` prints it."""
    legality = upgrade.legality
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "holds": upgrade.holds,
        "engine": upgrade.engine,
        "from": upgrade.from_version,
        "to": upgrade.to_version,
        "breaks": list(upgrade.breaks),
        "figures": [_figure(figure) for figure in upgrade.figures],
        "layouts": {
            "lost": [layout_document(layout) for layout in legality.layouts_lost],
            "gained": [layout_document(layout) for layout in legality.layouts_gained],
        },
        "rules": {"lost": list(legality.rules_lost), "gained": list(legality.rules_gained)},
        "flags": [_flag(flag) for flag in upgrade.flags],
        "command": {"removed": list(upgrade.words_removed), "added": list(upgrade.words_added)},
        "env": {"before": dict(upgrade.env_before), "after": dict(upgrade.env_after)},
        "turns": [_turn(turn) for turn in upgrade.turns],
    }
    for name, result in (("before", upgrade.before), ("after", upgrade.after)):
        document[name] = to_document(result)
        if not isinstance(result, NoPlan):
            for key in ("alternatives", "refusals"):
                document[name].pop(key)
    return document


def _figure(figure: Figure) -> dict[str, Any]:
    is_whole = figure.unit == "bytes" or (figure.before % 1 == 0 and figure.after % 1 == 0)
    before, after = (
        int(value) if is_whole else round(value, 4) for value in (figure.before, figure.after)
    )
    return {"name": figure.name, "unit": figure.unit, "before": before, "after": after}


def _flag(flag: FlagGone) -> dict[str, str]:
    found = {"flag": flag.flag, "where": flag.where}
    if flag.since:
        found["since"] = flag.since
    if flag.instead:
        found["instead"] = flag.instead
    return found


def _turn(turn: Turn) -> dict[str, str]:
    return {
        "subject": turn.subject,
        "since": turn.since,
        "before": turn.before,
        "after": turn.after,
        "source": turn.source,
    }
