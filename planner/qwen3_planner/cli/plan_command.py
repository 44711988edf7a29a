"""``qwen3 plan``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import click

from qwen3_planner.cli.exit_codes import ExitCode
from qwen3_planner.cli.parameters import Named
from qwen3_planner.cli.plugins import is_kubectl_plugin
from qwen3_planner.cli.question_options import (
    Asked,
    question_options,
    read_question,
    source_named_as_typed,
    where_options,
)
from qwen3_planner.cli.reading import CLUSTER
from qwen3_planner.cli.writing import (
    Output,
    as_json,
    as_yaml,
    can_say,
    is_terminal,
    width,
    write,
)
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.cli.question_options import Asking
    from qwen3_planner.explanation import Explanation
    from qwen3_planner.fronts import FrontPoint
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.offering import Offer
    from qwen3_planner.plan import PlanResult
    from qwen3_planner.report.peers import Peers
    from qwen3_planner.request import PlanRequest


class Peer(StrEnum):
    """Other planners that can be asked."""

    AIC = "aic"


@click.command
@where_options
@click.option(
    "-o",
    "--output",
    type=Named(Output),
    default=Output.TABLE,
    help="Form of the answer.  [default: table]",
)
@click.option(
    "--cluster",
    is_flag=True,
    help="Take the current kubeconfig's cluster; kubectl qwen3 does by itself.",
)
@click.option(
    "--explain", is_flag=True, help="Show how each figure adds up, and where it comes from."
)
@click.option(
    "--pareto",
    is_flag=True,
    help="Show what no other layout, format and load beats in latency, throughput and cost.",
)
@click.option(
    "--compare", type=Named(Peer), default=None, help="Another planner's figures beside ours."
)
@question_options
@click.option("--debug", is_flag=True, expose_value=False, hidden=True)
def plan(  # noqa: PLR0913 - options of a command
    *,
    model: str | None,
    hardware: tuple[str, ...],
    filename: str | None,
    cluster: bool,
    output: Output,
    explain: bool,
    pareto: bool,
    compare: Peer | None,
    **options: Any,  # noqa: ANN401 - each is converted by its own type above
) -> int:
    """Plan MODEL on HARDWARE: quantization, layout, context, memory and the engine's command.

    MODEL is a catalog name (Qwen3-32B), a Hugging Face id (Qwen/Qwen3-32B-FP8) or a local folder
    with a config.json. What you give is binding; what you leave out is planned.

    \b
    Does it fit, and how?
      qwen3 plan Qwen3-32B --hardware 2xH100-SXM-80GB
    Two nodes of eight, 64 requests of 4096 + 1024 tokens at once:
      qwen3 plan Qwen3-235B-A22B --hardware 2x8xH100-SXM-80GB \\
        --concurrency 64 --input-tokens 4096 --output-tokens 1024
    The resource to apply, and its plan again from the resource:
      qwen3 plan Qwen3-8B --hardware 1xL40S -o manifest > qwen3-8b.yaml
      qwen3 plan -f qwen3-8b.yaml --hardware 1xL40S
    Latency against throughput against cost, whatever the layout and the load:
      qwen3 plan Qwen3-32B --hardware 8xH100-SXM-80GB --pareto
    Which hardware would do?
      qwen3 plan Qwen3-32B --hardware any --quantization bf16 --max-model-len 40960
    In pictures, one file for a browser:
      qwen3 plan Qwen3-32B --hardware 2xH100-SXM-80GB --concurrency 32 -o html > plan.html
    What aiconfigurator says of the same layout and load (extra [aic]):
      qwen3 plan Qwen3-32B --hardware 2xH100-SXM-80GB --concurrency 16 --compare aic
    On what the cluster of the current kubeconfig has, free or not:
      qwen3 plan Qwen3-32B --cluster
    Every figure as a sum, with its source:
      qwen3 plan Qwen3-8B --hardware 1xL40S --explain

    Exit status: 0 a plan, 3 no feasible plan, 2 bad input, 1 a defect.
    """  # noqa: D301 - \b is click's mark for lines to keep
    if compare is not None and output in (Output.MANIFEST, Output.HTML):
        forms = [Output.TABLE.value, Output.JSON.value, Output.YAML.value]
        raise SpecError("--compare", f"-o {output.value}", "it has no place for it", forms)
    for option, is_given in (("--explain", explain), ("--pareto", pareto)):
        if is_given and output is Output.MANIFEST:
            reason = "a resource has no place for it"
            forms = [form.value for form in Output if form is not Output.MANIFEST]
            raise SpecError(option, f"-o {output.value}", reason, forms)
    if cluster or (is_kubectl_plugin() and not hardware):
        hardware = (*hardware, CLUSTER)
    asking = read_question(model, hardware, filename, Asked(**options))
    with source_named_as_typed(asking):
        return answer(
            asking, output, explained=explain, compared=compare is not None, fronted=pareto
        )


def answer(
    asking: Asking,
    output: Output,
    *,
    explained: bool,
    compared: bool = False,
    fronted: bool = False,
) -> int:
    """Plan, write the answer to stdout, and return the exit status."""
    from qwen3_planner import planning  # noqa: PLC0415 - not needed for bad input
    from qwen3_planner.plan import NoPlan  # noqa: PLC0415 - as above

    offers, result, inventory = _answered(asking)
    explanation = None
    if explained:
        explanation = planning.explain(asking.request, inventory, asking.catalog)
    if output is Output.HTML:
        from qwen3_planner.cli.drawing import plan_page  # noqa: PLC0415 - one form of many

        write(plan_page(asking, result, inventory, explanation, offers))
    else:
        peers = _peers(result, asking) if compared else ()
        points = None
        if fronted:
            from qwen3_planner.fronts import front  # noqa: PLC0415 - only where asked for

            points = front(asking.request, inventory, asking.catalog)
        write(render(result, asking.request, output, explanation, offers, peers, points))
    _warn_of_old_prices(result)
    return ExitCode.NO_PLAN if isinstance(result, NoPlan) else ExitCode.PLAN


def _peers(result: PlanResult, asking: Asking) -> Peers:
    """Ask the other planner about our plan; nothing where there is none, or no speed."""
    from qwen3_planner.peers.asking import ask, question_of  # noqa: PLC0415 - 850 MB elsewhere
    from qwen3_planner.plan import Plan  # noqa: PLC0415 - as above

    question = question_of(result, asking.catalog) if isinstance(result, Plan) else None
    return () if question is None else (ask(question, asking.catalog),)


def _warn_of_old_prices(result: PlanResult) -> None:
    """Say on stderr that a price list is too old to rely on: the planner has no clock."""
    from qwen3_planner.plan import Plan  # noqa: PLC0415 - not needed for bad input

    if isinstance(result, Plan) and result.cost is not None and result.cost.price_as_of:
        from qwen3_planner.cli.clock import today  # noqa: PLC0415 - not needed for bad input
        from qwen3_planner.economics.renting import age_warning  # noqa: PLC0415 - as above

        warning = age_warning(result.cost.price_as_of, today())
        if warning:
            click.echo(f"warning: {warning}", err=True)


def _answered(asking: Asking) -> tuple[tuple[Offer, ...], PlanResult, Inventory]:
    """Plan on the hardware that is named, or compare several."""
    if len(asking.alternatives) == 1:
        from qwen3_planner.planning import plan as find_plan  # noqa: PLC0415 - as above

        inventory = asking.inventory
        return (), find_plan(asking.request, inventory, asking.catalog), inventory
    from qwen3_planner.offering import any_hardware, offering_of  # noqa: PLC0415 - rare

    if asking.alternatives:
        found = offering_of(asking.request, asking.alternatives, asking.catalog)
    else:
        found = any_hardware(asking.request, asking.catalog)
    return found.offers, found.answer, found.inventory


def render(  # noqa: PLR0913, PLR0917 - parts of an answer
    result: PlanResult,
    request: PlanRequest,
    output: Output,
    explanation: Explanation | None = None,
    offers: tuple[Offer, ...] = (),
    peers: Peers = (),
    points: Sequence[FrontPoint] | None = None,
) -> str:
    """Say the answer in the form that is asked for.

    There is no resource to apply where nothing fits: ``manifest`` then says nothing on stdout.
    """
    from qwen3_planner.plan import Plan  # noqa: PLC0415 - not needed for bad input
    from qwen3_planner.report.text import to_text  # noqa: PLC0415 - as above

    if output is Output.TABLE:
        from qwen3_planner.report.memory_text import BLOCKS  # noqa: PLC0415 - as above

        text = to_text(
            result,
            width(),
            styled=is_terminal(),
            blocks=can_say(BLOCKS),
            explanation=explanation,
            offers=offers,
            peers=peers,
        )
        if points is None:
            return text
        from qwen3_planner.report.front import front_text  # noqa: PLC0415 - only where asked for

        return f"{text}\n{front_text(points, width())}"
    if output is Output.MANIFEST:
        from qwen3_planner.report.manifest import to_manifest  # noqa: PLC0415 - as above

        if isinstance(result, Plan):
            return as_yaml(to_manifest(request, result))
        click.echo(to_text(result), nl=False, err=True)
        return ""
    from qwen3_planner.report.plan_json import to_document  # noqa: PLC0415 - as above

    document = to_document(result, explanation, offers, peers)
    if points is not None:
        from qwen3_planner.report.front import front_document  # noqa: PLC0415 - as above

        document["pareto"] = front_document(points)
    return as_json(document) if output is Output.JSON else as_yaml(document)
