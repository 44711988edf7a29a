"""HTML and SVG put together from parts, everything that is not markup escaped on the way."""

from __future__ import annotations

from typing import TypeAlias

VOID = frozenset({"br", "input", "link", "meta"})
"""Elements without an end tag."""

ENDS_LINE = frozenset(
    {"circle", "div", "figure", "h1", "h2", "head", "header", "li", "line", "meta", "p", "path"}
    | {"rect", "section", "style", "summary", "text", "tr"}
)
"""Elements after which a line of the file ends, so that a difference between two pages is short."""

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_NOT_TEXT = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160)), "\ufffd")
"""Control characters, which no HTML document may hold."""

_TABLE = str.maketrans(_ESCAPES) | _NOT_TEXT


class Markup(str):
    """Text that is HTML or SVG already."""

    __slots__ = ()


Content: TypeAlias = "str | Markup"
"""What an element may hold: markup as it is, any other text escaped."""

NOTHING = Markup()


def escape(text: Content) -> Markup:
    """Make any text safe as content and as the value of an attribute; leave markup as it is.

    >>> escape("<b> & 'c'"), escape(Markup("<b>"))
    ('&lt;b&gt; &amp; &#39;c&#39;', '<b>')
    """
    return text if isinstance(text, Markup) else Markup(text.translate(_TABLE))


def join(*parts: Content) -> Markup:
    """Put contents one after the other."""
    return Markup("".join(map(escape, parts)))


def tag(name: str, /, *contents: Content, **attributes: str | float | bool | None) -> Markup:
    """Build an element.

    Args:
        name: of the element.
        contents: of it.
        attributes: ``class_`` and ``for_`` lose their underscore, others become hyphens. What is
            None or False is left out, what is True has no value; numbers have two decimals at most.

    >>> tag("a", "b < c", class_="d", data_e=1.50, hidden=False)
    '<a class="d" data-e="1.5">b &lt; c</a>'
    """
    said = "".join(
        _attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items()
    )
    end = "\n" if name in ENDS_LINE else ""
    if name in VOID:
        return Markup(f"<{name}{said}>{end}")
    return Markup(f"<{name}{said}>{join(*contents)}</{name}>{end}")


def _attribute(key: str, value: str | float | bool | None) -> str:  # noqa: FBT001 - a value, not a switch
    if value is None or value is False:
        return ""
    if value is True:
        return f" {key}"
    said = value if isinstance(value, str) else coordinate(value)
    return f' {key}="{escape(said)}"'


def coordinate(value: float) -> str:
    """Write a number with two decimals at most, the same on every machine.

    >>> coordinate(3.0), coordinate(-0.001), coordinate(2 / 3)
    ('3', '0', '0.67')
    """
    said = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if said in {"-0", ""} else said
