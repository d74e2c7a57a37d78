"""The verdict of a study: each claim in a sentence, with its numbers and intervals.

    from study_report.verdict import verdict
    html = verdict(study)

A claim is stated under the preferred matching, equal-effective-step; then follows whatever is
otherwise under the other matchings. The statistics are thalweg's own; here they are only worded.
"""

import math
from collections import Counter

import numpy as np

import page
from page import escape
from style import interval, listed, name, percent, plural

from study_report.study import SMOOTHNESS

PLAIN_METHODS = {"sgd", "momentum", "gradient-flow"}  # nothing diffuses
FRAGMENTED = "islands"
LOWER_IS_BETTER = {"loss", "test_loss", "memorised", *SMOOTHNESS}
LEVEL = 0.05  # of significance
FEWEST_PAIRS = 6  # 2 / 2^6 < .05: with fewer, a sign-flip test cannot reach it
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
        self.preferred, *self.others = study.matchings

    def directions(self, matching):
        """{method: direction} under a matching."""
        return {m: direction(found) for m, found in self.effects[matching].items()}

    def said(self, matching, methods):
        """One clause a direction, such as "smoother: a (numbers); b (numbers)", largest first."""
        groups = {}
        for method in methods:
            effects = self.effects[matching][method]
            size = max(abs(e.mean) for e in effects)
            clause = f"{method} ({self.numbers(effects)})"
            groups.setdefault(direction(effects), []).append((size, clause))
        return "; ".join(
            f"{word}: {listed([clause for _, clause in sorted(groups[key], reverse=True)])}"
            for key, word in self.words.items()
            if key in groups
        )

    def numbers(self, effects):
        """Means and intervals, with the measures' names where there are several."""
        labels = [f"{name(e.measure)} " if len(self.measures) > 1 else "" for e in effects]
        return ", ".join(
            label + interval(e.mean, e.low, e.high) for label, e in zip(labels, effects)
        )

    def first(self):
        """What is seen under the preferred matching; empty where nothing was compared."""
        return self.said(self.preferred, self.effects[self.preferred])

    def otherwise(self):
        """What the other matchings say of the methods of which they say something else."""
        first = self.directions(self.preferred)
        texts = []
        for matching in self.others:
            other = [m for m, d in self.directions(matching).items() if d != first.get(m)]
            said = f"otherwise is {self.said(matching, other)}" if other else "the same is seen"
            texts.append(f" At {matching} {said}.")
        return "".join(texts)


def claim_smooth(study):
    """Does diffusion smooth the gradient flow?"""
    diffusion = [m for m in study.compared if m not in PLAIN_METHODS]
    found = Comparison(study, diffusion, SMOOTHNESS, "smoother", "rougher")
    text = found.first()
    if not text:
        return ""
    directions = list(found.directions(found.preferred).values())
    smoother = directions.count("better")
    lead = (
        f"{at(found.preferred)}{smoother} of {len(directions)} diffusion methods smooth the path"
        f" compared with {study.baseline}"
    )
    mark = ": " if smoother else "; "
    return lead + mark + text.removeprefix("smoother: ") + "." + found.otherwise()


def at(matching):
    """The matching as the opening of a sentence."""
    return f"At {matching}, " if matching else ""


def claim_stable(study):
    """Is convergence stable on fragmented data?"""
    bad = ~study.fine
    kinds = study.columns.get("data.kind") or [page.setting(study.ini, "data.kind")] * study.size
    islands = np.array([kind == FRAGMENTED for kind in kinds])
    counts = [f"{method} {count}" for method, count in Counter(study.method[bad]).most_common()]
    which = f" ({listed(counts, 4)})" if counts else ""
    lost = f"{bad.sum()} of {plural(study.size, 'run')}"
    if not islands.any():
        return f"No fragmented data ({FRAGMENTED}) here; {lost} diverged or failed{which}."
    text = f"{lost} diverged or failed{which}. "
    if not islands.all():
        there = f"{(bad & islands).sum()} of {plural(islands.sum(), 'run')}"
        text = f"On {FRAGMENTED} {there} diverged or failed, in all {lost}{which}. "
    fixed = {"data.kind": FRAGMENTED} if "data.kind" in study.factors else {}
    found = Comparison(study, study.compared, ["worst_fragment"], "higher", "lower", **fixed)
    worst = found.first()
    if not worst:
        return text
    return (f"{text}{at(found.preferred)}accuracy on the worst fragment there: {worst}."
            + found.otherwise())


def claim_structure(study):
    """Does the data's structure dominate?"""
    shares = [s for s in study.shares if s.measure == study.outcome]
    data, method = ([s for s in shares if s.group == key] for key in ("data", "method"))
    if not data or not method:
        return ""
    return (
        f"Data factors explain {explained(data)} of the variance of {name(study.outcome)}, and"
        f" the method and the matching with all their interactions {explained(method)}:"
        f" {dominance(data, method)}."
    )


def explained(shares):
    """The sum of some shares, and the largest of them."""
    top = max(shares, key=lambda s: s.share)
    span = f" [{percent(top.low)}, {percent(top.high)}]" if math.isfinite(top.low) else ""
    total = percent(sum(s.share for s in shares))
    return f"{total} % (most by {top.term}, {percent(top.share)} %{span})"


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
    text = found.first()
    if text:
        text = f"{at(found.preferred)}{name(study.outcome)} over all cells: {text}."
        text += found.otherwise()
    return text + "".join(by_cell(study, matching) for matching in study.matchings)


def by_cell(study, matching):
    """How the cells of each method vote under a matching."""
    cells = {m: study.cells(study.outcome, m, matching) for m in study.compared}
    votes = [f"{m} {tally(found)}" for m, found in cells.items() if len(found) > 1]
    under = f" at {matching}" if matching else ""
    return f" Cell by cell{under}: {listed(votes, 6)}." if votes else ""


def too_few(study):
    """A warning where the pairs cannot carry a verdict; else nothing."""
    effects = [e for e in study.effects if e.measure == study.outcome]
    pairs = max((e.pairs for e in effects), default=FEWEST_PAIRS)
    family = min((sum(e.is_cell == kind for e in effects) for kind in (True, False)
                  if any(e.is_cell == kind for e in effects)), default=1)
    needed = math.ceil(math.log2(2 * family / LEVEL))
    if pairs >= needed:
        return ""
    return (
        f"Nothing can be significant here: {plural(pairs, 'pair')} reach a sign-flip p of"
        f" {2 / 2**pairs:.2g} at best, and Holm's adjustment over {plural(family, 'comparison')}"
        f" needs {LEVEL / family:.2g}. {needed} seeds would do."
    )


CLAIMS = (
    ("Does diffusion smooth the gradient flow?", claim_smooth),
    ("Is convergence stable on fragmented data?", claim_stable),
    ("Does the data's structure dominate?", claim_structure),
    ("Do accuracy gains depend on the task?", claim_gains),
)


def verdict(study):
    """The box that answers the study's questions."""
    claims = [("", too_few(study)), *((question, claim(study)) for question, claim in CLAIMS)]
    said = [
        f"<p><b>{escape(question)}</b> {escape(answer)}</p>" for question, answer in claims if answer
    ]
    note = (
        f"Numbers are mean paired differences, method − {study.baseline}, with 95 % intervals;"
        " a difference is confirmed only where the interval excludes 0 and Holm's adjusted p is"
        " below .05. By the interval alone: it excludes 0, but p is not below."
        if study.effects
        else "There are no paired effects: a comparison needs a second method."
    )
    return f'<div class="verdict">{"".join(said)}<p class="about">{escape(note)}</p></div>\n'
