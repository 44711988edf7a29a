"""``qwen3 check-claims``: true, false or only if, with the arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from qwen3_planner.cli.exit_codes import ExitCode
from qwen3_planner.cli.parameters import Named
from qwen3_planner.cli.writing import Listing, as_json, as_yaml, width, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.claims.claim import Claim, Finding


@click.command(name="check-claims")
@click.argument("FILE", metavar="[FILE]", required=False)
@click.option(
    "-o",
    "--output",
    type=Named(Listing),
    default=Listing.TABLE,
    help="Form of the verdicts.  [default: table]",
)
@click.option("--debug", is_flag=True, expose_value=False, hidden=True)
def check_claims(*, file: str | None, output: Listing) -> int:
    """Judge what is said about Qwen3: true, false or only if, with the arithmetic.

    FILE is a YAML or JSON document of claims; without one, what is often said is judged.

    \b
    qwen3 check-claims
    qwen3 check-claims claims.yaml -o json
    """  # noqa: D301 - \b is click's mark for lines to keep
    from qwen3_planner.catalog.loading import load_catalog, load_claims  # noqa: PLC0415 - reads files
    from qwen3_planner.claims.judging import judge_claim  # noqa: PLC0415 - the whole planner
    from qwen3_planner.claims.reading import parse_claims  # noqa: PLC0415 - pydantic
    from qwen3_planner.cli.reading import read_yaml  # noqa: PLC0415 - as above

    catalog = load_catalog()
    document = load_claims() if file is None else read_yaml(file, field="FILE")
    judged = [(claim, judge_claim(claim, catalog)) for claim in parse_claims(document, catalog)]
    if output is Listing.TABLE:
        write("\n".join(_lines(judged, width())) + "\n")
    else:
        listing = {"claims": [_document(claim, finding) for claim, finding in judged]}
        write(as_json(listing) if output is Listing.JSON else as_yaml(listing))
    return ExitCode.PLAN


def _document(claim: Claim, finding: Finding) -> dict[str, object]:
    return {
        "id": claim.name,
        "text": claim.text,
        "verdict": finding.verdict.value,
        "why": finding.why,
        "arithmetic": list(finding.arithmetic),
    }


def _lines(judged: Sequence[tuple[Claim, Finding]], columns: int) -> Iterator[str]:
    from qwen3_planner.report.table import labelled, wrapped  # noqa: PLC0415 - not needed for JSON

    for index, (claim, finding) in enumerate(judged):
        if index:
            yield ""
        yield from wrapped(f"{claim.text} ({claim.name})", columns)
        yield from labelled(f"  {finding.verdict.value}", finding.why, columns, 11)
        for line in finding.arithmetic:
            yield from wrapped(line, columns, " " * 11, " " * 13)
