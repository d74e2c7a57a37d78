"""The verdict of a study: each claim in a sentence, with its numbers and intervals.

    from study_report.verdict import verdict
    html = verdict(study)

A claim is stated for every matching, the preferred one, equal-effective-step, first. The
statistics are thalweg's own; here they are only worded.
"""

import math
from collections import Counter
from typing import NamedTuple

import numpy as np

import page
from page import escape
from style import interval, name, percent, plural

from study_report.study import SMOOTHNESS

PLAIN_METHODS = {"sgd", "momentum", "nesterov", "adam", "sam", "gradient-flow"}  # nothing diffuses
FRAGMENTED = "islands"
LOWER_IS_BETTER = {"loss", "test_loss", "memorised", *SMOOTHNESS}
LEVEL = 0.05  # of significance
CONFIRMED = ("helps", "hurts")
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


def claim_smooth(study):
    """Does diffusion smooth the gradient flow?"""
    diffusion = [m for m in study.compared if m not in PLAIN_METHODS]
    found = Comparison(study, diffusion, SMOOTHNESS, "smoother", "rougher")
    if not found:
        return "", []
    said = "{better} of {all} diffusion methods smooth the path and {worse} roughen it"
    return found.counted(said), found.items()


def claim_stable(study):
    """Is convergence stable on fragmented data?"""
    bad = ~study.fine
    kinds = study.columns.get("data.kind") or [page.setting(study.ini, "data.kind")] * study.size
    islands = np.array([kind == FRAGMENTED for kind in kinds])
    counts = [f"{method} {count}" for method, count in Counter(study.method[bad]).most_common()]
    which = f" ({', '.join(counts)})" if counts else ""
    lost = f"{bad.sum()} of {plural(study.size, 'run')}"
    if not islands.any():
        return f"No fragmented data ({FRAGMENTED}) here; {lost} diverged or failed{which}.", []
    text = f"{lost} diverged or failed{which}."
    if not islands.all():
        there = f"{(bad & islands).sum()} of {plural(islands.sum(), 'run')}"
        text = f"On {FRAGMENTED} {there} diverged or failed, in all {lost}{which}."
    fixed = {"data.kind": FRAGMENTED} if "data.kind" in study.factors else {}
    found = Comparison(study, study.compared, ["worst_fragment"], "higher", "lower", **fixed)
    if not found:
        return text, []
    said = found.counted("accuracy on the worst fragment is higher with {better} and lower with"
                         " {worse} of {all} methods")
    return f"{text} {said}", found.items()


def claim_structure(study):
    """Does the data's structure dominate?"""
    shares = [s for s in study.shares if s.measure == study.outcome]
    data, method = ([s for s in shares if s.group == key] for key in ("data", "method"))
    if not data or not method:
        return "", []
    text = (
        f"Data factors explain {explained(data)} of the variance of {name(study.outcome)}, and"
        f" the method and the matching with all their interactions {explained(method)}:"
        f" {dominance(data, method)}."
    )
    return text, []


def explained(shares):
    """The sum of some shares, and the largest of them."""
    top = max(shares, key=lambda s: s.share)
    span = f" [{percent(top.low)}, {percent(top.high)}]" if math.isfinite(top.low) else ""
    total = percent(sum(s.share for s in shares))
    return f"{total} % (most by {term_name(top.term)}, {percent(top.share)} %{span})"


def term_name(term):
    """A term of the analysis of variance in words."""
    return " × ".join(map(name, term.split(" x ")))


def dominance(data, method):
    """Which explains more, said only where its largest term clears the other's upper ends added."""

    def clears(a, b):
        return max(s.low for s in a) > sum(s.high for s in b)

    if clears(data, method):
        return "the data's structure dominates"
    return "the method dominates" if clears(method, data) else "neither clearly dominates"


def tally(effects):
    """In how many cells there was which verdict."""
    counts = Counter(e.verdict for e in effects)
    parts = " and ".join(f"{word} in {counts[word]}" for word in CONFIRMED)
    alone = sum(e.verdict == "no difference seen" and excludes_zero(e) for e in effects)
    alone = f", in {alone} by the interval alone" if alone else ""
    return f"{parts} of {plural(len(effects), 'cell')}{alone}"


def claim_gains(study):
    """Do accuracy gains depend on the task?"""
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


CLAIMS = (
    ("Does diffusion smooth the gradient flow?", claim_smooth),
    ("Is convergence stable on fragmented data?", claim_stable),
    ("Does the data's structure dominate?", claim_structure),
    ("Do accuracy gains depend on the task?", claim_gains),
)


def paragraph(question, answer, items):
    """A claim with the numbers behind it."""
    listed = "".join(
        f"<li>{f'<i>{escape(item.matching)}</i> ' if item.matching else ''}{escape(item.text)}</li>"
        for item in items
    )
    listed = f"<ul>{listed}</ul>" if listed else ""
    return f"<p><b>{escape(question)}</b> {escape(answer)}</p>{listed}" if answer else ""


def verdict(study):
    """The box that answers the study's questions."""
    said = paragraph("", too_few(study), [])
    said += "".join(paragraph(question, *claim(study)) for question, claim in CLAIMS)
    note = (
        f"Numbers are mean paired differences, method − {study.baseline}, with 95 % intervals; a"
        " difference counts only where the interval excludes 0 and Holm's adjusted p is below .05."
        " By the interval alone: it excludes 0, but p is not below."
        if study.effects
        else "There are no paired effects: a comparison needs a second method."
    )
    return f'<div class="verdict">{said}<p class="about">{escape(note)}</p></div>\n'
