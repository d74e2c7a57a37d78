"""Slices of the loss beside their plane: a line, the middles of a volume, smoothed planes, paths between minima.

    from run_report.geometry import draw_connection
    figure, caption = draw_connection(Path("results/surface"))
"""

import numpy as np

import style
from style import name, number, plain

from run_report.planes import NoPicture, read_plane, read_volume
from run_report.spectrum import columns_of
from run_report.surface import height_of, loss_bar

MOST = 6  # heat times drawn


def draw_line(directory):
    """The values along a line through the trained point; or None."""
    columns = columns_of(directory / "surface.csv")
    if not columns or "y" in columns:
        return None
    measures = [key for key in columns if key != "x"]
    figure, rows = style.plt.subplots(
        len(measures),
        1,
        sharex=True,
        squeeze=False,
        figsize=(6.4, 0.8 + 2.1 * len(measures)),
        layout="constrained",
    )
    for axes, key in zip(rows[:, 0], measures):
        axes.plot(columns["x"], columns[key], color=style.BLUE, marker="o", markersize=2.5)
        axes.axvline(0, color=style.GREY, linewidth=0.8)
        axes.set_ylabel(name(key))
    rows[-1, 0].set_xlabel("along the direction; the trained point at 0")
    return figure, "The values along a line through the trained point."


def draw_volume(directory):
    """The three middle planes of a volume; or None."""
    path = directory / "volume.vti"
    if not path.is_file():
        return None
    grid, values, text = read_volume(path, "log10_loss")
    low, top = np.nanpercentile(values, (0.2, 97))
    levels = np.linspace(low, top if top > low else low + 1, 25)
    middle = [n // 2 for n in values.shape]  # z, y, x
    figure, row = style.plt.subplots(1, 3, figsize=(9.6, 3.5), layout="constrained")
    for axes, (across, up, fixed) in zip(row, ((0, 1, 2), (0, 2, 1), (1, 2, 0))):
        plane = np.take(values, middle[2 - fixed], axis=2 - fixed)
        filled = axes.contourf(
            grid[across], grid[up], plane, levels, cmap="viridis", extend="both"
        )
        axes.contour(
            grid[across], grid[up], plane, levels[::3], colors="black", linewidths=0.4, alpha=0.5
        )
        axes.plot(0, 0, marker="*", markersize=11, color=style.GOLD, markeredgecolor="black")
        axes.set_xlabel(plain(text(f"axis_{'xyz'[across]}"), 44), fontsize=7)
        axes.set_ylabel(plain(text(f"axis_{'xyz'[up]}"), 44), fontsize=7)
        axes.grid(False)
    loss_bar(figure, filled, row, levels, text("log10_zero"))
    return figure, "The loss on the three middle planes of the volume, the trained point a star."


def draw_heat(directory):
    """The plane under the heat equation, with the depth of its basins; or None."""
    table = columns_of(directory / "heat.csv")
    if not table or (directory / "volume.vti").is_file():
        return None
    if not (directory / "surface.vts").is_file():
        return draw_heat_line(directory, table)
    count = len(table["heat_time"])
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST)).round().astype(int))
    planes = [read_plane(directory / "heat" / f"heat_{k:04d}.vti") for k in chosen]
    heights = [height_of(plane) for plane in planes]
    # A few nodes at a minimum, where a logarithm has no end, would hide everything else.
    low = min(np.nanpercentile(height, 0.2) for height in heights)
    top = max(np.nanpercentile(height, 97) for height in heights)
    levels = np.linspace(low, top if top > low else low + 1, 25)
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    figure, cells = style.plt.subplots(
        rows,
        columns,
        squeeze=False,
        sharex=True,
        sharey=True,
        figsize=(1.2 + 2.8 * columns, 0.4 + 2.9 * rows),
        layout="constrained",
    )
    for axes in cells.flat[len(chosen) :]:
        axes.axis("off")
    basins = columns_of(directory / "topology.csv")
    for axes, k, plane, height in zip(cells.flat, chosen, planes, heights):
        filled = axes.contourf(plane.x, plane.y, height, levels, cmap="viridis", extend="both")
        axes.contour(plane.x, plane.y, height, levels[::3], colors="black", linewidths=0.35, alpha=0.5)
        here = basins["heat_time"] == table["heat_time"][k]
        draw_basins(axes, {key: values[here] for key, values in basins.items()})
        found = int(table["basins"][k])
        axes.set_title(
            f"σ = {number(table['sigma'][k], 2)}, {found} basin{'' if found == 1 else 's'}",
            fontsize=8,
        )
        axes.grid(False)
    loss_bar(figure, filled, cells, levels, planes[0].text("log10_zero", 0))
    figure.supxlabel(plain(planes[0].text("axis_x", "x"), 60), fontsize=9)
    figure.supylabel(plain(planes[0].text("axis_y", "y"), 60), fontsize=9)
    return figure, (
        "The same plane under the heat equation: every value averaged with a Gaussian of standard "
        "deviation σ in the plane's units; minima (discs) and the saddles where their basins join "
        "(crosses), as far as their depth counts."
    )


