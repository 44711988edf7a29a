"""``qwen3 compare-api``: from which volume own GPUs are cheaper than a host's tokens."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import click

from qwen3_planner.cli.exit_codes import ExitCode
from qwen3_planner.cli.parameters import Amount, Named, Whole
from qwen3_planner.cli.paying_options import (
    PayingAsked,
    paying_options,
    price_lists,
    read_paying,
    taken,
)
from qwen3_planner.cli.question_options import (
    Asked,
    model_and_hardware,
    question_options,
    read_question,
)
from qwen3_planner.cli.writing import as_json, as_yaml, width, write
from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.request import Targets

if TYPE_CHECKING:
    from qwen3_planner.catalog.figures import ApiPrice
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.comparing.comparison import Comparison
    from qwen3_planner.plan import NoPlan

DEFAULT_INPUT_TOKENS = 1024
DEFAULT_OUTPUT_TOKENS = 256
_OWN = "as given"


class Shown(StrEnum):
    """Forms of a comparison."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    HTML = "html"


@click.command(name="compare-api")
@model_and_hardware
@click.option(
    "-o",
    "--output",
    type=Named(Shown),
    default=Shown.TABLE,
    help="Form of the answer; html draws the curve, json has it.  [default: table]",
)
@click.option(
    "--api", "apis", multiple=True, metavar="HOST", help="Only these hosts.  [default: all]"
)
@click.option(
    "--usd-per-million-input", type=Amount(), help="Of a host that you name the price of."
)
@click.option("--usd-per-million-output", type=Amount(), help="Likewise, of generated tokens.")
@click.option(
    "--usd-per-million-thinking", type=Amount(), help="Likewise, of all output in thinking mode."
)
@click.option(
    "--thinking-tokens", type=Whole(), help="Generated before an answer, in thinking mode."
)
@click.option("--requests-per-day", type=Whole(), help="Volume to judge.")
@click.option("--tokens-per-day", type=Whole(), help="The same in input and generated tokens.")
@click.option("--peak", type=Amount(), help="Busiest hour over the mean hour.  [default: 1]")
@paying_options
@question_options
@click.option("--debug", is_flag=True, expose_value=False, hidden=True)
def compare_api(
    *,
    model: str | None,
    hardware: tuple[str, ...],
    output: Shown,
    **options: Any,  # noqa: ANN401 - each is converted by its own type above
) -> int:
    """Say from which volume MODEL on HARDWARE is cheaper than hosts that sell its tokens.

    Replicas come whole: own GPUs cost a staircase, a host asks per token. A price list with
    source and date ships with the program; your own prices come before it.

    \b
    Qwen3-32B with and without thinking, against all hosts that are known:
      qwen3 compare-api Qwen3-32B --hardware 2xH100-SXM-80GB --thinking-tokens 1500
    200,000 requests a day, against one host, on GPUs that are bought:
      qwen3 compare-api Qwen3-32B --hardware 2xH100-SXM-80GB --api alibaba \\
        --requests-per-day 200000 --pricing purchase --usd-per-kwh 0.25
    The same in pictures, one file for a browser:
      qwen3 compare-api Qwen3-32B --hardware 2xH100-SXM-80GB -o html > cost.html
    Against a price of your own:
      qwen3 compare-api Qwen3-8B --hardware 1xL40S --usd-per-million-input 0.10 \\
        --usd-per-million-output 0.40

    Exit status: 0 compared, 3 the model does not fit, 2 bad input, 1 a defect.
    """  # noqa: D301 - \b is click's mark for lines to keep
    from qwen3_planner.comparing.comparing import (  # noqa: PLC0415 - not needed for help
        compare,
        modes_of,
    )
    from qwen3_planner.comparing.wish import Wish  # noqa: PLC0415 - as above
    from qwen3_planner.economics.hosts import Usage  # noqa: PLC0415 - as above
    from qwen3_planner.plan import NoPlan  # noqa: PLC0415 - as above

    paying = read_paying(taken(PayingAsked, options))
    asked: Asked = taken(Asked, options)
    _refuse_contradictions(asked, options)
    asking = read_question(model, hardware, None, asked)
    if len(asking.alternatives) != 1:
        typed = ", ".join(name for name, _ in asking.alternatives) or "any"
        raise SpecError("--hardware", typed, "costs are compared on one kind of hardware: name it")
    usage = Usage(
        asked.input_tokens or DEFAULT_INPUT_TOKENS,
        asked.output_tokens or DEFAULT_OUTPUT_TOKENS,
        options["thinking_tokens"] or 0,
    )
    model_row = asking.catalog.model(asking.request.model)
    modes_of(model_row, usage)  # before any price is sought
    if model_row.is_pooling and asked.output_tokens is not None:
        reason = f"{model_row.name} yields no text: leave it out"
        raise SpecError("--output-tokens", asked.output_tokens, reason)
    wish = Wish(
        usage=usage,
        hosts=_hosts(model_row, options),
        paying=paying,
        lists=price_lists(asking.catalog),
        concurrency=asked.concurrency,
        ttft_ms=asked.ttft_ms,
        tpot_ms=asked.tpot_ms,
        peak=_peak(options["peak"]),
        requests_per_day=options["requests_per_day"],
        tokens_per_day=options["tokens_per_day"],
    )
    # how full a replica may be is sought here: it is no limit on the plan at one load
    request = replace(asking.request, targets=Targets(), replicas_are_open=False)
    found = compare(request, asking.inventory, asking.catalog, wish)
    write(_said(found, output))
    return ExitCode.NO_PLAN if isinstance(found, NoPlan) else ExitCode.PLAN


