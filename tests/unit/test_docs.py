"""README and docs say what is true: what they show is run, what they link to exists.

- A ``console`` block is run where its lines begin with ``$ qwen3``; what it prints must be what the
  page shows. A line ``...`` stands for any number of lines, ``$ echo $?`` for the exit status.
- A ``yaml`` block whose first line is ``# name.yaml`` is that file for the page's commands, and so
  is a ``text`` block that begins with ``# name.log``.
- Blocks of ``python`` with a prompt are doctests; ``json`` and ``yaml`` blocks parse, and what says
  that it is a Qwen3Deployment is one.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from qwen3_operator.desired import labels
from qwen3_operator.observed import DEPLOYMENT_LABEL, PLAN_HASH_LABEL
from qwen3_planner.api.conversion import parse
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.cli import main
from qwen3_planner.inventory.document import AcceleratorEntry, NodeEntry
from qwen3_planner.sizing.modules import parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
MAX_LINES = 130
GENERATED = "<!-- Written by `make "

_FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_REDIRECT = re.compile(r"^(.*\S)\s*>\s*(\S+)$")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    return [
        Block(page, text.count("\n", 0, m.start()) + 1, m.group(1), m.group(2))
        for m in _FENCE.finditer(text)
    ]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
YAML_BLOCKS = [block for block in BLOCKS if block.language == "yaml"]


@dataclass(frozen=True)
class Step:
    """A command line with the lines that the page shows below it."""

    command: str
    shown: tuple[str, ...]


def steps_of(text: str) -> list[Step]:
    r"""Cut a console block into its commands.

    >>> steps_of("$ a \\\n  --b\nx\n$ c\n")
    [Step(command='a --b', shown=('x',)), Step(command='c', shown=())]
    """
    steps: list[tuple[str, list[str]]] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line.removeprefix("$ ")
            while command.endswith("\\"):
                command = f"{command[:-1].rstrip()} {next(lines).strip()}"
            steps.append((command, []))
        elif steps:
            steps[-1][1].append(line.rstrip())
    return [Step(command, tuple(shown)) for command, shown in steps]


CONSOLES = [b for b in BLOCKS if b.language == "console" and "$ qwen3 " in b.text]


def is_shown(output: str, shown: tuple[str, ...]) -> bool:
    r"""Compare what was printed with what the page shows; ``...`` stands for any lines.

    >>> is_shown("a\nb\nc\n", ("a", "...")), is_shown("a\nb\n", ("a",))
    (True, False)
    """
    lines = [line.rstrip() for line in output.splitlines()]
    pattern = "".join(r"(?:.*\n)*?" if s == "..." else re.escape(s) + r"\n" for s in shown)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


class Shell:
    """What the pages need of one: qwen3, a redirection, ``echo $?`` and ``cat``."""

    def __init__(self) -> None:
        self.status = 0

    def run(self, command: str) -> str | None:
        """Return what the command prints; None for commands that are not run here."""
        redirect = _REDIRECT.match(command)
        line, target = redirect.groups() if redirect else (command, None)
        if line == "echo $?":
            return f"{self.status}\n"
        words = shlex.split(line)
        if words[0] == "cat":
            return "".join(Path(word).read_text("utf-8") for word in words[1:])
        if words[0] != "qwen3":
            return None
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            self.status = main(words[1:])
        if target is None:
            return printed.getvalue()
        Path(target).write_text(printed.getvalue(), "utf-8")
        return ""


@pytest.fixture
def folder_of_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the examples, as in a clone."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files_of(page: Path) -> Iterator[tuple[str, str]]:
    """Name the files that a page shows, by the comment in their first line."""
    for block in blocks_of(page):
        first = block.text.partition("\n")[0]
        if block.language in ("yaml", "text") and re.fullmatch(r"# \S+\.(yaml|log)", first):
            yield first.removeprefix("# "), block.text


@pytest.mark.parametrize("block", CONSOLES, ids=str)
def test_what_a_page_shows_is_what_is_printed(block: Block, folder_of_the_reader: Path) -> None:
    for name, text in files_of(block.page):
        (folder_of_the_reader / name).write_text(text, "utf-8")
    shell = Shell()
    for step in steps_of(block.text):
        printed = shell.run(step.command)
        if printed is not None:
            assert is_shown(printed, step.shown), f"$ {step.command}\n{printed}"


def test_the_pages_show_commands() -> None:
    assert len(CONSOLES) >= 10
    assert any(block.page.name == "README.md" for block in CONSOLES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_resolves(page: Path) -> None:
    prose = _FENCE.sub("", page.read_text("utf-8"))
    for target in _LINK.findall(prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors_of(linked), target


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    titles = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_short_enough_to_be_read(page: Path) -> None:
    text = page.read_text("utf-8")
    assert GENERATED in text or text.count("\n") <= MAX_LINES


def test_every_page_is_listed_in_the_index() -> None:
    index = (DOCS / "index.md").read_text("utf-8")
    linked = {(DOCS / target.partition("#")[0]).resolve() for target in _LINK.findall(index)}
    for page in DOCS.rglob("*.md"):
        if page.name != "index.md" and page.parent.name != "adr":
            assert page in linked, page


@pytest.mark.parametrize("block", YAML_BLOCKS, ids=str)
def test_every_yaml_block_is_yaml_and_every_resource_a_resource(block: Block) -> None:
    for document in yaml.safe_load_all(block.text):
        if isinstance(document, dict) and document.get("kind") == "Qwen3Deployment":
            document["metadata"].setdefault("namespace", "default")
            assert parse(document).metadata.name == document["metadata"]["name"]


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "json"], ids=str)
def test_every_json_block_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_in_python_runs(page: Path) -> None:
    text = "".join(block.text for block in blocks_of(page) if block.language == "python")
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    said = io.StringIO()
    runner = doctest.DocTestRunner()
    runner.run(test, out=said.write)
    assert runner.failures == 0, said.getvalue()


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for block in BLOCKS:
        if block.language in {"", "sh", "console"}:
            for target in re.findall(
                r"^(?:\$ )?(?:\w+=\S+ )*make ([a-z-]+)", block.text, re.MULTILINE
            ):
                assert target in targets, f"{block}: make {target}"


def claimed_checkpoints(page: str) -> set[tuple[str, str]]:
    """Return the (variant, quantization) pairs that a page's table says yes to."""
    text = (ROOT / page).read_text("utf-8")
    header = re.search(r"^\| variant \|(.*)\|$", text, re.MULTILINE)
    assert header is not None
    columns = [cell.strip() for cell in header.group(1).split("|")]
    rows = re.findall(r"^\| (Qwen3-\S+) \|((?: (?:yes|-) \|)+.*)$", text, re.MULTILINE)
    claimed = set()
    for variant, cells in rows:
        found = [cell.strip() for cell in cells.strip().strip("|").split("|")]
        for column, cell in zip(columns, found, strict=True):
            if column == "gguf":
                claimed |= {(variant, f"gguf:{kind}") for kind in cell.split() if kind != "-"}
            elif cell == "yes":
                claimed.add((variant, column))
    return claimed


