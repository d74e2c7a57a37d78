"""The largest stable steps: bars, with the theory beside them.

    figure = draw_stability(orders, sharpness)
"""

import numpy as np

import style


def draw_stability(orders, sharpness, looks):
    """Largest stable step x sharpness of each scheme; a diamond for its theory. None where unknown."""
    product = orders["stable_step"] * sharpness
    known = ~np.isnan(product)
    if not known.any():
        return None
    names = [name for name, keep in zip(orders["scheme"], known) if keep]
    families = [family for family, keep in zip(orders["family"], known) if keep]
    product, theory = product[known], (orders["theory_step"] * sharpness)[known]
    bounded = np.isfinite(product)
    both = np.concatenate([product[bounded], theory[np.isfinite(theory)]])
    top = 1.6 * both.max() if both.size else 10
    height = 0.9 + 0.2 * len(names)
    figure, axes = style.plt.subplots(figsize=(6, height), layout="constrained")
    rows = np.arange(len(names))
    colours = [looks[family].colour for family in families]
    axes.barh(rows, np.where(bounded, product, top), color=colours, height=0.66, alpha=0.85)
    axes.plot(theory, rows, "D", color="white", markeredgecolor="black", markersize=4.5, linestyle="none")
    for row in rows[~bounded]:
        axes.text(top * 0.98, row, "no bound →", color="white", ha="right", va="center", fontsize=7)
    axes.set_yticks(rows, [style.plain(name) for name in names])
    axes.set(xlim=(0, top), ylim=(len(names) - 0.4, -0.6))
    axes.set_xlabel("largest stable step × sharpness (diamond: theory)")
    style.rows_only(axes)
    return figure
