"""Write everything that is made from the API models and the commands, or check that it is fresh.

Usage: scripts/generate.py [--check]

With --check nothing is written; the exit code is 1 when a file differs, and each is named.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml
from dashboards import DASHBOARDS, grafana_json
from policy_catalog import policy_catalog
from rights_page import rights_page
from rules_page import rules_page

from qwen3_operator import __main__ as operator_program
from qwen3_planner.api import reasons
from qwen3_planner.api.crd import custom_resource_definition
from qwen3_planner.api.reference import reasons_page, resource_page
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.cli import program

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
_HEADER = "# Written by `make generate` from planner/qwen3_planner/api; do not edit.\n"


def generated() -> dict[str, str]:
    """Return the text of every generated file by its path in the repository."""
    catalog = load_catalog()
    crd = custom_resource_definition(catalog)
    crd_text = _HEADER + _yaml(crd)
    return {
        "crds/serving.qwen3.dev_qwen3deployments.yaml": crd_text,
        "charts/qwen3-operator/files/crd.yaml": crd_text,
        "charts/qwen3-operator/files/policy-catalog.json": policy_catalog(catalog),
        "docs/reference/cli.md": cli_page(),
        "docs/reference/resource.md": resource_page(crd),
        "docs/reference/rights.md": rights_page(),
        "docs/reference/rules.md": rules_page(),
        "docs/reference/reasons.md": reasons_page(Path(reasons.__file__).read_text("utf-8")),
        **{
            f"charts/qwen3-operator/dashboards/{dashboard.uid}.json": grafana_json(dashboard)
            for dashboard in DASHBOARDS
        },
    }


def cli_page() -> str:
    """Describe every command with its options, as Markdown.

    Written from the commands' parameters and not from their ``--help``: how that is wrapped depends
    on click's version and on the terminal.
    """
    note = "<!-- Written by `make generate` from the commands' own help; do not edit. -->"
    lines = ["# Command line", "", note, ""]
    for command, name in ((program.qwen3, "qwen3"), (operator_program.main, "qwen3-operator")):
        for context in _contexts(click.Context(command, info_name=name)):
            lines += _command_section(context)
    return "\n".join(lines).rstrip() + "\n"


def _contexts(context: click.Context) -> Iterator[click.Context]:
    """Walk a command and those below it."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None:
                yield from _contexts(click.Context(command, info_name=name, parent=context))


def _command_section(context: click.Context) -> list[str]:
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f"## {context.command_path}", "", "```text", usage, "```", ""]
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        text = paragraph.strip("\n")
        if text.startswith("\b\n"):  # click's mark for lines to keep
            lines += ["```text", text.removeprefix("\b\n"), "```", ""]
        else:
            lines += [" ".join(text.split()), ""]
    options = [o for o in command.params if isinstance(o, click.Option) and not o.hidden]
    rows = [f"| `{_spelled(o, context)}` | {_cell(o.help or '')} |" for o in options]
    return [*lines, "| option | meaning |", "|---|---|", *rows, ""] if rows else lines


def _spelled(option: click.Option, context: click.Context) -> str:
    metavar = "" if option.is_flag else f" {option.make_metavar(context)}"
    return _cell(", ".join(option.opts) + metavar)


def _cell(text: str) -> str:
    """Escape what ends a cell; click sets defaults off by two blanks."""
    return " ".join(text.split()).replace("|", "\\|")


def stale() -> list[str]:
    """Name the files whose text in the repository is not what would be written."""
    return [name for name, text in generated().items() if _read(ROOT / name) != text]


class _Dumper(yaml.SafeDumper):
    """Without anchors, and with long or quoted text as a block, which diffs well."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - the overridden signature
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "'" in text or "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _yaml(document: object) -> str:
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def main(arguments: list[str]) -> int:
    """Write or check; return an exit code."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    names = stale()
    if arguments:
        for name in names:
            print(f"{name} is stale: run `make generate`", file=sys.stderr)
        return 1 if names else 0
    texts = generated()
    for name in names:
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[name], "utf-8")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