def draw_heat_line(directory, table):
    """The loss along a line under the heat equation."""
    figure, axes = style.plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    basins = columns_of(directory / "topology.csv")
    count = len(table["heat_time"])
    for k in range(count):
        grid, values, text = read_volume(directory / "heat" / f"heat_{k:04d}.vti", "loss")
        shade = style.matplotlib.colormaps["viridis"](0.85 * k / max(count - 1, 1))
        axes.plot(grid[0], values[0, 0], color=shade, label=f"σ = {number(table['sigma'][k], 2)}")
        here = basins["heat_time"] == table["heat_time"][k]
        axes.plot(
            basins["x"][here], basins["birth"][here], "o", markersize=6, color="white",
            markeredgecolor=shade, markeredgewidth=1.5,
        )
    axes.set_xlabel(plain(text("axis_x"), 60))
    axes.set_ylabel("loss")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=6, borderaxespad=0.1)
    return figure, (
        "The loss along the line under the heat equation: every value averaged with a Gaussian of "
        "standard deviation σ in the line's units; discs are the minima, as far as their depth counts."
    )


def draw_basins(axes, basins):
    """Minima and saddles of the basins that count."""
    axes.plot(basins["x"], basins["y"], "o", markersize=5, color="white", markeredgecolor="black")
    axes.plot(
        basins["saddle_x"], basins["saddle_y"], "x", markersize=5, color=style.VERMILLION,
        markeredgewidth=1.5,
    )


def draw_connection(directory):
    """The loss along the straight line and the trained curve between two minima; or None."""
    columns = columns_of(directory / "connect.csv")
    if not columns:
        return None
    measures = [key[len("linear_") :] for key in columns if key.startswith("linear_")]
    figure, rows = style.plt.subplots(
        len(measures),
        1,
        sharex=True,
        squeeze=False,
        figsize=(6.4, 0.8 + 2.1 * len(measures)),
        layout="constrained",
    )
    kinds = (("linear", "straight line", style.BLACK, "--"), ("bezier", "trained curve", style.BLUE, "-"))
    for axes, measure in zip(rows[:, 0], measures):
        for kind, label, colour, dash in kinds:
            values = columns.get(f"{kind}_{measure}")
            if values is not None:
                axes.plot(columns["t"], values, color=colour, linestyle=dash, label=label)
        axes.set_ylabel(name(measure))
        positive = [v for key, v in columns.items() if key.endswith("_loss")]
        if measure == "loss" and min(np.nanmin(v) for v in positive) > 0:
            axes.set_yscale("log")
            style.log_ticks(axes.yaxis)
    rows[0, 0].legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=2, borderaxespad=0.1)
    rows[-1, 0].set_xlabel("from this run (0) to the second one (1)")
    return figure, "Between two trained points: the barrier of the straight line, and the curve."


def draw_variance(directory):
    """Variance fractions of the path beside those of a random walk; or None."""
    columns = columns_of(directory / "pca.csv")
    if not columns or not np.isfinite(columns["variance_fraction"]).any():
        return None
    figure, axes = style.plt.subplots(figsize=(6.4, 2.6), layout="constrained")
    shown = np.where(columns["variance_fraction"] > 1e-12, columns["variance_fraction"], np.nan)
    axes.plot(columns["component"], shown, color=style.BLUE, marker="o", label="this path")
    axes.plot(
        columns["component"],
        columns["random_walk"],
        color=style.GREY,
        linestyle="--",
        marker="s",
        label="random walk, 6/(πk)²",
    )
    axes.set_yscale("log")
    style.log_ticks(axes.yaxis)
    axes.set_xlabel("principal component k")
    axes.set_ylabel("share of the variance")
    axes.legend(loc="upper right")
    first, null = columns["variance_fraction"][0], columns["random_walk"][0]
    return figure, (
        f"The path's principal components about its mean: the first holds {number(100 * first)} % "
        f"of the variance, where a random walk has {number(100 * null)} %."
    )
