"""The tables of a study's directory: runs, paired effects, variance shares, recorded curves.

    from study_report.study import Study
    study = Study(Path("results/study"))
    study.effect("test_accuracy", "momentum", study.matchings[0]).mean
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

import page
import style
from page import floats

FIXED = ("run", "matching", "method", "seed", "status", "reason", "step", "steps", "gradients", "time")
BAD = ("diverged", "failed")
OUTCOMES = ("test_accuracy", "best_accuracy", "validation_accuracy", "train_accuracy", "loss")
SMOOTHNESS = ("roughness", "turning")
GEOMETRY = ("sharpness", "trace")
SUMS = ("data (all)", "method (all)")  # rows of shares.csv that sum up others
PREFERRED = "equal-effective-step"  # at an equal step, smoothing mostly is a smaller step


@dataclass(frozen=True)
class Effect:
    """A row of effects.csv: the paired difference, method - baseline, in a cell or pooled."""

    measure: str
    method: str
    matching: str
    levels: dict
    pairs: int
    mean: float
    low: float
    high: float
    p_holm: float
    verdict: str

    @property
    def fixed(self):
        """The levels that the row is about; factors pooled over are left out."""
        return {factor: level for factor, level in self.levels.items() if level != "*"}

    @property
    def is_cell(self):
        """Whether the row is about a single cell of the design."""
        return bool(self.levels) and len(self.fixed) == len(self.levels)


@dataclass(frozen=True)
class Share:
    """A row of shares.csv: the share of a measure's variance that a term explains."""

    measure: str
    term: str
    share: float
    low: float
    high: float

    @property
    def group(self):
        """`method` for whatever it or the matching takes part in; `data`, `seed` and so on."""
        parts = self.term.split(" x ")
        if any(p in ("method", "matching") or p.startswith(("flow.", "scheme.")) for p in parts):
            return "method"
        if len(parts) == 1 and parts[0] in ("seed", "residual"):
            return parts[0]
        return "data" if all(part.startswith("data.") for part in parts) else "other"


class Study:
    """What a study left behind; any factors, methods, matchings and measures will do."""

    def __init__(self, directory):
        self.directory = directory
        if not directory.is_dir():
            raise page.Missing(f"there is no directory '{directory}'.")
        if not (directory / "runs.csv").is_file():
            raise page.Missing(f"'{directory}' holds no runs.csv: is it the directory of a study?")
        self.columns = page.read_columns(directory / "runs.csv")
        self.size = len(next(iter(self.columns.values()), []))
        if not self.size:
            raise page.Missing(f"'{directory / 'runs.csv'}' holds no finished run yet.")
        self.ini = page.read_text(directory / "run.ini")
        header = list(self.columns)
        self.factors = [c for c in header[: header.index("status")] if c not in FIXED]
        self.status = np.array(self.columns["status"])
        self.fine = ~np.isin(self.status, BAD)
        self.method = np.array(self.columns["method"])
        self.matching = np.array(self.columns.get("matching", [""] * self.size))
        self.steps = floats(self.columns.get("step", []))
        measures = [c for c in header if c not in FIXED and c not in self.factors]
        values = {measure: floats(self.columns[measure]) for measure in measures}
        self.values = {m: column for m, column in values.items() if np.isfinite(column).any()}
        self.matchings = sorted(dict.fromkeys(self.matching), key=lambda m: m != PREFERRED)
        self.baseline = page.setting(self.ini, "study.baseline") or "sgd"
        self.methods = sorted(dict.fromkeys(self.method), key=lambda m: m != self.baseline)
        self.looks = style.looks(self.methods)

    @cached_property
    def effects(self):
        """The rows of effects.csv whose mean is known."""
        columns = page.read_columns(self.directory / "effects.csv")
        texts = {key: columns.pop(key, []) for key in ("measure", "method", "matching", "verdict")}
        texts["matching"] = texts["matching"] or [""] * len(texts["measure"])
        keys = ("pairs", "mean", "low", "high", "p", "p_holm")
        numbers = {key: floats(columns.pop(key, [])) for key in keys}
        return [
            Effect(
                **{key: column[i] for key, column in texts.items()},
                levels={factor: column[i] for factor, column in columns.items()},
                pairs=int(numbers["pairs"][i]),
                **{key: float(numbers[key][i]) for key in ("mean", "low", "high", "p_holm")},
            )
            for i in np.flatnonzero(np.isfinite(numbers["mean"]))
        ]

    @cached_property
    def shares(self):
        """The rows of shares.csv whose share is known."""
        columns = page.read_columns(self.directory / "shares.csv")
        numbers = [floats(columns.get(key, [])) for key in ("share", "low", "high")]
        rows = zip(columns.get("measure", []), columns.get("term", []), *numbers)
        return [
            Share(measure, term, *map(float, row))
            for measure, term, *row in rows
            if np.isfinite(row[0])
        ]

    @cached_property
    def claims(self):
        """(question, answer) of each claim; empty without claims.csv."""
        columns = page.read_columns(self.directory / "claims.csv")
        return list(zip(columns.get("question", []), columns.get("answer", [])))

    @cached_property
    def curves(self):
        """{run: {column: values along the path}}; empty without curves.csv."""
        columns = page.read_columns(self.directory / "curves.csv")
        runs = np.array(columns.pop("run", []))
        columns = {key: floats(texts) for key, texts in columns.items()}
        ends = np.flatnonzero(runs[1:] != runs[:-1]) + 1  # the rows of a run lie together
        return {
            str(runs[a]): {key: values[a:b] for key, values in columns.items()}
            for a, b in zip([0, *ends], [*ends, len(runs)])
            if b > a
        }

    @cached_property
    def outcome(self):
        """The measure that the verdict is about: test accuracy where there is one."""
        return next((m for m in OUTCOMES if m in self.values), next(iter(self.values), None))

    @cached_property
    def compared(self):
        """The methods that were compared with the baseline."""
        against = {effect.method for effect in self.effects}
        return [method for method in self.methods if method in against]

    def levels(self, factor):
        """A factor's levels: numbers ascending, texts as they came."""
        levels = list(dict.fromkeys(self.columns[factor]))
        return sorted(levels, key=float) if is_numeric(levels) else levels

    @cached_property
    def varied(self):
        """The factors with more than one level."""
        return [factor for factor in self.factors if len(self.levels(factor)) > 1]

    def where(self, matching=None, method=None, **fixed):
        """Mask of the runs that ended well, under this matching, of this method, at these levels.

        A level of None asks for nothing; `fixed` is given as `**{"data.kind": "islands"}`.
        """
        mask = self.fine.copy()
        for column, level in ((self.matching, matching), (self.method, method)):
            mask &= level is None or column == level
        for factor, level in fixed.items():
            mask &= level is None or np.array(self.columns[factor]) == level
        return mask

    def effect(self, measure, method, matching, **fixed):
        """The effect at the levels fixed, pooled over all other factors; None where unknown."""
        return next(
            (
                e
                for e in self.effects
                if (e.measure, e.method, e.matching, e.fixed) == (measure, method, matching, fixed)
            ),
            None,
        )

    def cells(self, measure, method, matching):
        """The effects of single cells."""
        key = (measure, method, matching)
        return [e for e in self.effects if e.is_cell and (e.measure, e.method, e.matching) == key]


def is_numeric(levels):
    """Whether all these texts are numbers."""
    return bool(np.isfinite([page.number_or_nan(level) for level in levels]).all())


def spread(values):
    """10 %, median and 90 % of the finite values."""
    values = values[np.isfinite(values)]
    return np.percentile(values, (10, 50, 90)) if values.size else np.full(3, np.nan)
