"""Commands of ``kubectl qwen3``: what is typed, and in which form the answer is written."""

from __future__ import annotations

import functools
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.cli.exit_codes import ExitCode
from qwen3_planner.cli.parameters import Named
from qwen3_planner.cli.plugins import MISSING_EXTRA
from qwen3_planner.cli.reading import read_hardware
from qwen3_planner.cli.writing import Listing, as_json, as_yaml, width, write
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qwen3_operator.kubectl.connecting import Cluster
    from qwen3_operator.kubectl.load import Load
    from qwen3_operator.kubectl.looking import View
    from qwen3_operator.kubectl.whatif import Answer
    from qwen3_operator.observed import Key


def _as_kubectl_reads(
    _context: click.Context, _option: click.Parameter, typed: str | None
) -> str | None:
    """Take ``-n=NAME`` as kubectl does; click would take the sign for a part of the name."""
    return typed.removeprefix("=") if typed is not None else None


_PLACE = (
    click.option("--kubeconfig", metavar="FILE", help="Of the cluster.  [default: kubectl's own]"),
    click.option(
        "--context", metavar="NAME", help="Of the kubeconfig.  [default: its current one]"
    ),
    click.option(
        "-n",
        "--namespace",
        metavar="NAME",
        callback=_as_kubectl_reads,
        help="[default: the context's]",
    ),
)
_FORM = click.option(
    "-o",
    "--output",
    type=Named(Listing),
    default=Listing.TABLE,
    help="Form of the answer.  [default: table]",
)
_ALL = click.option("-A", "--all-namespaces", is_flag=True, help="Of all namespaces.")
_DEBUG = click.option("--debug", is_flag=True, expose_value=False, hidden=True)


