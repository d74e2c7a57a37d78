"""Error against work: the work-precision diagram.

    figure = draw_work(ladders, "error_theta")
"""

import numpy as np
from matplotlib.patheffects import withStroke

import style

from precision_report.points import looks_of

COSTS = (("cost", "gradients (a product counts as two)"), ("seconds", "seconds"))
ERRORS = {
    "error_theta": "error of θ, relative",
    "error_energy": "error of E, relative to its fall",
    "error_output": "error of the network's outputs, relative",
}


def is_best(ladder, others, error, cost):
    """Whether at some of its points no other scheme is as accurate for less."""
    mine = list(zip(ladder.reached[error], ladder.reached[cost]))
    theirs = [pair for o in others if o is not ladder for pair in zip(o.reached[error], o.reached[cost])]
    return any(not any(e <= error0 and c < cost0 for e, c in theirs) for error0, cost0 in mine)


def draw_work(ladders, error):
    """Two panels, gradients and seconds; schemes that are the cheapest somewhere are named."""
    figure, panels = style.plt.subplots(1, 2, sharey=True, figsize=(9.5, 5.2))
    look = looks_of(ladders)
    for axes, (cost, label) in zip(panels, COSTS):
        axes.set(xscale="log", yscale="log", xlabel=label)
        for ladder in ladders:
            draw_ladder(axes, ladder, error, cost, look[ladder.family], is_best(ladder, ladders, error, cost))
    # Errors beyond the size of the path itself differ in nothing that matters.
    top = min(max((l.reached[error].max() for l in ladders if l.reached[error].size), default=1), 3)
    panels[0].set_ylim(top=12 * top)
    for axes, (cost, _) in zip(panels, COSTS):
        draw_failures(axes, ladders, cost, look, 4 * top)
        name_best(axes, ladders, error, cost, look)
        style.log_ticks(axes.xaxis)
    panels[0].set_ylabel(ERRORS[error])
    style.log_ticks(panels[0].yaxis)
    add_legend(figure, ladders, look)
    return figure


def draw_ladder(axes, ladder, error, cost, look, best):
    """One scheme: a full line for fixed steps, a dashed one for tolerances; faint unless cheapest."""
    axes.plot(
        ladder.reached[cost],
        ladder.reached[error],
        color=look.colour,
        marker=look.marker,
        markersize=3.5 if best else 2.5,
        linewidth=1.4 if best else 0.7,
        alpha=1 if best else 0.3,
        linestyle="-" if ladder.control == "step" else (0, (4, 1.5)),
        zorder=3 if best else 2,
    )


def draw_failures(axes, ladders, cost, look, height):
    """A cross above all errors for each solve that did not reach the end."""
    least = 0.5 * min((l.reached[cost].min() for l in ladders if l.reached[cost].size), default=1)
    for ladder in ladders:
        if ladder.failed[cost].size:
            spent = np.maximum(ladder.failed[cost], least)  # most give up at once, far left of all others
            axes.plot(spent, np.full(spent.shape, height), "x", color=look[ladder.family].colour, markersize=4, alpha=0.7)


def name_best(axes, ladders, error, cost, look):
    """The names of the cheapest schemes at their most accurate points, moved apart where they meet."""
    named = [l for l in ladders if l.reached[error].size and is_best(l, ladders, error, cost)]
    named.sort(key=lambda l: l.reached[error][-1])
    low, high = axes.get_ylim()
    gap = (high / low) ** 0.035
    last = 0
    for ladder in named:
        x, y = ladder.reached[cost][-1], ladder.reached[error][-1]
        text_y = max(y, last * gap)
        last = text_y
        axes.annotate(
            style.plain(ladder.title),
            (x, y),
            xytext=(x * 1.15, text_y),
            fontsize=7,
            va="center",
            color=look[ladder.family].colour,
            path_effects=[withStroke(linewidth=2.2, foreground="white")],  # lines pass behind the names
            zorder=4,
        )
    left, right = axes.get_xlim()
    axes.set_xlim(left, right * (right / left) ** 0.22)  # room for the names


def add_legend(figure, ladders, look):
    """Families, and what lines and crosses mean."""
    line = style.plt.Line2D
    families = dict.fromkeys(ladder.family for ladder in ladders)
    keys = [line([], [], color=look[f].colour, marker=look[f].marker, label=f) for f in families]
    keys.append(line([], [], color=style.BLACK, linestyle="-", label="fixed step"))
    keys.append(line([], [], color=style.BLACK, linestyle=(0, (4, 1.5)), label="tolerance"))
    keys.append(line([], [], color=style.BLACK, linestyle="none", marker="x", label="did not reach the end"))
    rows = -(-len(keys) // 6)
    figure.legend(handles=keys, loc="lower center", ncol=6)
    figure.tight_layout(rect=(0, 0.02 + 0.04 * rows, 1, 1))
