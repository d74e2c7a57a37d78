"""The verdict of a study: its claims, and behind each the methods one by one.

    from study_report.verdict import verdict
    html = verdict(study)

The claims are thalweg's own, from claims.csv. The methods are listed for every matching, the
preferred one, equal-effective-step, first.
"""

import math
from collections import Counter
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

import page
from page import escape
from style import interval, name, plural

from study_report.study import GEOMETRY, SMOOTHNESS

PLAIN_METHODS = {"sgd", "momentum", "nesterov", "adam", "sam", "gradient-flow"}  # nothing diffuses
FRAGMENTED = "islands"
LOWER_IS_BETTER = {"loss", "test_loss", "memorised", *SMOOTHNESS, *GEOMETRY}
LEVEL = 0.05  # of significance
CONFIRMED = ("helps", "hurts", "raises", "lowers")
DIRECTIONS = {
    "better": "{better}",
    "worse": "{worse}",
    "perhaps better": "{better} by the interval alone",
    "perhaps worse": "{worse} by the interval alone",
    "mixed": "mixed",
    "none": "no difference seen",
    "few": "too few pairs to tell",
}


def excludes_zero(effect):
    """Whether the interval lies on one side of 0."""
    return effect.low > 0 or effect.high < 0


def is_better(effect):
    """Whether the method improves on the baseline in the mean."""
    return (effect.mean < 0) == (effect.measure in LOWER_IS_BETTER)


def direction(effects):
    """Where the effects of one method on a few measures point: a key of DIRECTIONS."""
    tested = [e for e in effects if e.verdict != "too few pairs"]
    if not tested:
        return "few"
    confirmed = [is_better(e) for e in tested if e.verdict in CONFIRMED]
    signs = confirmed or [is_better(e) for e in tested if excludes_zero(e)]
    if not signs:
        return "none"
    if len(set(signs)) > 1:
        return "mixed"
    return ("" if confirmed else "perhaps ") + ("better" if signs[0] else "worse")


class Comparison:
    """Some methods against the baseline, on a few measures, at some fixed levels."""

    def __init__(self, study, methods, measures, better, worse, **fixed):
        self.measures = measures
        self.words = {k: w.format(better=better, worse=worse) for k, w in DIRECTIONS.items()}
        self.effects = {
            matching: {
                m: found
                for m in methods
                if (found := [e for x in measures if (e := study.effect(x, m, matching, **fixed))])
            }
            for matching in study.matchings
        }

    def __bool__(self):
        return any(self.effects.values())

    def counted(self, sentence):
        """The sentence, with {better}, {worse} and {all} methods; then the other matchings."""
        parts = []
        for matching, effects in self.effects.items():
            found = [direction(e) for e in effects.values()]
            counts = {"better": found.count("better"), "worse": found.count("worse")}
            said = "{better} and {worse}" if parts else sentence
            lead = f"at {matching} " if matching else ""
            parts.append(lead + said.format(**counts, all=len(found)))
        text = ", ".join(parts)
        return text[:1].upper() + text[1:] + "."

    def items(self):
        """What is seen under each matching, in numbers."""
        return [Item(matching, self.said(matching)) for matching in self.effects]

    def said(self, matching):
        """One clause a direction, such as "smoother: a (numbers); b (numbers)", largest first."""
        groups = {}
        for method, effects in self.effects[matching].items():
            size = max(abs(e.mean) for e in effects)
            clause = f"{method} ({self.numbers(effects)})"
            groups.setdefault(direction(effects), []).append((size, clause))
        return "; ".join(
            f"{word}: {', '.join(clause for _, clause in sorted(groups[key], reverse=True))}"
            for key, word in self.words.items()
            if key in groups
        )

    def numbers(self, effects):
        """Means and intervals, with the measures' names where there are several."""
        labels = [f"{name(e.measure)} " if len(self.measures) > 1 else "" for e in effects]
        return ", ".join(
            label + interval(e.mean, e.low, e.high) for label, e in zip(labels, effects)
        )


class Item(NamedTuple):
    """Numbers behind a claim, under one matching."""

    matching: str
    text: str


def path_smoothness(study):
    """How many methods smooth the path."""
    found = Comparison(study, diffusing(study), SMOOTHNESS, "smoother", "rougher")
    said = "{better} of {all} diffusion methods smooth the path and {worse} roughen it"
    return (found.counted(said), found.items()) if found else ("", [])


def local_geometry(study):
    """How many methods end where the loss is flatter."""
    found = Comparison(study, diffusing(study), GEOMETRY, "flatter", "sharper")
    said = "{better} of {all} diffusion methods end where the loss is flatter, {worse} where it is sharper"
    return (found.counted(said), found.items()) if found else ("", [])


def diffusing(study):
    """The compared methods that diffuse anything."""
    return [m for m in study.compared if m not in PLAIN_METHODS]