def test_the_models_page_claims_the_checkpoints_of_the_catalog() -> None:
    known = {(row.variant, row.quantization) for row in load_catalog().checkpoints if row.official}
    assert claimed_checkpoints("docs/reference/models.md") == known


def test_the_models_page_counts_the_parameters_of_every_variant() -> None:
    text = (ROOT / "docs/reference/models.md").read_text("utf-8")
    counts = dict(re.findall(r"^\| (Qwen3-\S+) \| ([\d,]+) \|", text, re.MULTILINE))
    assert counts == {row.name: f"{parameters(row):,}" for row in load_catalog().models}


def keys_of(document: object) -> Iterator[str]:
    """Name every key of a JSON document; below env and provenance they are values."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield key
            if key == "provenance":
                yield from keys_of(list(value.values()))
            elif key != "env":
                yield from keys_of(value)
    elif isinstance(document, list):
        for value in document:
            yield from keys_of(value)


@pytest.mark.parametrize(
    "arguments",
    [
        ("Qwen3-32B", "--hardware", "2xH100-SXM-80GB", "--served-name", "q", "--revision", "main"),
        ("Qwen3-235B-A22B", "--hardware", "4xA100-SXM-80GB", "--quantization", "bf16"),
        ("Qwen3-8B", "--hardware", "1xRTX-PRO-6000-96GB", "--engine-version", "0.28.0"),
        ("Qwen3-8B", "--hardware", "1xL40S-48GB", "--lora", "a=hf://t/a"),
    ],
)
def test_the_page_of_the_json_names_every_key(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    page = (DOCS / "reference" / "plan-json.md").read_text("utf-8")
    main(["plan", *arguments, "-o", "json"])
    document = json.loads(capsys.readouterr().out)

    missing = {key for key in keys_of(document) if not re.search(rf"\b{key}\b", page)}

    assert not missing


@pytest.mark.parametrize("entry", [AcceleratorEntry, NodeEntry])
def test_the_page_of_the_inventory_names_every_field(
    entry: type[AcceleratorEntry | NodeEntry],
) -> None:
    page = (DOCS / "reference" / "inventory-file.md").read_text("utf-8")
    for name in entry.model_fields:
        assert f"`{name}`" in page, name


def test_the_page_of_the_labels_names_every_label() -> None:
    page = (DOCS / "reference" / "labels-and-annotations.md").read_text("utf-8")
    ours = {DEPLOYMENT_LABEL, PLAN_HASH_LABEL, labels.VARIANT, labels.ROLE, labels.POOL}
    for name in {*ours, labels.APPLIED, *labels.selector("x")}:
        assert f"`{name}`" in page, name
