"""The look of every page: one style sheet, light, dark and printed."""

from __future__ import annotations

LIGHT = {
    "page": "#f4f6f8",
    "card": "#ffffff",
    "sunk": "#eef1f4",
    "ink": "#14181f",
    "soft": "#535d6b",
    "rule": "#d5dae0",
    "grid": "#e6e9ed",
    "accent": "#1f5fc4",
    "good": "#0b6b47",
    "good-wash": "#e2f4ec",
    "bad": "#a8261c",
    "bad-wash": "#fbe9e7",
    "warn": "#7d4e00",
    "warn-wash": "#fdf3dc",
    "weights": "#2a62c9",
    "kv": "#0d7a5f",
    "activations": "#b4540a",
    "graphs": "#7a3fd0",
    "other": "#a3275f",
    "free": "#eef1f4",
    "there": "#535d6b",
    "missing": "#c23a2e",
    "on-part": "#ffffff",
    "hatch": "#ffffff",
    "line1": "#2a62c9",
    "line2": "#b4540a",
    "line3": "#0d7a5f",
    "line4": "#7a3fd0",
    "line5": "#a3275f",
}
"""Colours by day. Their contrasts are tested: text 4.5 to 1, lines and areas 3 to 1."""

DARK = {
    "page": "#0e1116",
    "card": "#171b22",
    "sunk": "#1f252e",
    "ink": "#e7eaee",
    "soft": "#a6afbb",
    "rule": "#343c48",
    "grid": "#272e38",
    "accent": "#7fb0ff",
    "good": "#5fd6a5",
    "good-wash": "#12291f",
    "bad": "#ff9a8f",
    "bad-wash": "#331815",
    "warn": "#f0c05c",
    "warn-wash": "#2c230f",
    "weights": "#6f9ff5",
    "kv": "#3fbf97",
    "activations": "#ec9a4e",
    "graphs": "#b292f7",
    "other": "#ec82b0",
    "free": "#1f252e",
    "there": "#a6afbb",
    "missing": "#f07f73",
    "on-part": "#0e1116",
    "hatch": "#0e1116",
    "line1": "#6f9ff5",
    "line2": "#ec9a4e",
    "line3": "#3fbf97",
    "line4": "#b292f7",
    "line5": "#ec82b0",
}
"""The same colours by night."""


def style_sheet() -> str:
    """Return the style sheet."""
    light, dark = _variables(LIGHT), _variables(DARK)
    return (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        f"{_PAGE}{_TABLES}{_CHARTS}{_kinds()}{_PAPER}"
    )


