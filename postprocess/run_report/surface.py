"""The loss around the trained point, with the path.

    from run_report.surface import draw_surface
    figure, caption = draw_surface(Path("results/run"))
"""

import numpy as np

import style
from style import number, plain

from run_report.planes import NoPicture, read_lines, read_plane

CAP = 1e299  # thalweg writes an infinite loss as 1e300
LEVELS = 25
PATHS = ("white", style.SKY, style.ORANGE, style.PURPLE)


def draw_surface(directory):
    """Filled contours of the loss on a logarithmic scale with the projected path; or None."""
    path = directory / "surface.vti"
    if not path.is_file():
        return None
    if path.with_name("surface.csv").is_file() and not path.with_name("surface.vts").is_file():
        return None  # a line
    plane = read_plane(path)
    height = height_of(plane)
    lines = read_lines(directory / "trajectory.vtp") or read_lines(directory / "paths.vtp")
    figure, axes = style.plt.subplots(figsize=(6, 5), layout="constrained")
    draw_height(figure, axes, plane, height)
    for k, (points, _) in enumerate(lines):
        draw_path(axes, points, PATHS[k % len(PATHS)], f"run {k + 1}" if k else "this run")
    ways = (("straight line", "--"), ("trained curve", "-"))
    for (points, _), (label, dash) in zip(read_lines(directory / "connect.vtp"), ways):
        axes.plot(*points.T[:2], color=style.VERMILLION, linestyle=dash, linewidth=1.6, label=label)
    axes.plot(0, 0, marker="*", markersize=13, color=style.GOLD, markeredgecolor="black")
    axes.set(xlim=plane.x[[0, -1]], ylim=plane.y[[0, -1]])
    axes.set_xlabel(plain(plane.text("axis_x", "x"), 50))
    axes.set_ylabel(plain(plane.text("axis_y", "y"), 50))
    axes.grid(False)
    if len(lines) > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=4, borderaxespad=0.1)
    return figure, caption_of(plane, lines)


def height_of(plane):
    """log10 of the loss; nan where the loss is not finite."""
    if "log10_loss" not in plane.arrays:
        raise NoPicture("surface.vti holds no loss")
    height = plane.arrays["log10_loss"]
    height = np.where(np.isfinite(height) & (height < np.log10(CAP)), height, np.nan)
    if not np.isfinite(height).any():
        raise NoPicture("surface.vti holds no finite loss")
    return height


def draw_height(figure, axes, plane, height):
    """Filled and lined levels; the top is cut where it would hide the valley, and the bottom where
    a few nodes at a minimum would hide everything else."""
    low, top = np.nanpercentile(height, (0.2, 97))
    levels = np.linspace(low, top if top > low else low + 1, LEVELS)
    filled = axes.contourf(plane.x, plane.y, height, levels, cmap="viridis", extend="both")
    if low < top:
        lines = {"colors": "black", "linewidths": 0.4, "alpha": 0.5}
        axes.contour(plane.x, plane.y, height, levels[::3], **lines)
    loss_bar(figure, filled, axes, levels, plane.text("log10_zero", 0))


def loss_bar(figure, filled, axes, levels, zero):
    """A colour bar of log10 levels that says the loss, counted from `zero`."""
    bar = figure.colorbar(filled, ax=axes, shrink=0.9, pad=0.02)
    bar.set_label("loss" if zero == 0 else f"loss + {number(-zero, 5)}")
    bar.set_ticks(levels[::4], labels=distinct(10.0 ** levels[::4]))


def distinct(values):
    """Numbers with as many digits as tell them apart."""
    for digits in range(2, 8):
        labels = [number(value, digits) for value in values]
        if len(set(labels)) == len(labels):
            break
    return labels


def draw_path(axes, points, colour, label):
    """A path on a black casing, from a hollow disc."""
    axes.plot(*points.T[:2], color="black", linewidth=3.2)
    axes.plot(*points.T[:2], color=colour, linewidth=1.6)
    axes.plot(
        *points[0, :2], marker="o", markersize=7, color=colour, markeredgecolor="black",
        linestyle="none", label=label,
    )


def caption_of(plane, lines):
    """What the surface shows, in which units, and how far the path leaves it."""
    text = "The loss on a plane through the trained point (star), "
    units = [plane.text(f"unit_{axis}", 1.0) for axis in "xy"]
    if np.allclose(units, 1):
        text += "in units of the parameters"
    else:
        text += f"in units of its directions, {number(units[0])} and {number(units[1])} long"
    if not lines:
        return text + "."
    text += ", with the path projected onto it, from its start (disc)"
    far = [np.nanmax(arrays["distance"]) for _, arrays in lines if "distance" in arrays]
    return text + (f"; the path itself is up to {number(max(far))} off the plane." if far else ".")
