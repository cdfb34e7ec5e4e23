"""One self-contained HTML file: tables, curves, clips and times.

Knows scores, metrics and files of video; everything is embedded, so that the file can be sent to
anyone. Drawing libraries are imported only when a report is written.
"""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nitrogen import files
from nitrogen.stats import Rate


@dataclass(frozen=True)
class Bar:
    """One player's success rate, for the interval plot."""

    player: str
    rate: Rate
    progress: float


@dataclass
class Report:
    """Sections in the order in which they are added; `write` makes the file."""

    title: str
    lead: str
    sections: list[dict[str, Any]] = field(default_factory=list)

    def table(
        self, title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, note: str = ""
    ) -> None:
        """A table of text; the first column is the row's name."""
        self.sections.append(
            {"kind": "table", "title": title, "header": header, "rows": rows, "note": note}
        )

    def rates(self, title: str, bars: Sequence[Bar], *, note: str = "") -> None:
        """Success rates with their 95 % intervals, as bars and numbers."""
        rows = []
        for bar in bars:
            low, high = bar.rate.interval
            rows.append(
                {
                    "player": bar.player,
                    "rate": 100 * bar.rate.rate,
                    "low": 100 * low,
                    "width": 100 * (high - low),
                    "text": str(bar.rate),
                    "count": f"{bar.rate.successes} of {bar.rate.episodes}",
                    "progress": f"{bar.progress:.2f}",
                }
            )
        self.sections.append({"kind": "rates", "title": title, "rows": rows, "note": note})

    def curves(
        self,
        title: str,
        lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
        *,
        x: str,
        y: str,
        log_y: bool = False,
        note: str = "",
    ) -> None:
        """Lines by name, each (xs, ys), in one plot."""
        svg = _plot(lines, x=x, y=y, log_y=log_y)
        self.sections.append({"kind": "svg", "title": title, "svg": svg, "note": note})

    def clip(self, title: str, video: Path, *, note: str = "") -> None:
        """A video, embedded; keep it to a few megabytes."""
        data = base64.b64encode(video.read_bytes()).decode("ascii")
        self.sections.append({"kind": "clip", "title": title, "data": data, "note": note})

    def clips(self, title: str, videos: Sequence[tuple[str, Path]], *, note: str = "") -> None:
        """Several small videos side by side, each with its caption."""
        rows = [
            {"caption": caption, "data": base64.b64encode(video.read_bytes()).decode("ascii")}
            for caption, video in videos
        ]
        self.sections.append({"kind": "clips", "title": title, "rows": rows, "note": note})

    def picture(self, title: str, file: Path, *, note: str = "") -> None:
        """A PNG or JPEG picture, embedded."""
        data = base64.b64encode(file.read_bytes()).decode("ascii")
        mime = "image/jpeg" if file.suffix == ".jpg" else "image/png"
        self.sections.append(
            {"kind": "picture", "title": title, "data": data, "mime": mime, "note": note}
        )

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        import jinja2

        environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        text = environment.from_string(_TEMPLATE).render(
            title=self.title, lead=self.lead, sections=self.sections
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(path, text)


def _plot(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, x: str, y: str, log_y: bool
) -> str:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.0), layout="constrained")
    axes = figure.subplots()
    for name, (xs, ys) in lines.items():
        axes.plot(xs, ys, label=html.escape(name), linewidth=1.6)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if log_y:
        axes.set_yscale("log")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if len(lines) > 1:
        axes.legend(frameon=False, fontsize=8)
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
:root { color-scheme: light; --ink: #1b1f27; --soft: #667085; --line: #e3e6ec; --accent: #5b8f00; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); margin: 0; background: #f6f7f9; }
main { max-width: 980px; margin: 0 auto; padding: 32px 20px 60px; }
h1 { font-size: 28px; margin: 0 0 6px; } h2 { font-size: 18px; margin: 0 0 12px; }
.lead { color: var(--soft); margin: 0 0 24px; max-width: 70ch; }
section { background: #fff; border: 1px solid var(--line); border-radius: 10px;
  padding: 18px 20px; margin: 0 0 18px; overflow-x: auto; }
.note { color: var(--soft); font-size: 13px; margin: 10px 0 0; max-width: 90ch; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 5px 10px; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
th { color: var(--soft); font-weight: 600; font-size: 13px; }
td.bar { width: 40%; } .bar ~ td, td:has(+ .bar) { white-space: nowrap; }
.track { position: relative; height: 14px; background: #eef0f4; border-radius: 7px; }
.fill { position: absolute; inset: 0 auto 0 0; background: #b9bfca; border-radius: 7px; }
.policy .fill { background: var(--accent); }
.span { position: absolute; top: 5px; height: 4px; background: #00000066; border-radius: 2px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 0 0 24px; font-size: 13px; }
nav a { color: #3f6300; text-decoration: none; }
.clips { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 14px; }
figure { margin: 0; } figcaption { color: var(--soft); font-size: 13px; margin: 6px 0 0; }
video, img, svg { max-width: 100%; height: auto; display: block; border-radius: 6px; }
</style>
</head>
<body><main>
<h1>{{ title }}</h1>
<p class="lead">{{ lead }}</p>
{% if sections | length > 6 %}
<nav>{% for section in sections %}<a href="#{{ loop.index }}">{{ section.title }}</a>
{% endfor %}</nav>
{% endif %}
{% for section in sections %}
<section id="{{ loop.index }}">
<h2>{{ section.title }}</h2>
{% if section.kind == "table" %}
<table><thead><tr>
{% for name in section.header %}<th>{{ name }}</th>{% endfor %}
</tr></thead><tbody>
{% for row in section.rows %}
<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</tbody></table>
{% elif section.kind == "rates" %}
<table><thead><tr><th>player</th><th>success</th><th></th><th>episodes</th><th>mean progress</th>
</tr></thead><tbody>
{% for row in section.rows %}
<tr{% if row.player.startswith("policy") %} class="policy"{% endif %}><td>{{ row.player }}</td>
<td>{{ row.text }}</td><td class="bar"><div class="track">
<div class="fill" style="width: {{ row.rate }}%"></div>
<div class="span" style="left: {{ row.low }}%; width: {{ row.width }}%"></div></div></td>
<td>{{ row.count }}</td><td>{{ row.progress }}</td></tr>
{% endfor %}
</tbody></table>
{% elif section.kind == "svg" %}
{{ section.svg | safe }}
{% elif section.kind == "clip" %}
<video controls muted loop playsinline src="data:video/mp4;base64,{{ section.data }}"></video>
{% elif section.kind == "clips" %}
<div class="clips">
{% for row in section.rows %}
<figure><video controls muted loop playsinline src="data:video/mp4;base64,{{ row.data }}"></video>
<figcaption>{{ row.caption }}</figcaption></figure>
{% endfor %}
</div>
{% elif section.kind == "picture" %}
<img alt="{{ section.title }}" src="data:{{ section.mime }};base64,{{ section.data }}">
{% endif %}
{% if section.note %}<p class="note">{{ section.note }}</p>{% endif %}
</section>
{% endfor %}
</main></body></html>
"""