def _about_a_cluster(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which cluster is meant; say so where the extra is missing."""

    @functools.wraps(command)
    def with_extra(**options: Any) -> int:  # noqa: ANN401 - each is converted by its own type
        try:
            status: int = command(**options)
        except ModuleNotFoundError as error:
            raise SpecError(command.__name__, f"(no {error.name})", MISSING_EXTRA) from None
        return status

    wrapped: Callable[..., Any] = with_extra
    for option in (_DEBUG, *reversed(_PLACE), _FORM):
        wrapped = option(wrapped)
    return wrapped


@click.command
@click.argument("name", required=False)
@_ALL
@_about_a_cluster
def status(  # noqa: PLR0913 - options of a command
    *,
    name: str | None,
    all_namespaces: bool,
    output: Listing,
    kubeconfig: str | None,
    context: str | None,
    namespace: str | None,
) -> int:
    """Show the models of a namespace, or one of them whole.

    \b
      kubectl qwen3 status
      kubectl qwen3 status qwen3-32b -n team-a
    """  # noqa: D301 - \b is click's mark for lines to keep
    from qwen3_operator.kubectl import showing  # noqa: PLC0415 - not needed for help
    from qwen3_operator.kubectl.connecting import Place, ask  # noqa: PLC0415 - as above
    from qwen3_operator.kubectl.looking import look, resource, resources  # noqa: PLC0415 - as above

    if name is not None and all_namespaces:
        raise SpecError("-A", "given", f"{name} is in one namespace: name that with -n")

    async def read(cluster: Cluster) -> View:
        where = None if all_namespaces else namespace or cluster.namespace
        if name is not None:
            bodies = [await resource(cluster.api, where or cluster.namespace, name)]
        else:
            bodies = await resources(cluster.api, where)
        return await look(cluster.api, bodies, where)

    view = ask(Place(kubeconfig, context), read)
    if output is not Listing.TABLE:
        _write_document(view.bodies[0] if name else {"items": list(view.bodies)}, output)
    elif name is not None:
        _write_lines(showing.status_lines(view.bodies[0], view, width()))
    else:
        _write_lines(showing.status_table(view, with_namespace=all_namespaces))
    return ExitCode.PLAN


@click.command
@click.argument("name")
@_about_a_cluster
def why(
    *,
    name: str,
    output: Listing,
    kubeconfig: str | None,
    context: str | None,
    namespace: str | None,
) -> int:
    """Say why a model is not ready, and why it is planned as it is and not otherwise.

    \b
      kubectl qwen3 why qwen3-32b
    """  # noqa: D301 - \b is click's mark for lines to keep
    from qwen3_operator.kubectl import showing  # noqa: PLC0415 - not needed for help
    from qwen3_operator.kubectl.connecting import Place, ask  # noqa: PLC0415 - as above
    from qwen3_operator.kubectl.looking import look, resource  # noqa: PLC0415 - as above

    async def read(cluster: Cluster) -> View:
        where = namespace or cluster.namespace
        return await look(cluster.api, [await resource(cluster.api, where, name)], where)

    view = ask(Place(kubeconfig, context), read)
    body = view.bodies[0]
    if output is Listing.TABLE:
        _write_lines(showing.why_lines(body, view, width()))
    else:
        _write_document(showing.why_document(body, view), output)
    return ExitCode.PLAN


@click.command
@click.option(
    "--over",
    "over_s",
    type=click.FloatRange(0, 60),
    default=3.0,
    metavar="SECONDS",
    help="Time over which tokens are counted; 0 asks no engine.  [default: 3]",
)
@_about_a_cluster
def top(
    *,
    over_s: float,
    output: Listing,
    kubeconfig: str | None,
    context: str | None,
    namespace: str | None,
) -> int:
    """Show the GPUs of every node, who holds them, what the models do now, and who waits.

    With -n only the models of that namespace are named; GPUs are always those of the whole cluster.

    \b
      kubectl qwen3 top
    """  # noqa: D301 - \b is click's mark for lines to keep
    from qwen3_operator.kubectl import topping  # noqa: PLC0415 - not needed for help
    from qwen3_operator.kubectl.connecting import Place, ask  # noqa: PLC0415 - as above
    from qwen3_operator.kubectl.looking import look, resources  # noqa: PLC0415 - as above
    from qwen3_operator.kubectl.metering import measure  # noqa: PLC0415 - as above

    async def read(cluster: Cluster) -> tuple[View, Mapping[Key, Load]]:
        view = await look(cluster.api, await resources(cluster.api, namespace), None)
        return view, await measure(cluster.api, view, over_s) if over_s else {}

    view, loads = ask(Place(kubeconfig, context), read)
    if output is Listing.TABLE:
        _write_lines(topping.top_lines(view, loads, width()))
    else:
        _write_document(topping.top_document(view, loads), output)
    return ExitCode.PLAN


@click.command
@click.option("--drain", multiple=True, metavar="NODE", help="Cordon a node and empty it.")
@click.option(
    "--add",
    multiple=True,
    metavar="HARDWARE",
    help="Add nodes: [NODESx]COUNTxPRODUCT, or an inventory file (.yaml).",
)
@click.option(
    "--apply",
    "applied",
    multiple=True,
    metavar="FILE",
    help="Apply Qwen3Deployments; - is stdin.",
)
@_about_a_cluster
def whatif(  # noqa: PLR0913 - options of a command
    *,
    drain: tuple[str, ...],
    add: tuple[str, ...],
    applied: tuple[str, ...],
    output: Listing,
    kubeconfig: str | None,
    context: str | None,
    namespace: str | None,
) -> int:
    """Say who is displaced, who starts running and who waits, before anything is done.

    The operator itself is run on a copy of the cluster; nothing is written to it. Options may be
    repeated and mixed: all changes are made at once.

    \b
      kubectl qwen3 whatif --drain gpu-node-3
      kubectl qwen3 whatif --add 1x8xH100-SXM-80GB
      kubectl qwen3 whatif --apply qwen3-32b.yaml
    """  # noqa: D301 - \b is click's mark for lines to keep
    from qwen3_operator.kubectl.connecting import Place, ask  # noqa: PLC0415 - as above
    from qwen3_operator.kubectl.outcomes import document  # noqa: PLC0415 - the operator is heavy
    from qwen3_operator.kubectl.whatif import Question, rehearse  # noqa: PLC0415 - as above
    from qwen3_operator.kubectl.whatif_text import to_text  # noqa: PLC0415 - as above

    if not (drain or add or applied):
        choices = ("--drain NODE", "--add 1x8xH100-SXM-80GB", "--apply FILE")
        raise SpecError("whatif", "(nothing)", "say what is to change", choices)
    catalog = load_catalog()
    question = Question(
        drained=drain,
        added=[(typed, read_hardware(typed, catalog, field="--add")) for typed in add],
        applied=[body for file in applied for body in _resources_in(file)],
    )
    asked = [
        *(("drain", node) for node in drain),
        *(("add", typed) for typed in add),
        *(("apply", file) for file in applied),
    ]

    async def play(cluster: Cluster) -> Answer:
        return await rehearse(cluster, question, namespace, datetime.now(UTC))

    if sys.stderr.isatty():
        click.echo("The operator plays it on a copy of the cluster …", err=True)
    answer = ask(Place(kubeconfig, context), play)
    if output is Listing.TABLE:
        write(to_text(asked, answer.changes, answer.evicted, answer.notes, width()))
    else:
        _write_document(document(asked, answer.changes, answer.evicted, answer.notes), output)
    return ExitCode.PLAN


def _resources_in(file: str) -> list[dict[str, Any]]:
    """Read the resources of a file.

    Raises:
        SpecError: the file cannot be read, is no YAML, or holds something else.
    """
    import yaml  # noqa: PLC0415 - not needed for help

    from qwen3_planner.api.v1alpha1 import KIND  # noqa: PLC0415 - as above

    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        found = [body for body in yaml.safe_load_all(text) if body is not None]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SpecError("--apply", file, f"cannot be read: {reason}") from None
    except yaml.YAMLError as error:
        raise SpecError("--apply", file, f"is no YAML: {str(error).splitlines()[0]}") from None
    if not found:
        raise SpecError("--apply", file, "holds no resource")
    for body in found:
        kind = body.get("kind") if isinstance(body, dict) else type(body).__name__
        if kind != KIND:
            raise SpecError("--apply", file, f"holds a {kind}; only {KIND} is rehearsed", (KIND,))
    return found


def _write_lines(lines: Sequence[str]) -> None:
    write("\n".join(lines) + "\n")


def _write_document(document: Any, output: Listing) -> None:  # noqa: ANN401 - any JSON
    write(as_json(document) if output is Listing.JSON else as_yaml(document))
