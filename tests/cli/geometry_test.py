#!/usr/bin/python3
"""Tests of spectrum from outside: its numbers against numpy on the Hessian's own columns, and repetition."""

import csv
import io
import json
import math
import unittest

from program import SHORT, ProgramTest

SPECTRUM_FILES = ["run.ini", "spectrum.csv", "vectors.csv", "density.csv", "sharpness.csv"]


class GeometryTest(ProgramTest):
    """A short run in `run`, and tables of what is made from it."""

    def setUp(self):
        super().setUp()
        self.call(*SHORT, "--out.dir=run")

    def table(self, *parts):
        """A CSV file's rows as {column: number}."""
        text = self.read(*parts).decode()
        return [{key: float(value) for key, value in row.items()}
                for row in csv.DictReader(io.StringIO(text))]


class Spectrum(GeometryTest):
    """thalweg spectrum."""

    def spectrum(self, directory, *keys, code=0):
        """Runs it without pictures."""
        return self.call("spectrum", "--in.dir=run", f"--out.dir={directory}",
                         "--out.pictures=false", *keys, code=code)

    def test_agrees_with_the_product_of_evaluate_and_repeats(self):
        self.spectrum("one", "--spectrum.path=3", "--spectrum.count=2")
        self.call("spectrum", "one/run.ini", "--out.dir=two", "--out.pictures=false")
        self.assert_same_files("one", "two", SPECTRUM_FILES)
        self.call("evaluate", "--in.dir=run", "--out.dir=point")
        point = self.table("point", "evaluate.csv")
        pairs, vectors = self.table("one", "spectrum.csv"), self.table("one", "vectors.csv")
        for index, pair in enumerate(pairs):
            along = [row[f"d{index + 1}"] for row in vectors]
            # v.(H w) = lambda v.w for the w that evaluate drew, up to the residual.
            left = sum(v * row["hvp"] for v, row in zip(along, point))
            right = pair["eigenvalue"] * sum(v * row["v"] for v, row in zip(along, point))
            size = math.sqrt(sum(row["v"]**2 for row in point))
            self.assertLess(abs(left - right), 1.01 * size * pair["residual"] + 1e-12)
            share = sum(v * row["gradient"] for v, row in zip(along, point))**2
            norm = sum(row["gradient"]**2 for row in point)
            self.assertAlmostEqual(pair["gradient_share"], share / norm, delta=1e-9)
        said = json.loads(self.read("one", "spectrum.json"))
        path = self.table("one", "sharpness.csv")
        self.assertEqual(len(path), 3)
        self.assertAlmostEqual(path[-1]["eigenvalue_1"], said["sharpness"],
                               delta=1e-7 * said["sharpness"])
        self.assertAlmostEqual(said["felt_sharpness"], said["sharpness"],
                               delta=1e-7 * said["sharpness"])

    def test_feels_the_metric_of_the_flow(self):
        smooth = ["--flow.diffusion=gradient", "--flow.lattice=ring", "--flow.sigma=3"]
        self.spectrum("smooth", *smooth, "--spectrum.probes=0", "--spectrum.steps=0")
        said = json.loads(self.read("smooth", "spectrum.json"))
        self.assertLess(said["felt_sharpness"], said["sharpness"])
        self.assertNotIn("trace", said)

    def test_knows_analytic_landscapes(self):
        self.call("train", "--model.kind=quadratic", "--stop.time=1", "--out.dir=bowl",
                  "--out.pictures=false", "--surface.size=1")
        self.call("spectrum", "--in.dir=bowl", "--out.dir=bent", "--out.pictures=false")
        values = [row["eigenvalue"] for row in self.table("bent", "spectrum.csv")]
        self.assertEqual(len(values), 4)
        for value, exact in zip(values, (10, 1, 1, 10)):
            self.assertAlmostEqual(value, exact, delta=1e-12)

    def test_refuses_what_cannot_be(self):
        for keys, words in ((["--spectrum.count=999"], ["spectrum.count", "999"]),
                            (["--spectrum.probes=3"], ["spectrum.probes"]),
                            (["--spectrum.matrix=hesian"], ["spectrum.matrix", "hessian"]),
                            (["--out.overwrite=true"], ["out.dir", "weights.csv"])):
            out = "run" if keys[0].startswith("--out") else "none"
            _, err = self.spectrum(out, *keys, code=2)
            for word in words:
                self.assertIn(word, err)
            self.assertFalse((self.directory / "none").exists())


if __name__ == "__main__":
    unittest.main()
