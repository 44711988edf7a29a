"""Command lines of two versions: what one parser takes and the other does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qwen3_planner.engines.sglang import flags as sglang_flags
from qwen3_planner.engines.vllm import flags as vllm_flags
from qwen3_planner.request import EngineName
from qwen3_planner.upgrading.values import FlagGone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from qwen3_planner.engines.flag_ranges import FlagRange
    from qwen3_planner.engines.versions import Version


class _Flags(NamedTuple):
    """What is known of an engine's flags: which releases take them, what became of them."""

    takes: Callable[[str, Version], bool]
    ranges: Callable[[], dict[str, FlagRange]]
    replaced_by: dict[str, str]


_FLAGS = {
    EngineName.VLLM: _Flags(vllm_flags.takes, vllm_flags.flag_ranges, vllm_flags.REPLACED_BY),
    EngineName.SGLANG: _Flags(
        sglang_flags.takes, sglang_flags.flag_ranges, sglang_flags.REPLACED_BY
    ),
}
"""Engines whose parsers are listed."""


def flags_gone(
    engine: EngineName, words: Sequence[str], version: Version, where: str
) -> tuple[FlagGone, ...]:
    """Name the flags of a command line that a version does not take.

    Short flags and those of an engine whose parsers are not listed are left alone.

    Args:
        engine: whose parser.
        words: of the command line.
        version: the new one.
        where: the words are from.
    """
    listed = _FLAGS.get(engine)
    if listed is None:
        return ()
    names = dict.fromkeys(flag_of(word) for word in words if word.startswith("--"))
    unknown = (name for name in names if not listed.takes(name, version))
    return tuple(_gone(name, where, listed, version) for name in unknown)


def _gone(flag: str, where: str, listed: _Flags, version: Version) -> FlagGone:
    known = listed.ranges().get(flag)
    has_left = known is not None and known.until is not None and known.until <= version
    since = str(known.until) if known is not None and has_left else ""
    return FlagGone(flag, where, since, listed.replaced_by.get(flag, ""))


def flag_of(word: str) -> str:
    """Return the long name of a flag that may carry its value, as the parser reads it.

    >>> flag_of("--max_num_seqs=8"), flag_of("--hf-overrides.rope_theta")
    ('--max-num-seqs', '--hf-overrides')
    """
    name = word.partition("=")[0].partition(".")[0]
    return "--" + name.removeprefix("--").replace("_", "-")


def words_that_differ(
    before: Sequence[str], after: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the options of either command line that the other lacks, each with its value.

    >>> words_that_differ(("a", "--x", "1", "--y"), ("a", "--x", "2", "--y"))
    (('--x 1',), ('--x 2',))
    """
    old, new = list(_options(before)), list(_options(after))
    removed = tuple(option for option in old if option not in new)
    return removed, tuple(option for option in new if option not in old)


def _options(words: Sequence[str]) -> Iterator[str]:
    """Join each flag with the value that follows it."""
    option = ""
    for word in words:
        if word.startswith("-") and option:
            yield option
            option = word
        elif option.startswith("-"):
            yield f"{option} {word}"
            option = ""
        else:
            if option:
                yield option
            option = word
    if option:
        yield option
