"""The decision field of a trained model of two features, with its training points.

    from run_report.decision import draw_decision
    figure, caption = draw_decision(Path("results/run"))
"""

import re

import numpy as np

import page
import style
from style import number

from run_report.planes import NoPicture, read_plane

COLOURS = (style.BLUE, style.VERMILLION, style.GREEN, style.PURPLE, style.ORANGE, style.SKY)
MARKERS = ("o", "s", "^", "D", "v", "P")
SOFT = style.matplotlib.colors.LinearSegmentedColormap.from_list(  # paler than the points on it
    "soft", ["#5E9FCB", "#C4DCEB", "#F7F7F7", "#F8D3BF", "#E08A63"]
)
FIELD = 4.4  # inches: width of the field
LEFT, RIGHT, BOTTOM, TOP = 0.7, 0.95, 0.5, 0.35  # inches: margins about it


def draw_decision(directory):
    """The last decision field with the training points: (figure, caption); None without one."""
    files = sorted((directory / "decision").glob("field_*.vti"), key=index_of)
    if not files:
        return None
    plane = read_plane(files[-1])
    if "probability" not in plane.arrays:
        raise NoPicture(f"{files[-1].name} holds no probability")
    axes = field_axes(np.clip(np.ptp(plane.y) / np.ptp(plane.x), 0.2, 2))
    several = "class" in plane.arrays
    said = (draw_classes if several else draw_probability)(axes, plane)
    points = draw_points(axes, directory / "data.csv")
    axes.set(xlim=plane.x[[0, -1]], ylim=plane.y[[0, -1]], xlabel="x0", ylabel="x1")
    axes.grid(False)
    at = f" at training time {number(float(plane.text('TimeValue', np.nan)))}"
    return axes.figure, f"{said}{at}{points}."


def field_axes(slope):
    """Axes of this slope in a figure that fits them, with room for a colour bar at the right."""
    width, height = LEFT + FIELD + RIGHT, BOTTOM + FIELD * slope + TOP
    figure = style.plt.figure(figsize=(width, height))
    return figure.add_axes(
        [LEFT / width, BOTTOM / height, FIELD / width, FIELD * slope / height]
    )


def index_of(path):
    """The number in a field's name."""
    return int("".join(re.findall(r"\d+", path.stem)) or 0)


def draw_probability(axes, plane):
    """The probability of class 1 of two."""
    probability = np.clip(plane.arrays["probability"], 0, 1)
    filled = axes.contourf(plane.x, plane.y, probability, np.linspace(0, 1, 21), cmap=SOFT)
    if np.nanmin(probability) < 0.5 < np.nanmax(probability):
        axes.contour(plane.x, plane.y, probability, [0.5], colors="black", linewidths=1.6)
    beside = axes.inset_axes([1.03, 0, 0.035, 1])
    axes.figure.colorbar(
        filled, cax=beside, label="probability of class 1", ticks=(0, 0.25, 0.5, 0.75, 1)
    )
    return "The probability of class 1 (line: one half)"


def draw_classes(axes, plane):
    """The winning class of several, paler where its probability is lower."""
    classes = plane.arrays["class"].astype(int)
    count = max(classes.max() + 1, 2)
    colours = np.array([style.matplotlib.colors.to_rgb(COLOURS[k % 6]) for k in range(count)])
    sure = np.clip((plane.arrays["probability"] - 1 / count) / (1 - 1 / count), 0, 1)
    strength = (0.1 + 0.4 * sure)[..., None]
    axes.imshow(
        1 - strength * (1 - colours[classes]),
        origin="lower",
        extent=(*half_cell_wider(plane.x), *half_cell_wider(plane.y)),
        aspect="auto",
    )
    for k in np.unique(classes)[1:]:
        axes.contour(plane.x, plane.y, classes == k, [0.5], colors="black", linewidths=1)
    return "The class with the highest probability, paler where that is lower,"


def half_cell_wider(nodes):
    """The ends of the cells around the nodes."""
    half = (nodes[1] - nodes[0]) / 2
    return nodes[0] - half, nodes[-1] + half


def draw_points(axes, path):
    """The training points by label, wrong labels ringed in gold; returns words for the caption."""
    columns = page.read_columns(path)
    if not {"x0", "x1", "label", "clean", "split"} <= set(columns):
        return ""
    x, y, label, clean = (page.floats(columns[key]) for key in ("x0", "x1", "label", "clean"))
    train = np.array(columns["split"]) == "train"
    flipped = train & (label != clean)
    ring = {"color": style.GOLD, "edgecolors": "black", "linewidths": 0.7, "zorder": 3}
    axes.scatter(x[flipped], y[flipped], s=70, **ring)
    for k in np.unique(label[train]).astype(int):
        mine = train & (label == k)
        look = {"marker": MARKERS[k % 6], "color": COLOURS[k % 6], "edgecolors": "white"}
        axes.scatter(x[mine], y[mine], s=17, linewidths=0.5, zorder=4, label=f"label {k}", **look)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=4, borderaxespad=0.1)
    ringed = f", {flipped.sum()} of them with a wrong label (gold rings)" if flipped.any() else ""
    return f", and the {train.sum()} training points{ringed}"
