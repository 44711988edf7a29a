"""``qwen3 recommend``: which variant for which need, on this hardware."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import click

from qwen3_planner.cli.exit_codes import ExitCode
from qwen3_planner.cli.parameters import Amount, Named, Suggested, Whole
from qwen3_planner.cli.paying_options import (
    PayingAsked,
    paying_options,
    price_lists,
    read_paying,
    taken,
)
from qwen3_planner.cli.writing import Listing, as_json, as_yaml, width, write
from qwen3_planner.engines.sources import HUBS
from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.recommend.need import Need
from qwen3_planner.recommend.recommendation import Preference, Wish

if TYPE_CHECKING:
    from qwen3_planner.catalog.choosing import Choosing
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.economics.rates import Paying
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.recommend.policy import Policy
    from qwen3_planner.recommend.recommendation import Recommendation

HOURS_PER_MONTH = 730.5
LETTERS_OF_A_REGION = 2
ANY = "any"


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


@click.command
@click.option(
    "--hardware",
    type=Suggested("accelerators"),
    multiple=True,
    metavar="HARDWARE",
    help="[NODESx]COUNTxPRODUCT, an inventory file (.yaml) or local; several are one pool."
    "  [required]",
)
@click.option(
    "--need",
    "needs",
    type=Named(Need),
    multiple=True,
    help="What for; given several times, all must be met and the first decides.  [default: chat]",
)
@click.option(
    "-o",
    "--output",
    type=Named(Listing),
    default=Listing.TABLE,
    help="Form of the answer; json and yaml have every plan.  [default: table]",
)
@click.option("--users", type=Whole(), help="Requests in flight at once.  [default: 1]")
@click.option("--input-tokens", type=Whole(), help="Tokens of one prompt.")
@click.option("--output-tokens", type=Whole(), help="Tokens of one answer.")
@click.option("--thinking-tokens", type=Whole(), help="Generated before an answer when thinking.")
@click.option(
    "--thinking", type=Named(Switch), help="Think before answers.  [default: for reasoning, coding]"
)
@click.option("--context", type=Whole(), help="Longest request, tokens.  [default: native]")
@click.option("--ttft-ms", type=Amount(), help="Limit on the mean time to the first token.")
@click.option("--tpot-ms", type=Amount(), help="Limit on the mean time per token after it.")
@click.option("--budget-usd-per-hour", type=Amount(), help="Limit on what the GPUs cost.")
@click.option("--budget-usd-per-month", type=Amount(), help="The same for 730.5 hours.")
@click.option(
    "--prefer",
    type=Named(Preference),
    help="Of plans that do it.  [default: precision of the weights]",
)
@click.option("--region", help="ISO country code of where the hardware stands, for export rules.")
@click.option(
    "--export-licence", "licensed", multiple=True, help="Accelerator that a licence is held for."
)
@click.option("--allow-source", "sources", multiple=True, help="hf or modelscope.  [default: any]")
@click.option("--licence", "licences", multiple=True, help="Accepted licence.  [default: any]")
@click.option("--calibration", help="What was measured, or none.  [env: QWEN3_CALIBRATION]")
@paying_options
@click.option("--debug", is_flag=True, expose_value=False, hidden=True)
def recommend(*, hardware: tuple[str, ...], output: Listing, **options: Any) -> int:  # noqa: ANN401 - each is converted by its own type above
    """Rank the variants for a need on HARDWARE, each with its plan and what it gives up.

    Variants are ordered by published scores on one benchmark of the need, never by feeling; those
    without a score stand last. Each is planned: the most precise weights that hold the load within
    latency and budget. Whatever is not recommended is listed with its reason.

    \b
    What answers best for 20 people on one card?
      qwen3 recommend --hardware 1xL40S-48GB --users 20 --tpot-ms 40
    Coding with thinking, 4 GPUs, at most $10 an hour, Apache-2.0 only:
      qwen3 recommend --need coding --hardware 4xH100-SXM-80GB --thinking-tokens 4000 \\
        --budget-usd-per-hour 10 --licence apache-2.0
    From ModelScope, in China, with what is there:
      qwen3 recommend --hardware inventory.yaml --region CN --allow-source modelscope

    Exit status: 0 something does, 3 nothing does, 2 bad input, 1 a defect.
    """  # noqa: D301 - \b is click's mark for lines to keep
    from qwen3_planner.catalog.choosing import load_choosing  # noqa: PLC0415 - reads files
    from qwen3_planner.catalog.loading import load_catalog  # noqa: PLC0415 - as above
    from qwen3_planner.cli.calibrations import calibrated  # noqa: PLC0415 - not needed for help

    paying = read_paying(taken(PayingAsked, options))
    catalog = calibrated(load_catalog(), options["calibration"])
    choosing = load_choosing()
    inventory = _hardware(hardware, catalog)
    wish = _wish(options, paying, catalog, choosing)
    found = _found(wish, inventory, catalog, choosing)
    write(_said(found, output))
    return ExitCode.PLAN if found.options else ExitCode.NO_PLAN


def _hardware(typed: tuple[str, ...], catalog: Catalog) -> Inventory:
    from qwen3_planner.cli.reading import read_hardware  # noqa: PLC0415 - not needed for help
    from qwen3_planner.inventory.hardware import Inventory  # noqa: PLC0415 - as above

    if not typed:
        choices = ["1xH100-SXM-80GB", "inventory.yaml", "local"]
        raise SpecError("--hardware", "(missing)", "say what hardware there is", choices)
    if ANY in (name.strip().lower() for name in typed):
        reason = "variants are ranked on hardware that there is: name it"
        raise SpecError("--hardware", ANY, reason, ["1xH100-SXM-80GB", "inventory.yaml", "local"])
    read = [read_hardware(name, catalog) for name in typed]
    return Inventory(tuple(group for one in read for group in one.groups))


def _wish(options: dict[str, Any], paying: Paying, catalog: Catalog, choosing: Choosing) -> Wish:
    thinking = options["thinking"]
    if thinking is Switch.OFF and options["thinking_tokens"]:
        raise SpecError("--thinking-tokens", options["thinking_tokens"], "thinking is off")
    return Wish(
        needs=tuple(dict.fromkeys(options["needs"])) or (Need.CHAT,),
        policy=_policy(options, catalog, choosing),
        paying=paying,
        lists=price_lists(catalog),
        users=options["users"] or 1,
        input_tokens=options["input_tokens"],
        output_tokens=options["output_tokens"],
        thinking_tokens=options["thinking_tokens"] or 0,
        thinks=None if thinking is None else thinking is Switch.ON,
        context=options["context"],
        ttft_ms=options["ttft_ms"],
        tpot_ms=options["tpot_ms"],
        usd_per_hour=_budget(options, paying),
        prefers=options["prefer"] or Preference.PRECISION,
    )


def _budget(options: dict[str, Any], paying: Paying) -> float | None:
    hourly: float | None = options["budget_usd_per_hour"]
    monthly: float | None = options["budget_usd_per_month"]
    if hourly is not None and monthly is not None:
        reason = "the budget is given by --budget-usd-per-hour"
        raise SpecError("--budget-usd-per-month", f"{monthly:g}", reason)
    return hourly if monthly is None else monthly / HOURS_PER_MONTH / paying.utilization


def _policy(options: dict[str, Any], catalog: Catalog, choosing: Choosing) -> Policy:
    from qwen3_planner.catalog.resolving import resolve_accelerator  # noqa: PLC0415 - rare
    from qwen3_planner.recommend.policy import Policy  # noqa: PLC0415 - not needed for help

    region = (options["region"] or "").strip().upper()
    is_code = len(region) == LETTERS_OF_A_REGION and region.isascii() and region.isalpha()
    if options["region"] is not None and not is_code:
        reason = "must be an ISO country code of two letters, such as CN or DE"
        raise SpecError("--region", options["region"] or "(empty)", reason)
    known = sorted({row.licence for row in choosing.licences})
    _check("--allow-source", options["sources"], list(HUBS), "is no hub that is known here")
    _check("--licence", options["licences"], known, "is the licence of no checkpoint known here")
    licensed = [
        resolve_accelerator(name, catalog.accelerators, field="--export-licence").name
        for name in options["licensed"]
    ]
    return Policy(
        sources=frozenset(name.lower() for name in options["sources"]),
        licences=frozenset(options["licences"]),
        region=region,
        licensed=frozenset(licensed),
    )


def _check(option: str, typed: tuple[str, ...], known: list[str], reason: str) -> None:
    for name in typed:
        if name.lower() not in {one.lower() for one in known}:
            raise SpecError(option, name or "(empty)", reason, nearest_first(name, known))


def _found(
    wish: Wish, inventory: Inventory, catalog: Catalog, choosing: Choosing
) -> Recommendation:
    from qwen3_planner.recommend.recommending import recommend as rank  # noqa: PLC0415 - the planner

    if not sys.stderr.isatty():
        return rank(wish, inventory, catalog, choosing)
    with click.progressbar(length=len(catalog.models), label="variants", file=sys.stderr) as bar:
        return rank(wish, inventory, catalog, choosing, lambda _: bar.update(1))


def _said(found: Recommendation, output: Listing) -> str:
    from qwen3_planner.cli.clock import today  # noqa: PLC0415 - not needed for help

    if output is Listing.TABLE:
        from qwen3_planner.report.recommend_text import recommend_text  # noqa: PLC0415 - one form

        return recommend_text(found, today(), width())
    from qwen3_planner.report.recommend_json import recommend_document  # noqa: PLC0415 - one form

    document = recommend_document(found, today())
    return as_json(document) if output is Listing.JSON else as_yaml(document)
