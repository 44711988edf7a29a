"""``qwen3 upgrade-check``."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from qwen3_planner.cli.exit_codes import ExitCode
from qwen3_planner.cli.parameters import Named
from qwen3_planner.cli.question_options import (
    MISSING,
    Asked,
    question_options,
    read_question,
    source_named_as_typed,
    where_options,
)
from qwen3_planner.cli.writing import Listing, as_json, as_yaml, width, write
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from qwen3_planner.cli.question_options import Asking
    from qwen3_planner.upgrading.values import Upgrade


@click.command("upgrade-check")
@where_options
@click.option(
    "--from",
    "old",
    metavar="VERSION",
    help="That runs now.  [default: of the resource]",
)
@click.option(
    "--to", "new", metavar="VERSION", help="To upgrade to.  [default: newest that is tested]"
)
@click.option(
    "--extra-args",
    metavar="TEXT",
    help="Arguments you add to the plan's command.  [default: of the resource]",
)
@click.option(
    "-o",
    "--output",
    type=Named(Listing),
    default=Listing.TABLE,
    help="Form of the answer.  [default: table]",
)
@question_options
@click.option("--debug", is_flag=True, expose_value=False, hidden=True)
def upgrade_check(  # noqa: PLR0913 - one argument an option that is this command's own
    *,
    model: str | None,
    hardware: tuple[str, ...],
    filename: str | None,
    old: str | None,
    new: str | None,
    extra_args: str | None,
    output: Listing,
    **options: Any,  # noqa: ANN401 - each is converted by its own type above
) -> int:
    """Say what changes when the engine of a plan is upgraded, before it is.

    MODEL is planned with the old version; what that plan chose (weights, layout, context) is then
    planned again with the new one: budget, activations, graphs, KV cache, default scheduler sizes,
    legal layouts, rules, flags and environment.

    \b
    Does the plan of a resource hold with a newer engine?
      qwen3 upgrade-check -f resource.yaml --hardware 2xH100-SXM-80GB --to 0.32.0
    Without a resource:
      qwen3 upgrade-check Qwen3-32B --hardware 1xH100-SXM-80GB --from 0.11.0 --to 0.32.0

    Exit status: 0 nothing breaks, 3 the new version no longer holds the plan, 2 bad input,
    1 a defect.
    """  # noqa: D301 - \b is click's mark for lines to keep
    asked = Asked(**options)
    if asked.engine_version is not None:
        reason = "two versions are compared; give --from and --to"
        raise SpecError("--engine-version", asked.engine_version, reason)
    asking = read_question(model, hardware, filename, asked)
    if len(asking.alternatives) != 1:
        raise SpecError(
            "--hardware", " ".join(hardware), "name the hardware that the engine runs on"
        )
    arguments = _arguments(extra_args, asking)
    with source_named_as_typed(asking):
        upgrade = _check(asking, old, new, arguments)
    write(_render(upgrade, output))
    return ExitCode.PLAN if upgrade.holds else ExitCode.NO_PLAN


def _arguments(typed: str | None, asking: Asking) -> tuple[str, ...]:
    if typed is None:
        return asking.extra_args
    try:
        return tuple(shlex.split(typed))
    except ValueError as error:
        raise SpecError("--extra-args", typed, f"is no command line: {error}") from None


def _check(asking: Asking, old: str | None, new: str | None, arguments: tuple[str, ...]) -> Upgrade:
    from qwen3_planner.question import settle_engine  # noqa: PLC0415 - not needed for bad input
    from qwen3_planner.upgrading.checking import check_upgrade  # noqa: PLC0415 - as above

    request = asking.request
    old = old or request.engine_version
    if old is None:
        raise SpecError("--from", MISSING, "say which version runs now", ["0.11.0"])
    engine = asking.catalog.engine(settle_engine(request, asking.inventory).value)
    return check_upgrade(
        replace(request, engine_version=None),
        asking.inventory,
        asking.catalog,
        versions=(old, new or engine.default_version),
        extra_args=arguments,
    )


def _render(upgrade: Upgrade, output: Listing) -> str:
    if output is Listing.TABLE:
        from qwen3_planner.report.upgrade_text import upgrade_text  # noqa: PLC0415 - one form

        return upgrade_text(upgrade, width())
    from qwen3_planner.report.upgrade_json import upgrade_document  # noqa: PLC0415 - one form

    document = upgrade_document(upgrade)
    return as_json(document) if output is Listing.JSON else as_yaml(document)
