"""The page around the sections: one file that asks nothing of the network."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from qwen3_planner.report.html.markup import NOTHING, Content, Markup, escape, join, tag
from qwen3_planner.report.html.script import SCRIPT
from qwen3_planner.report.html.stacks import textures
from qwen3_planner.report.html.style import style_sheet

if TYPE_CHECKING:
    from collections.abc import Sequence


def page(title: str, top: Markup, sections: Sequence[Markup], foot: Content) -> str:
    """Put a document together. It holds ASCII only, so that no encoding on its way can spoil it.

    Its policy lets a browser load nothing and run nothing but the page's own style and script:
    a name that slipped through as markup could still do nothing.

    Args:
        title: of the window.
        top: the answer, before anything else.
        sections: below it.
        foot: a last line.
    """
    style, script = Markup("\n" + style_sheet()), Markup("\n" + SCRIPT)
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),
        tag("title", title),
        tag("style", style),
    )
    body = tag(
        "body",
        textures(),
        tag("header", top),
        tag("main", *sections),
        tag("footer", tag("p", foot)),
        tag("script", script),
    )
    document = f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"
    return document.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def section(
    key: str, heading: str, *contents: Content, note: str = "", long: bool = False
) -> Markup:
    """Return a card under a heading.

    Args:
        key: unique on the page.
        heading: of the card.
        contents: of it.
        note: a sentence under the heading.
        long: whether it may be parted between two sheets of paper.
    """
    return tag(
        "section",
        tag("h2", heading, id=key),
        tag("p", note, class_="note") if note else NOTHING,
        *contents,
        class_="card long" if long else "card",
        aria_labelledby=key,
    )


def folded(
    key: str, heading: str, *contents: Content, opened: bool = False, note: str = ""
) -> Markup:
    """Return a card that unfolds when its heading is chosen."""
    summary = tag("summary", tag("h2", heading, id=key))
    inside = tag("p", note, class_="note") if note else NOTHING
    return tag(
        "section",
        tag("details", summary, inside, *contents, open=opened),
        class_="card long",
        aria_labelledby=key,
    )


def tiles(facts: Sequence[tuple[str, str, str]]) -> Markup:
    """Show the figures that matter most: (name, figure, what it means)."""
    shown = [
        tag(
            "div",
            tag("dt", name),
            tag("dd", tag("span", figure, class_="big"), tag("small", meaning)),
            class_="tile",
        )
        for name, figure, meaning in facts
    ]
    return tag("dl", *shown, class_="tiles")


def facts_list(facts: Sequence[tuple[str, Content]]) -> Markup:
    """List (name, text)."""
    pairs = [join(tag("dt", name), tag("dd", text)) for name, text in facts]
    return tag("dl", *pairs, class_="facts")


def verdict_mark(*, yes: bool, said: str) -> Markup:
    """Return the answer in a word, with a sign that needs no colour."""
    sign = "\u2713" if yes else "\u2715"
    return tag("span", escape(f"{sign} {said}"), class_=f"verdict {'yes' if yes else 'no'}")
