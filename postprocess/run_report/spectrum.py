"""The spectrum of a trained point: its density with the eigenvalues found, and the sharpness along the run.

    from run_report.spectrum import draw_density, draw_sharpness
    figure, caption = draw_density(Path("results/spectrum"))
"""

import numpy as np

import page
import style
from style import number

FLOOR = 1e-5  # of the peak: a Gaussian's tail below says nothing


def columns_of(path):
    """A table as {column: numbers}; {} where there is none."""
    return {key: page.floats(texts) for key, texts in page.read_columns(path).items()}


def draw_density(directory):
    """The spectral density on a logarithmic scale, over a rug of the eigenvalues found; or None."""
    density = columns_of(directory / "density.csv")
    if not density:
        return None
    pairs = columns_of(directory / "spectrum.csv")
    at, value, error = (density[key] for key in ("eigenvalue", "density", "error"))
    figure, axes = style.plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    low, peak = FLOOR * value.max(), value.max()
    shown = np.maximum(value, low / 10)
    if np.isfinite(error).any():
        axes.fill_between(
            at,
            np.maximum(value - error, low / 10),
            np.maximum(value + error, low / 10),
            color=style.BLUE,
            alpha=0.2,
            linewidth=0,
        )
    axes.plot(at, shown, color=style.BLUE)
    for rank, colour, label in ((1, style.VERMILLION, "largest"), (-1, style.GREEN, "smallest")):
        found = pairs["eigenvalue"][np.sign(pairs["rank"]) == rank] if pairs else []
        if len(found):
            axes.plot(
                found,
                np.full(len(found), low * 1.6),
                linestyle="none",
                marker="|",
                markersize=13,
                markeredgewidth=1.6,
                color=colour,
                label=f"{label} found",
            )
    axes.set(yscale="log", ylim=(low, 3 * peak), xlim=(at[0], at[-1]))
    axes.set_xlabel("eigenvalue")
    axes.set_ylabel("spectral density")
    style.log_ticks(axes.yaxis)
    if pairs:
        axes.legend(loc="upper right")
    width = page.read_json(directory / "spectrum.json").get("bandwidth")
    caption = "Spectral density by stochastic Lanczos quadrature"
    caption += f", seen through a Gaussian of standard deviation {number(width)}" if width else ""
    return figure, caption + "; the band is one standard error of the random vectors."


def draw_sharpness(directory):
    """The largest eigenvalues along the run, and step x sharpness with the limit; or None."""
    path = columns_of(directory / "sharpness.csv")
    if not path or len(path["time"]) < 2:
        return None
    bounded = np.isfinite(path["step_sharpness"]).any()
    figure, rows = style.plt.subplots(
        1 + bounded,
        1,
        sharex=True,
        squeeze=False,
        figsize=(6.4, 2.6 + 1.8 * bounded),
        layout="constrained",
    )
    top = rows[0, 0]
    ranks = sorted(int(key.rsplit("_", 1)[1]) for key in path if key.startswith("eigenvalue_"))
    for rank in ranks:
        values = np.where(path[f"eigenvalue_{rank}"] > 0, path[f"eigenvalue_{rank}"], np.nan)
        shade = style.matplotlib.colormaps["viridis"](0.85 * (rank - 1) / max(len(ranks) - 1, 1))
        top.plot(path["time"], values, color=shade, marker="o", markersize=3, label=f"λ{rank}")
    top.set_yscale("log")
    style.log_ticks(top.yaxis)
    top.set_ylabel("eigenvalue")
    top.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=6, borderaxespad=0.1)
    if bounded:
        draw_stability(rows[1, 0], path)
    bottom = rows[-1, 0]
    bottom.set_xlabel("training time t")
    if style.is_early(path["time"]):
        bottom.set_xscale("log")
        style.log_ticks(bottom.xaxis)
    figure.align_ylabels()
    text = "The largest eigenvalues at recorded states"
    return figure, text + (
        "; below, the step times the sharpness that the scheme's explicit part feels, and the "
        "scheme's stability limit." if bounded else "."
    )


def draw_stability(axes, path):
    """step x sharpness against the scheme's limit."""
    axes.plot(path["time"], path["step_sharpness"], color=style.BLUE, marker="o", markersize=3)
    limit = path["stability_limit"][0]
    if np.isfinite(limit):
        axes.axhline(limit, color=style.VERMILLION, linestyle="--", linewidth=1.2)
        axes.annotate(
            f"limit {number(limit, 4)}",
            (0.01, limit),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            xytext=(0, 3),
            color=style.VERMILLION,
            fontsize=8,
        )
    axes.set_ylim(0, 1.15 * max(limit if np.isfinite(limit) else 0, path["step_sharpness"].max()))
    axes.set_ylabel("step × sharpness")