def lost_runs(study):
    """Which runs went wrong, and how the worst fragment fares."""
    bad = ~study.fine
    kinds = study.columns.get("data.kind") or [page.setting(study.ini, "data.kind")] * study.size
    islands = np.array([kind == FRAGMENTED for kind in kinds])
    counts = [f"{method} {count}" for method, count in Counter(study.method[bad]).most_common()]
    which = f" ({', '.join(counts)})" if counts else ""
    text = f"{bad.sum()} of {plural(study.size, 'run')} diverged or failed{which}."
    fixed = {"data.kind": FRAGMENTED} if "data.kind" in study.factors else {}
    found = islands.any() and Comparison(
        study, study.compared, ["worst_fragment"], "higher", "lower", **fixed
    )
    if not found:
        return text, []
    said = found.counted(
        "accuracy on the worst fragment is higher with {better} and lower with {worse} of {all} methods"
    )
    return f"{text} {said}", found.items()


def term_name(term):
    """A term of the analysis of variance in words."""
    return " × ".join(map(name, term.split(" x ")))


def tally(effects):
    """In how many cells there was which verdict."""
    counts = Counter(e.verdict for e in effects)
    parts = " and ".join(f"{word} in {counts[word]}" for word in CONFIRMED[:2])
    alone = sum(e.verdict == "no difference seen" and excludes_zero(e) for e in effects)
    alone = f", in {alone} by the interval alone" if alone else ""
    return f"{parts} of {plural(len(effects), 'cell')}{alone}"


def gains(study):
    """Which methods gain or lose, over all cells and cell by cell."""
    found = Comparison(study, study.compared, [study.outcome], "helps", "hurts")
    if not found:
        return "", []
    text = found.counted(
        f"{{better}} of {{all}} methods help {name(study.outcome)} over all cells and {{worse}}"
        " hurt it"
    )
    return text, found.items() + [
        Item(matching, f"cell by cell, {votes}")
        for matching in study.matchings
        if (votes := by_cell(study, matching))
    ]


def by_cell(study, matching):
    """How the cells of each method vote under a matching."""
    cells = {m: study.cells(study.outcome, m, matching) for m in study.compared}
    return "; ".join(f"{m} {tally(found)}" for m, found in cells.items() if len(found) > 1)


def too_few(study):
    """A warning where the pairs cannot carry a verdict, whatever they say; else nothing."""
    effects = [e for e in study.effects if e.measure == study.outcome]
    families = {
        "in single cells": [e.pairs for e in effects if e.is_cell],
        "pooled": [e.pairs for e in effects if not e.is_cell],
    }
    short = {k: pairs for k, pairs in families.items() if pairs and max(pairs) < needed(pairs)}
    if not short:
        return ""
    everywhere = all(key in short for key, pairs in families.items() if pairs)
    where = "here" if everywhere else ", ".join(short)
    pairs = min(short.values(), key=len)
    return (
        f"Nothing can be significant {where}: {plural(max(pairs), 'pair')} reach a sign-flip p of"
        f" {2 / 2 ** max(pairs):.2g} at best, and Holm's adjustment over"
        f" {plural(len(pairs), 'comparison')} needs {LEVEL / len(pairs):.2g}, or {needed(pairs)}"
        " seeds."
    )


def needed(comparisons):
    """The pairs with which Holm's adjustment over so many sign-flip tests can reach the level."""
    return math.ceil(math.log2(2 * len(comparisons) / LEVEL))


DETAILS = ((path_smoothness, local_geometry), (lost_runs,), (gains,))  # behind each claim


def paragraph(text, items=()):
    """A sentence with the numbers behind it."""
    listed = "".join(
        f"<li>{f'<i>{escape(item.matching)}</i> ' if item.matching else ''}{escape(item.text)}</li>"
        for item in items
    )
    return (f"<p>{text}</p>" if text else "") + (f"<ul>{listed}</ul>" if listed else "")


def details(study, parts):
    """The methods one by one, folded away."""
    said = "".join(paragraph(escape(text), items) for text, items in (part(study) for part in parts))
    return f"<details><summary>Method by method</summary>{said}</details>" if said else ""


def verdict(study):
    """The box that answers the study's questions."""
    said = paragraph(escape(too_few(study)))
    for (question, answer), parts in zip_longest(study.claims, DETAILS, fillvalue=("", "")):
        said += paragraph(f"<b>{escape(question)}</b> {escape(answer)}" if answer else "")
        said += details(study, parts)
    note = (
        f"Numbers are mean paired differences, method − {study.baseline}, with 95 % intervals; a"
        " difference counts only where the interval excludes 0 and the p value, Holm's adjusted one for single"
        " methods, is below .05. By the interval alone: it excludes 0, but p is not below."
        if study.effects
        else "There are no paired effects: a comparison needs a second method."
    )
    return f'<div class="verdict">{said}<p class="about">{escape(note)}</p></div>\n'