def _variables(colours: dict[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in colours.items())


def _kinds() -> str:
    parts = ("weights", "kv", "activations", "graphs", "other", "free", "there", "missing")
    rules = [f".part.{kind}{{fill:var(--{kind})}}\n" for kind in parts]
    rules += [
        f".series.line{index}{{stroke:var(--line{index})}}\n"
        f".band.line{index}{{fill:var(--line{index})}}\n"
        for index in range(1, 6)
    ]
    return "".join(rules)


_PAGE = """\
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header,footer{max-width:1160px;margin:0 auto;padding:0 16px}
header{padding-top:28px}
h1{font-size:clamp(1.45rem,1.1rem + 1.6vw,2.1rem);line-height:1.2;margin:10px 0 8px;
letter-spacing:-.01em;overflow-wrap:anywhere;text-wrap:balance}
h2{font-size:1.2rem;line-height:1.3;margin:0 0 4px}
h3{font-size:.95rem;line-height:1.3;margin:0}
p{margin:0 0 10px;max-width:75ch;overflow-wrap:anywhere}
.lead{color:var(--soft);margin-bottom:18px}
.verdict{display:inline-block;padding:2px 12px;border-radius:999px;font-weight:650;font-size:.9rem;
border:1px solid currentColor}
.verdict.yes{color:var(--good);background:var(--good-wash)}
.verdict.no{color:var(--bad);background:var(--bad-wash)}
.card{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:18px;
margin:0 0 16px;
min-width:0}
.card>p.note,.note{color:var(--soft);font-size:.9rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(136px,1fr));gap:10px;
margin:0 0 16px;padding:0}
.tile{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:12px 14px;
min-width:0}
.tile dt{color:var(--soft);font-size:.82rem}
.tile dd{margin:0;overflow-wrap:anywhere}
.tile .big{font-size:1.3rem;font-weight:650;line-height:1.25;display:block;
font-variant-numeric:tabular-nums}
.tile small{color:var(--soft);font-size:.82rem;display:block;line-height:1.35}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;margin:8px 0 0}
.facts dt{color:var(--soft)}
.facts dd{margin:0;overflow-wrap:anywhere}
@media (max-width:480px){.facts{grid-template-columns:5.6rem 1fr;gap:4px 10px;font-size:.94rem}
.card{padding:14px}main,header,footer{padding-left:12px;padding-right:12px}}
ul.warnings{list-style:none;margin:8px 0 0;padding:0}
ul.warnings li{background:var(--warn-wash);border-left:4px solid var(--warn);padding:8px 12px;
margin:0 0 8px;border-radius:4px;overflow-wrap:anywhere}
ul.warnings b{color:var(--warn)}
pre{background:var(--sunk);border:1px solid var(--rule);border-radius:8px;padding:12px;
margin:8px 0;
white-space:pre-wrap;overflow-wrap:anywhere;
font:13px/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
:any-link{color:var(--accent)}
code{font:.88em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
td code,li code{background:var(--sunk);border-radius:4px;padding:1px 5px}
details>summary{cursor:pointer;font-weight:600;padding:8px 0;color:var(--accent)}
details>summary h2{display:inline;color:var(--ink)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:4px}
input[type=search]{font:inherit;color:inherit;background:var(--card);border:1px solid var(--soft);
border-radius:8px;padding:8px 12px;width:100%;max-width:420px}
label.search{display:block;color:var(--soft);font-size:.9rem;margin:8px 0}
button{font:inherit;font-size:.9rem;color:var(--accent);background:none;
border:1px solid currentColor;
border-radius:8px;padding:6px 14px;cursor:pointer}
[hidden]{display:none!important}
footer{color:var(--soft);font-size:.88rem;padding-bottom:32px}
.hidden{position:absolute}
"""

_TABLES = """\
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;width:100%;font-size:.93rem;margin:6px 0}
table.narrow{max-width:680px}
.tables{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(430px,100%),1fr));
gap:6px 40px}
@media print,(min-width:721px){.blocks :is(th,td) code{white-space:nowrap}}
@media screen and (min-width:721px){.blocks td li{min-width:15rem}}
.blocks td li code{white-space:normal}
td{overflow-wrap:break-word}td a{overflow-wrap:anywhere}
.narrow th{white-space:nowrap}
caption{text-align:left;color:var(--soft);font-size:.88rem;padding:0 0 6px;max-width:90vw}
th,td{text-align:left;vertical-align:top;padding:7px 18px 7px 0;
border-bottom:1px solid var(--rule)}
thead th{color:var(--soft);font-weight:600;font-size:.85rem;white-space:nowrap}
tbody th{font-weight:600}
tfoot th,tfoot td{font-weight:650;border-bottom:0}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
th:last-child,td:last-child{padding-right:0}
td ul{margin:0;padding:0;list-style:none}
td li{margin:0 0 4px}
@media (max-width:720px){
table.blocks,.blocks tbody,.blocks tr,.blocks td,.blocks tbody th,.blocks caption{display:block;
width:100%}
.blocks thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.blocks tr{border-bottom:1px solid var(--rule);padding:10px 0}
.blocks td,.blocks tbody th{border:0;padding:1px 0;overflow-wrap:anywhere;text-align:left;
white-space:normal}
.blocks td[data-name]::before{content:attr(data-name) ": ";color:var(--soft);font-size:.85rem}
.blocks td:empty{display:none}
.pairs tr{display:grid;grid-template-columns:1fr 1fr;gap:0 12px}
.pairs tbody th{grid-column:1/-1}
}
@media (max-width:480px){table.narrow{font-size:.82rem}.narrow th,.narrow td{padding-right:8px}
.narrow th .swatch{margin-right:4px}
.narrow :is(th,td):nth-child(4){display:none}}
"""

_CHARTS = """\
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(300px,100%),1fr));
gap:18px 22px;margin:12px 0}
figure{margin:0;min-width:0}
.chart{max-width:460px}
.chart>svg{display:block;width:100%;height:auto}
.chart figcaption,.stack figcaption{margin-bottom:4px}
.stack{margin:12px 0}
svg.stacks{display:block;width:100%;overflow:hidden}
svg text{fill:var(--ink);font-size:12px;font-family:inherit}
svg text.tick,svg text.name{fill:var(--soft);font-size:11.5px;font-variant-numeric:tabular-nums}
svg text.row{font-size:13.5px;font-weight:600}
svg text.label{font-weight:600;paint-order:stroke;stroke:var(--card);stroke-width:4px;
stroke-linejoin:round}
svg text.inside{fill:var(--on-part);font-weight:650;paint-order:stroke;stroke-width:5px;
stroke-linejoin:round}
svg text.inside.free{fill:var(--ink);stroke:none}
.inside.weights{stroke:var(--weights)}.inside.kv{stroke:var(--kv)}
.inside.activations{stroke:var(--activations)}
.inside.graphs{stroke:var(--graphs)}.inside.other{stroke:var(--other)}
.inside.there{stroke:var(--there)}.inside.missing{stroke:var(--missing)}
.grid{stroke:var(--grid);stroke-width:1}
.axis{stroke:var(--soft);stroke-width:1}
.series{fill:none;stroke-width:2.5;stroke-linejoin:round;stroke-linecap:round}
.series.line2{stroke-dasharray:7 4}.series.line3{stroke-dasharray:2 5}
.series.line4{stroke-dasharray:10 3 2 3}.series.line5{stroke-dasharray:14 4}
.band{stroke:none;fill-opacity:.16}
.limit{stroke:var(--ink);stroke-width:1.2;stroke-dasharray:3 3}
.mark{fill:var(--ink);stroke:var(--card);stroke-width:2}
.mark.hollow{fill:var(--card);stroke:var(--ink)}
.pointable{fill:transparent}
.part{stroke:var(--card);stroke-width:1.5}
.part.free{stroke:var(--soft);stroke-dasharray:3 3;stroke-width:1}
.texture{stroke:none;pointer-events:none}
.hatch{stroke:var(--hatch);stroke-width:1.2;stroke-opacity:.6;fill:none}
.need{stroke:var(--ink);stroke-width:2}
.dot{stroke:var(--card);stroke-width:1.5;fill:var(--line1);fill-opacity:.85}
.dot.behind{fill:none;stroke:var(--soft);stroke-opacity:.55}
.dot.chosen{stroke:var(--ink);stroke-width:2.5;fill-opacity:1}
.front{fill:none;stroke:var(--line1);stroke-width:1.5;stroke-dasharray:5 4}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;list-style:none;margin:4px 0 8px;padding:0;
font-size:.88rem}
.legend li{display:inline-flex;align-items:center;gap:6px}
.swatch{width:14px;height:14px;flex:none}
.swatch.wide{width:28px;height:12px}
th .swatch{vertical-align:-2px;margin-right:6px}
"""

_PAPER = """\
@media print{
@page{margin:14mm}
body{background:none;font-size:10.5pt}
main,header,footer{max-width:none;padding:0}
.card,.tile{break-inside:avoid;border-color:#999}
.card.long{break-inside:auto}
tr,figure{break-inside:avoid}
.scroll{overflow:visible}
table{font-size:9pt}
label.search,button{display:none}
details::details-content{content-visibility:visible;display:block;height:auto}
svg,rect,path,.verdict{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""
