"""The forest: paired effects on the outcome, for every matching and method, cell by cell.

    from study_report.forest import picture_forests
    html = picture_forests(study)
"""

import numpy as np

import page
import style
from style import name, plain

from study_report.study import is_numeric
from study_report.verdict import tally

CELLS = 24  # of one method that fit a panel and stay readable
VERDICTS = {
    "helps": {"color": style.BLUE, "marker": "o"},
    "hurts": {"color": style.VERMILLION, "marker": "D"},
    "raises": {"color": style.GREEN, "marker": "^"},
    "lowers": {"color": style.PURPLE, "marker": "v"},
    "no difference seen": {"color": style.GREY, "marker": "o", "markerfacecolor": "white"},
    "too few pairs": {"color": style.GREY, "marker": "s", "markerfacecolor": "white"},
}


class Forest:
    """The rows of one method: over all cells, over those of a level, and the cells, sorted."""

    def __init__(self, study, method, matching):
        rows = [
            e
            for e in study.effects
            if (e.measure, e.method, e.matching) == (study.outcome, method, matching)
        ]
        self.method = method
        self.top = [e for e in rows if not e.fixed]
        self.levels = [e for e in rows if e.fixed and not e.is_cell]
        self.cells = [e for e in rows if e.is_cell]
        largest = sorted(self.cells, key=lambda e: -abs(e.mean))[:CELLS]
        self.shown = sorted(largest, key=lambda e: -e.mean)
        self.hidden = len(self.cells) - len(self.shown)

    @property
    def drawn(self):
        """All rows drawn, from above."""
        return self.top + self.levels + self.shown


def picture_forests(study):
    """One picture a matching, all on the same scale."""
    found = {
        matching: [f for m in study.compared if (f := Forest(study, m, matching)).drawn]
        for matching in study.matchings
    }
    drawn = [e for forests in found.values() for forest in forests for e in forest.drawn]
    if not drawn:
        return ""
    ends = [value for e in drawn for value in (e.low, e.high, e.mean, 0) if np.isfinite(value)]
    pad = 0.06 * (max(ends) - min(ends) or 1)
    limits = (min(ends) - pad, max(ends) + pad)
    margin = 0.3 + 0.056 * max(len(label_of(e)) for e in drawn)
    return "".join(
        picture_forest(study, matching, forests, limits, margin)
        for matching, forests in found.items()
        if forests
    )


def picture_forest(study, matching, forests, limits, margin):
    """All methods under one matching."""
    panels = [
        (
            draw_forest(study, forest, limits, margin),
            f"Paired differences in {name(study.outcome)} of {forest.method}, cell by cell",
        )
        for forest in forests
    ]
    cells = [e for forest in forests for e in forest.cells]
    hidden = sum(forest.hidden for forest in forests)
    caption = (
        f"Paired difference in {name(study.outcome)}, method − {study.baseline}: mean over seeds"
        " and 95 % bootstrap interval; over all cells (bold), over those of one level, then"
        " cell by cell, sorted. "
        + (f"In all, a method {tally(cells)}." if cells else "")
        + (f" The {hidden} cells nearest to 0 are not drawn; see effects.csv." if hidden else "")
    )
    used = {e.verdict for forest in forests for e in forest.drawn}
    legend = [(style.swatch_marker(**VERDICTS[v]), v) for v in VERDICTS if v in used]
    heading = "Where a method helps, and where it hurts" + (f": {matching}" if matching else "")
    return page.figure(heading, panels, caption, legend, wide=400)


def label_of(effect):
    """What an effect is about, as a row's label."""
    parts = [
        f"{name(factor)} {level}" if is_numeric([level]) else level
        for factor, level in effect.fixed.items()
    ]
    return plain(", ".join(parts), 40) or "all cells"


def places_of(forest):
    """The height of each row, with a gap between the groups, and of the lines in the gaps."""
    sizes = [len(forest.top), len(forest.levels), len(forest.shown)]
    group = np.repeat(np.cumsum([0, *(size > 0 for size in sizes[:-1])]), sizes)
    places = np.arange(len(group)) + 0.6 * group
    lines = (places[1:] + places[:-1])[np.diff(group) > 0] / 2
    return places, lines


def draw_forest(study, forest, limits, margin):
    """One panel."""
    places, lines = places_of(forest)
    figure, axes = style.panel(forest.method, margin + 2.5, 1.1 + 0.16 * (places[-1] + 1), margin)
    for place, e in zip(places, forest.drawn):
        kind = VERDICTS.get(e.verdict, VERDICTS["no difference seen"])
        bold = 1.8 if e in forest.top else 1
        axes.plot([e.low, e.high], [place, place], color=kind["color"], linewidth=1.2 * bold)
        axes.plot([e.mean], [place], markersize=3.6 * bold, linestyle="none", **kind)
    for line in lines:
        axes.axhline(line, color="#BBBBBB", linewidth=0.8)
    axes.axvline(0, color="black", linewidth=0.9)
    difference = plain(f"{name(study.outcome)}, method − {study.baseline}", 50)
    axes.set(xlim=limits, ylim=(places[-1] + 0.8, -0.8), xlabel=difference)
    axes.set_yticks(places, map(label_of, forest.drawn), fontsize=7)
    style.rows_only(axes)
    return style.svg_uri(figure)
