"""What was recorded along a run, against training time.

    from run_report.metrics import draw_metrics, limits_of, metrics_of
    figure, caption = draw_metrics(metrics_of(Path("results/run")), limits_of(Path("results/run")))
"""

import numpy as np

import page
import style
from style import name, number, percent

from run_report.planes import NoPicture

LOSSES = ("loss", "energy", "modified_energy", "test_loss")
SHARES = ("train_accuracy", "validation_accuracy", "test_accuracy", "worst_fragment", "memorised")
SMOOTHNESS = ("roughness", "turning")
GROUPS = (  # columns, name of their axis, whether logarithmic
    (LOSSES, "loss", True),
    (SHARES, "share", False),
    (("grad_norm",), "gradient norm", True),
    (("sharpness",), "sharpness", False),
    (("step_sharpness",), "step × sharpness", False),
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


def limits_of(directory):
    """Where the scheme of a run is no longer stable: {column: level}.

    The sharpness of L has a level where L is all that the flow lowers, in its own time.
    """
    ini = page.read_text(directory / "run.ini")
    limit = page.read_json(directory / "run.json").get("results", {}).get("stability_limit")
    if limit is None:
        return {}
    plain = page.setting(ini, "flow.diffusion") == "none" and "mean-field" not in ini
    fixed = not page.setting(ini, "scheme.rtol") and not page.setting(ini, "scheme.atol")
    constant = page.setting(ini, "scheme.schedule") == "constant"
    limits = {"step_sharpness": limit}
    if plain and fixed and constant and page.setting(ini, "scheme.warmup") == "0":
        limits["sharpness"] = limit / float(page.setting(ini, "scheme.step"))
    return limits


def drawn_keys(metrics, keys):
    """The columns to draw: those there are, without an energy that is the loss."""
    return [
        key
        for key in keys
        if key in metrics
        and not (key == "energy" and np.array_equal(metrics[key], metrics.get("loss"), True))
    ]


def draw_metrics(metrics, limits=None):
    """Losses, shares, gradient norm, sharpness and smoothness, one above the other, with levels
    that the scheme must stay below: (figure, caption)."""
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
        draw_limits(axes, metrics, {key: limits[key] for key in group[0] if key in (limits or {})})
    figure.align_ylabels()
    bottom = rows[-1, 0]
    bottom.set_xlabel("training time t")
    if style.is_early(metrics["time"]):
        bottom.set_xscale("log")
        style.log_ticks(bottom.xaxis)
    return figure, caption_of(metrics, limits or {})


def draw_limits(axes, metrics, limits):
    """Lines at the stability limit, where the curve comes near it, named at their left end."""
    for key, level in limits.items():
        if level > 3 * np.nanmax(metrics[key]):
            continue
        axes.axhline(level, color="0.3", linestyle=(0, (4, 2)), linewidth=0.9)
        axes.annotate(
            "stability limit",
            (0.005, level),
            xycoords=("axes fraction", "data"),
            xytext=(0, 2),
            textcoords="offset points",
            va="bottom",
            fontsize=7,
            color="0.3",
        )


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


def caption_of(metrics, limits):
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
    for key in ("step_sharpness", "sharpness"):
        if key in metrics and key in limits:
            values = metrics[key][np.isfinite(metrics[key])]
            late = float(np.mean(values[-max(1, len(values) // 3) :])) / limits[key]
            text += f"; the {name(key)} of the last third is {number(late)} of the stability limit"
            break
    if any(key in metrics for key in SMOOTHNESS):
        text += "; roughness and turning are those of the path so far"
    return text + "."