def _refuse_contradictions(asked: Asked, options: dict[str, Any]) -> None:
    if options["requests_per_day"] is not None and options["tokens_per_day"] is not None:
        typed = options["tokens_per_day"]
        raise SpecError("--tokens-per-day", typed, "the volume is given by --requests-per-day")
    for option in ("--output-tokens-per-second", "--requests-per-second", "--objective"):
        if option in asked.given:
            raise SpecError(option, "(given)", "the volume is given by --requests-per-day")
    if asked.replicas is not None:
        reason = "follows from the volume; leave it out"
        raise SpecError("--replicas", asked.replicas, reason)


def _peak(typed: float | None) -> float:
    if typed is not None and typed < 1:
        raise SpecError("--peak", f"{typed:g}", "the busiest hour is at least as busy as the mean")
    return typed or 1.0


def _hosts(model: ModelArchitecture, options: dict[str, Any]) -> tuple[ApiPrice, ...]:
    """Return the prices to compare with: the user's own, or those of the list."""
    from qwen3_planner.catalog.figures import ApiPrice  # noqa: PLC0415 - not needed for help
    from qwen3_planner.catalog.loading import load_api_prices  # noqa: PLC0415 - reads a file

    variant = model.name
    entered, produced = options["usd_per_million_input"], options["usd_per_million_output"]
    if model.is_pooling and produced is None and entered is not None:
        produced = 0.0  # what yields no text is sold by what it reads
    thinking, apis = options["usd_per_million_thinking"], options["apis"]
    own: tuple[ApiPrice, ...] = ()
    if any(value is not None for value in (entered, produced, thinking)):
        if entered is None or produced is None:
            missing = "--usd-per-million-input" if entered is None else "--usd-per-million-output"
            raise SpecError(missing, "(missing)", "a host's price has two parts: input and output")
        own = (ApiPrice(variant, _OWN, entered, produced, "the command line", "", thinking),)
        if not apis:
            return own
    known = [row for row in load_api_prices() if row.variant == variant]
    names = list(dict.fromkeys(row.provider for row in known))
    for name in apis:
        if name.lower() not in (known_name.lower() for known_name in names):
            reason = f"no price of {variant} at that host is known here"
            raise SpecError("--api", name, reason, nearest_first(name, names))
    wanted = {name.lower() for name in apis}
    listed = tuple(row for row in known if not wanted or row.provider.lower() in wanted)
    if not listed:
        reason = f"no host's price of {variant} is known here: give one, with its output price"
        raise SpecError("--usd-per-million-input", "(missing)", reason)
    return own + listed


def _said(found: Comparison | NoPlan, output: Shown) -> str:
    from qwen3_planner.cli.clock import today  # noqa: PLC0415 - not needed for help
    from qwen3_planner.plan import NoPlan  # noqa: PLC0415 - as above

    if output is Shown.HTML:
        return _drawn(found)
    if isinstance(found, NoPlan):
        from qwen3_planner.report.plan_json import to_document  # noqa: PLC0415 - rare
        from qwen3_planner.report.text import to_text  # noqa: PLC0415 - rare

        if output is Shown.TABLE:
            return to_text(found, width())
        document = to_document(found)
    elif output is Shown.TABLE:
        from qwen3_planner.report.compare_text import compare_text  # noqa: PLC0415 - one form

        return compare_text(found, today(), width())
    else:
        from qwen3_planner.report.compare_json import compare_document  # noqa: PLC0415 - as above

        document = compare_document(found, today())
    return as_json(document) if output is Shown.JSON else as_yaml(document)


def _drawn(found: Comparison | NoPlan) -> str:
    from qwen3_planner.cli.clock import today  # noqa: PLC0415 - one form of many
    from qwen3_planner.cli.drawing import command_line  # noqa: PLC0415 - as above
    from qwen3_planner.plan import NoPlan  # noqa: PLC0415 - as above
    from qwen3_planner.report.html.compare_page import compare_html  # noqa: PLC0415 - as above
    from qwen3_planner.report.html.plan_page import Pictured, to_html  # noqa: PLC0415 - as above

    if isinstance(found, NoPlan):
        return to_html(Pictured(found, command_line()))
    return compare_html(found, today(), command_line())
