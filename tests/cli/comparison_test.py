#!/usr/bin/python3
"""Tests of `thalweg schemes` and `thalweg limit` from outside: misuse, files, ranks, failed points."""

import csv
import json
import math
import unittest

from program import ProgramTest

SMALL = ["--data.samples=30", "--data.validation_samples=10", "--data.test_samples=10",
         "--model.hidden=4", "--out.pictures=false"]
SCHEMES = ["schemes", *SMALL, "--stop.time=2", "--record.count=4", "--schemes.repeats=1"]
LIMIT = ["limit", *SMALL, "--stop.time=1", "--record.count=2"]


class Comparison(ProgramTest):
    """Both commands."""

    def rows(self, *parts):
        """A CSV file as a list of mappings."""
        return list(csv.DictReader(self.read(*parts).decode().splitlines()))

    def assert_refused(self, cases):
        """Exit code 2, words of the message, and nothing written."""
        said = self.call_all([line for line, _ in cases], code=2)
        for (line, expected), (out, err) in zip(cases, said):
            for words in expected:
                self.assertIn(words, err, line)
            self.assertEqual(out, "", line)
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_refuse_misuse(self):
        self.assert_refused([
            ([*SCHEMES, "--schemes.names=rk44"], ["schemes.names", "'rk44'", "rk4"]),
            ([*SCHEMES, "--schemes.names="], ["schemes.names"]),
            ([*SCHEMES, "--schemes.reference=rk4"], ["schemes.reference", "rk4", "error estimate"]),
            ([*SCHEMES, "--schemes.steps=0"], ["schemes.steps", "above 0"]),
            ([*SCHEMES, "--schemes.steps=half"], ["schemes.steps", "'half'"]),
            ([*SCHEMES, "--scheme.batch=5"], ["scheme.batch"]),
            ([*SCHEMES, "--stop.loss=0.1"], ["stop.time"]),
            ([*SCHEMES, "--scheme.name=rk4"], ["scheme.name", "schemes.names"]),
            ([*SCHEMES, "--", "-ts_typ", "rk"], ["-ts_typ", "-ts_type"]),
            ([*LIMIT, "--limit.kind=modified", "--", "-snes_rtoll", "1"], ["-snes_rtoll", "-snes_rtol"]),
            ([*LIMIT, "--limit.kind=steps"], ["limit.kind", "'steps'", "step"]),
            ([*LIMIT, "--limit.steps=0.3"], ["limit.steps", "0.3", "0.5"]),
            ([*LIMIT, "--limit.kind=noise", "--scheme.sampling=shuffle"], ["scheme.sampling"]),
            ([*LIMIT, "--limit.kind=noise", "--model.kind=rosenbrock"], ["model.kind", "mlp"]),
            ([*LIMIT, "--limit.kind=modified", "--flow.diffusion=weights"], ["flow.diffusion"]),
        ])

    def test_counts_the_steps_that_break_the_energy_law(self):
        self.call("schemes", "--model.kind=quadratic", "--model.condition=8", "--schemes.names=forward-euler",
                  "--schemes.steps=0.2,0.26", "--stop.time=2", "--schemes.stability=false", "--out.pictures=false",
                  "--out.dir=run")
        rises = {row["dial"]: int(row["energy_rises"]) for row in self.rows("run", "precision.csv")}
        self.assertEqual(rises["0.2"], 0)  # 1 - 0.2 x 8 = -0.6
        self.assertGreater(rises["0.26"], 3)  # -1.08: this mode grows at each of eight steps

    def test_schemes_keep_failed_points_and_find_orders_and_limits(self):
        names = "forward-euler,rk4,rk5dp,crank-nicolson"
        out, _ = self.call("schemes", "--model.kind=rosenbrock", "--out.pictures=false", f"--schemes.names={names}",
                           "--stop.time=0.5", "--record.count=4", "--schemes.repeats=1", "--out.dir=run")
        sentence = out.splitlines()[0]
        self.assertRegex(sentence, r"^Cheapest to an error of 0.01: \S+ by gradients \(\d+\), \S+ by time ")
        self.assertIn("1e-06", sentence)
        files = {path.name for path in (self.directory / "run").iterdir()}
        self.assertEqual(files, {"run.ini", "run.json", "precision.csv", "precision.vtt", "orders.csv"})
        points = self.rows("run", "precision.csv")
        failed = [p for p in points if p["status"] != "time"]
        self.assertTrue(failed)  # Rosenbrock's valley throws explicit schemes out at coarse steps
        for point in failed:
            self.assertEqual(point["error_theta"], "nan")
            self.assertTrue(point["reason"])
        self.assertTrue({"step", "tolerance"} == {p["control"] for p in points})
        orders = {row["scheme"]: row for row in self.rows("run", "orders.csv")}
        self.assertEqual(list(orders), names.split(","))
        for scheme, order in (("rk4", 4), ("crank-nicolson", 2)):
            self.assertLess(abs(float(orders[scheme]["theta_observed"]) - order), 0.35, scheme)
        # Bisection on the linearised flow against the theory: 5 %, as in the unit test.
        for scheme in ("forward-euler", "rk4", "rk5dp"):
            row = orders[scheme]
            self.assertAlmostEqual(float(row["stable_step"]) / float(row["theory_step"]), 1, delta=0.05)
        self.assertEqual(orders["crank-nicolson"]["stable_step"], "inf")
        results = json.loads(self.read("run", "run.json"))
        self.assertLess(results["results"]["reference_error_theta"], 1e-7)

    def test_schemes_repeat_bit_for_bit_on_any_number_of_ranks_but_for_the_seconds(self):
        line = [*SCHEMES, "--schemes.names=rk4,rk5dp,bdf2,glee24", "--schemes.steps=0.5,0.25,0.125",
                "--schemes.tolerances=1e-2,1e-4"]
        self.call(*line, "--out.dir=one")
        self.call(*line, "--out.dir=two", ranks=2)
        self.call("schemes", "one/run.ini", "--out.pictures=false", "--out.dir=again")
        self.assert_same_files("one", "two", ["run.ini", "orders.csv"])
        self.assert_same_files("one", "again", ["run.ini", "orders.csv"])
        points = [self.rows(run, "precision.csv") for run in ("one", "two", "again")]
        for rows in points:
            self.assertEqual(len(rows), 4 * 3 + 2 * 2)
            for row in rows:
                self.assertGreater(float(row.pop("seconds")), 0)
        self.assertEqual(points[0], points[1])
        self.assertEqual(points[0], points[2])
        for row in points[0]:
            estimate, error = float(row["error_estimate"]), float(row["error_theta"])
            if row["scheme"] == "glee24":  # of the end, while the error is the largest on the way
                self.assertLess(abs(math.log(estimate / error)), math.log(5), row)
            else:
                self.assertTrue(math.isnan(estimate), row)

    def test_schemes_end_with_3_where_the_reference_fails(self):
        # At such a tolerance every step is accepted, ten times longer than the one before.
        _, err = self.call(*SCHEMES, "--model.kind=rosenbrock", "--schemes.names=rk4", "--schemes.reference=rk5dp",
                           "--schemes.reference_tolerance=1e9", "--out.dir=run", code=3)
        self.assertIn("schemes.reference", err)
        self.assertFalse((self.directory / "run").exists())

    def test_limits_leave_errors_and_fits(self):
        kinds = {"step": ["descent-flow"], "modified": ["theta=0-flow", "theta=0-modified"],
                 "noise": ["sgd-order1", "sgd-order2", "svag-order1"]}
        lines = [[*LIMIT, f"--limit.kind={kind}", "--limit.thetas=0", "--limit.runs=32",
                  "--limit.steps=0.125,0.0625,0.03125", f"--out.dir={kind}"] for kind in kinds]
        self.call_all(lines)
        for kind, series in kinds.items():
            points, fits = self.rows(kind, "limit.csv"), self.rows(kind, "fit.csv")
            self.assertEqual([fit["series"] for fit in fits], series)
            self.assertEqual(len(points), 3 * len(series))
            for point in points:
                self.assertTrue(math.isfinite(float(point["error"])))
                self.assertEqual(float(point["standard_error"]) > 0, kind == "noise")
        order = float(self.rows("step", "fit.csv")[0]["order"])
        self.assertAlmostEqual(order, 1, delta=0.1)

    def test_limits_are_the_same_on_two_ranks(self):
        for kind in ("step", "modified", "noise"):
            line = [*LIMIT, f"--limit.kind={kind}", "--limit.runs=64", "--limit.steps=0.125,0.0625"]
            self.call(*line, f"--out.dir={kind}-one")
            self.call(*line, f"--out.dir={kind}-two", ranks=2)
            self.assert_same_files(f"{kind}-one", f"{kind}-two", ["run.ini", "limit.csv", "fit.csv"])

    def test_limit_of_a_quadratic_is_exact(self):
        self.call("limit", "--limit.kind=noise", "--model.kind=quadratic", "--model.dimension=1",
                  "--limit.steps=0.00390625", "--out.pictures=false", "--out.dir=run")
        first, second = [float(row["error"]) for row in self.rows("run", "limit.csv")]
        self.assertAlmostEqual(first, 3.579e-4, delta=5e-8)
        self.assertAlmostEqual(second, 3.560e-6, delta=5e-10)


if __name__ == "__main__":
    unittest.main()
