"""Variance shares: a bar a term says what the differences between runs come from.

    from study_report.shares import picture_shares
    html = picture_shares(study)
"""

import numpy as np

import page
import style
from style import name, percent, plain

from study_report.study import GEOMETRY, SMOOTHNESS, SUMS
from study_report.verdict import term_name

SMALL = 0.005  # terms below this share of every picture's variance are left to the table
GROUPS = {
    "data": ("data factors", style.BLUE, ""),
    "method": ("method and matching, with their interactions", style.VERMILLION, "////"),
    "other": ("other factors", style.GREEN, ".."),
    "seed": ("seed", "#BBBBBB", "xx"),
    "residual": ("residual", "#E2E2E2", ""),
}


def picture_shares(study):
    """A panel for each of the outcome, the test loss, the smoothness and the geometry."""
    measures = list(dict.fromkeys((study.outcome, "test_loss", *SMOOTHNESS, *GEOMETRY)))
    shares = {m: [s for s in study.shares if s.measure == m] for m in measures}
    shares = {m: found for m, found in shares.items() if found}
    if not shares:
        return ""
    panels = [(draw_shares(found), f"Variance shares of {name(m)}") for m, found in shares.items()]
    first = next(iter(shares))
    top = max((s for s in shares[first] if s.term not in SUMS), key=lambda s: s.share)
    used = {s.group for found in shares.values() for s in found}
    legend = [(style.swatch_bar(*GROUPS[g][1:]), GROUPS[g][0]) for g in GROUPS if g in used]
    caption = (
        f"The largest term of {name(first)} is {term_name(top.term)}, {percent(top.share)} %. Sums"
        " of squares of the balanced design over the total, with 95 % bootstrap intervals over"
        f" seeds; terms below {percent(SMALL)} % are in the table only."
    )
    return page.figure("What explains the differences", panels, caption, legend, 400)


def draw_shares(shares):
    """One measure's bars, largest first, the residual last."""
    shown = [s for s in shares if s.share >= SMALL and s.term not in SUMS]
    shown = sorted(shown, key=lambda s: (s.group == "residual", -s.share))[:20]
    labels = [plain(term_name(s.term)) for s in shown]
    y = np.arange(len(shown))
    left = 0.3 + 0.062 * max(map(len, labels))
    figure, axes = style.panel(name(shares[0].measure), 4.4, 1.1 + 0.2 * len(y), left, 0.45)
    for place, s in zip(y, shown):
        draw_bar(axes, place, s)
    axes.set_yticks(y, labels, fontsize=7.5)
    style.rows_only(axes)
    axes.set(ylim=(len(y) - 0.4, -0.6), xlabel="share of the variance, %")
    axes.set_xlim(left=min(0, axes.get_xlim()[0]))
    return style.svg_uri(figure)


def draw_bar(axes, place, share):
    """One bar with its interval and its number."""
    _, colour, hatch = GROUPS[share.group]
    look = {"color": colour, "hatch": hatch, "edgecolor": "white", "linewidth": 0}
    axes.barh(place, 100 * share.share, height=0.7, **look)
    span = [100 * share.low, 100 * share.high]
    axes.plot(span, [place, place], color="black", linewidth=1.1, marker="|", markersize=5)
    end = np.nanmax([100 * share.share, span[1]])
    axes.annotate(f"{percent(share.share)} %", (end, place), (4, 0), va="center", fontsize=7,
                  textcoords="offset points")
