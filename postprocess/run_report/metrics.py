"""What was recorded along a run, against training time.

    from run_report.metrics import draw_metrics, metrics_of
    figure, caption = draw_metrics(metrics_of(Path("results/run")))
"""

import numpy as np

import page
import style
from style import name, number, percent

from run_report.planes import NoPicture

LOSSES = ("loss", "energy", "test_loss")
SHARES = ("train_accuracy", "validation_accuracy", "test_accuracy", "worst_fragment", "memorised")
SMOOTHNESS = ("roughness", "turning")
GROUPS = (  # columns, name of their axis, whether logarithmic
    (LOSSES, "loss", True),
    (SHARES, "share", False),
    (("grad_norm",), "gradient norm", True),
    (SMOOTHNESS, "path so far", False),
)


def metrics_of(directory):
    """metrics.csv as {column: numbers}, columns without any finite number left out."""
    if not directory.is_dir():
        raise page.Missing(f"there is no directory '{directory}'.")
    if not (directory / "metrics.csv").is_file():
        raise page.Missing(f"'{directory}' holds no metrics.csv: is it the directory of a run?")
    columns = page.read_columns(directory / "metrics.csv")
    metrics = {key: page.floats(texts) for key, texts in columns.items()}
    metrics = {key: values for key, values in metrics.items() if np.isfinite(values).any()}
    if "time" not in metrics:
        raise page.Missing(f"'{directory / 'metrics.csv'}' holds no recorded time.")
    return metrics


def drawn_keys(metrics, keys):
    """The columns to draw: those there are, without an energy that is the loss."""
    return [
        key
        for key in keys
        if key in metrics
        and not (key == "energy" and np.array_equal(metrics[key], metrics.get("loss"), True))
    ]


def draw_metrics(metrics):
    """Losses, shares, gradient norm and smoothness, one above the other: (figure, caption)."""
    groups = [(drawn_keys(metrics, keys), *rest) for keys, *rest in GROUPS]
    groups = [group for group in groups if group[0]]
    if not groups:
        raise NoPicture("metrics.csv holds no loss, accuracy or gradient norm to draw")
    if max(np.isfinite(metrics[key]).sum() for keys, *_ in groups for key in keys) < 2:
        raise NoPicture("metrics.csv holds a single finite record")
    figure, rows = style.plt.subplots(
        len(groups),
        1,
        sharex=True,
        squeeze=False,
        figsize=(6, 0.7 + 1.9 * len(groups)),
        layout="constrained",
    )
    for axes, group in zip(rows[:, 0], groups):
        draw_columns(axes, metrics, *group)
    figure.align_ylabels()
    bottom = rows[-1, 0]
    bottom.set_xlabel("training time t")
    if style.is_early(metrics["time"]):
        bottom.set_xscale("log")
        style.log_ticks(bottom.xaxis)
    return figure, caption_of(metrics)


def draw_columns(axes, metrics, keys, label, logarithmic):
    """Some columns against time, with the legend above the axes."""
    time = metrics["time"]
    every = max(1, len(time) // 6)
    for key, look in style.looks(keys).items():
        axes.plot(
            time,
            metrics[key],
            color=look.colour,
            linestyle=look.dash,
            marker=look.marker,
            markevery=(every // 2, every),
            label=name(key),
        )
    axes.set_ylabel(label)
    if logarithmic and min(np.nanmin(metrics[key]) for key in keys) > 0:
        axes.set_yscale("log")
        style.log_ticks(axes.yaxis)
    if len(keys) > 1:
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncol=3, borderaxespad=0.1, columnspacing=1.2
        )


def caption_of(metrics):
    """What the curves show: how far the loss fell, and where validation was best."""
    text = f"{len(metrics['time'])} records"
    if "loss" in metrics:
        loss = metrics["loss"][np.isfinite(metrics["loss"])]
        text += f"; the loss goes from {number(loss[0])} to {number(loss[-1])}"
    if "validation_accuracy" in metrics:
        best = np.nanargmax(metrics["validation_accuracy"])
        text += (
            f"; validation accuracy is best at t = {number(metrics['time'][best])}, with "
            f"{percent(metrics['validation_accuracy'][best])} %"
        )
    if any(key in metrics for key in SMOOTHNESS):
        text += "; roughness and turning are those of the path so far"
    return text + "."
