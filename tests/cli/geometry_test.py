#!/usr/bin/python3
"""Tests of spectrum and surface from outside: numbers against evaluate's, repetition, ranks, kills."""

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


SURFACE_FILES = ["run.ini", "surface.csv", "surface.vti", "surface.vts", "paths.vtp", "directions.csv",
                 "pca.csv", "topology.csv", "critical.vtp"]


class Surface(GeometryTest):
    """thalweg surface."""

    def surface(self, directory, *keys, code=0, ranks=0, of="run"):
        """Runs it without pictures, on 11 x 7 nodes where nothing else is said."""
        size = [] if any("surface.size" in key for key in keys) else ["--surface.size=11,7"]
        return self.call("surface", f"--in.dir={of}", f"--out.dir={directory}",
                         "--out.pictures=false", *size, *keys, code=code, ranks=ranks)

    def results(self, directory):
        """The numbers of run.json."""
        return json.loads(self.read(directory, "run.json"))["results"]

    def test_is_the_same_for_any_number_of_ranks_and_checks_itself(self):
        keys = ["--surface.values=loss,train_accuracy,grad_norm", "--surface.heat=0.01,0.1"]
        self.surface("one", *keys)
        self.surface("two", *keys, ranks=2)
        self.call("surface", "one/run.ini", "--out.dir=again", "--out.pictures=false")
        for other in ("two", "again"):
            self.assert_same_files("one", other, [*SURFACE_FILES, "heat.csv", "heat.pvd",
                                                  "heat/heat_0002.vti"])
        said = self.results("one")
        self.assertEqual(said["points"], 77)
        self.assertEqual(said["centre_loss"], said["trained_loss"])
        self.assertAlmostEqual(said["area"], said["asked_area"], delta=1e-12 * said["area"])
        self.call("evaluate", "--in.dir=run", "--out.dir=point")
        point = json.loads(self.read("point", "evaluate.json"))
        centre = next(row for row in self.table("one", "surface.csv") if row["x"] == row["y"] == 0)
        for mine, theirs in (("loss", "loss"), ("grad_norm", "grad_norm"), ("train_accuracy", "accuracy")):
            self.assertAlmostEqual(centre[mine], point[theirs], delta=1e-12)

    def test_finishes_what_a_kill_left_and_computes_no_point_twice(self):
        keys = ["--surface.size=201,101", "--surface.directions=random", "--surface.radius=1,2",
                "--surface.values=loss,test_loss,train_accuracy"]
        line = ["surface", "--in.dir=run", "--out.pictures=false", *keys]
        self.call(*line, "--out.dir=whole")
        process = self.start(*line, "--out.dir=killed")
        partial = self.directory / "killed" / "surface.partial"
        self.wait_until(lambda: partial.exists() and partial.stat().st_size > 5000, process)
        process.kill()
        process.wait()
        kept = partial.read_bytes()
        partial.write_bytes(kept[:-3])  # as if the kill had cut a record
        self.call(*line, "--out.dir=killed")
        self.assert_same_files("whole", "killed", SURFACE_FILES)
        said = self.results("killed")
        self.assertGreater(said["points_kept"], 0)
        self.assertEqual(said["points_kept"] + said["points_computed"], 201 * 101)
        self.assertFalse(partial.exists())
        self.call(*line, "--out.dir=killed", code=2)

    def test_connects_two_runs(self):
        self.call(*SHORT, "--model.seed=3", "--out.dir=other")
        self.surface("line", "--surface.directions=points", "--surface.runs=other",
                     "--surface.dimensions=1", "--surface.size=31")
        at = {round(row["x"], 9): row["loss"] for row in self.table("line", "surface.csv")}
        for where, run in ((0, "run"), (1, "other")):
            self.call("evaluate", f"--evaluate.weights={run}/weights.csv",
                      "--evaluate.data=run/data.csv", f"--out.dir=at-{run}")
            loss = json.loads(self.read(f"at-{run}", "evaluate.json"))["loss"]
            self.assertAlmostEqual(at[where], loss, delta=1e-12)
        self.surface("curve", "--surface.directions=points", "--surface.runs=other",
                     "--surface.bezier=20")
        said, path = self.results("curve"), self.table("curve", "connect.csv")
        self.assertEqual(path[0]["linear_loss"], path[0]["bezier_loss"])
        self.assertAlmostEqual(path[0]["linear_loss"], at[0], delta=1e-14)
        mean = {kind: sum(row[f"{kind}_loss"] for row in path) for kind in ("linear", "bezier")}
        self.assertLess(mean["bezier"], mean["linear"])
        self.assertGreaterEqual(said["linear_barrier"], 0)

    def test_fills_a_volume_in_directions_of_any_kind(self):
        for kind in ("filter", "layer", "hessian", "random", "trajectory", "coordinates"):
            self.surface(kind, f"--surface.directions={kind}", "--surface.dimensions=3",
                         "--surface.size=5")
            said = self.results(kind)
            self.assertEqual(said["points"], 125)
            self.assertEqual(said["centre_loss"], said["trained_loss"])
            self.assertTrue((self.directory / kind / "volume.vti").exists())

    def test_smooths_the_double_well(self):
        self.call("train", "--model.kind=double-well", "--stop.time=20", "--out.dir=well",
                  "--out.pictures=false", "--surface.size=1")
        self.surface("wells", "--surface.directions=coordinates", "--surface.size=401",
                     "--surface.radius=5", "--surface.heat=0.045", "--surface.persistence=0.01",
                     of="well")
        rows = self.table("wells", "topology.csv")
        depths = {time: [row["persistence"] for row in rows
                         if row["heat_time"] == time and not math.isnan(row["persistence"])]
                  for time in (0, 0.045)}
        # sigma = 0.3; a minimum halfway between nodes costs (5/200)^2/8 V'' in each variable.
        for time, depth in ((0, 0.25), (0.045, 0.133225)):
            self.assertEqual(len(depths[time]), 3)
            for found in depths[time]:
                self.assertAlmostEqual(found, depth, delta=5e-4)

    def test_in_float_is_the_same_to_a_millionth_and_says_so(self):
        keys = ["--surface.directions=random", "--surface.values=loss,grad_norm"]
        self.surface("double", *keys)
        self.surface("float", *keys, "--surface.precision=float")
        self.surface("ranks", *keys, "--surface.precision=float", ranks=2)
        self.assert_same_files("float", "ranks", SURFACE_FILES)
        different = 0
        for exact, found in zip(self.table("double", "surface.csv"), self.table("float", "surface.csv")):
            self.assertAlmostEqual(found["loss"], exact["loss"], delta=1e-6 * exact["loss"])
            self.assertEqual(found["grad_norm"], exact["grad_norm"])
            different += found["loss"] != exact["loss"]
        self.assertGreater(different, 50)
        for directory in ("double", "float"):
            image = self.read(directory, "surface.vti")
            self.assertIn(b'Name="precision"', image)
        self.assertEqual(self.results("double")["trained_loss"], self.results("float")["trained_loss"])
        drawn = [key for key in SHORT if "surface.size" not in key]
        self.call(*drawn, "--surface.size=5", "--surface.precision=float", "--out.dir=trained")
        self.assertIn(b'Name="precision"', self.read("trained", "surface.vti"))

    def test_refuses_what_cannot_be(self):
        _, err = self.call("train", "--model.kind=rosenbrock", "--surface.precision=float",
                           "--out.dir=none", code=2)
        self.assertIn("surface.precision: float", err)
        self.assertIn("model.kind=rosenbrock", err)
        for keys, words in ((["--surface.directions=points"], ["surface.runs"]),
                            (["--surface.precision=flaot"], ["surface.precision", "float"]),
                            (["--surface.directions=filtr"], ["surface.directions", "filter"]),
                            (["--surface.values=roughness"], ["surface.values", "roughness"]),
                            (["--surface.values=los"], ["surface.values", "loss"]),
                            (["--surface.size=10"], ["surface.size", "odd"]),
                            (["--surface.dimensions=4"], ["surface.dimensions"]),
                            (["--surface.bezier=5"], ["surface.bezier", "surface.runs"])):
            keys = keys if "size" in keys[0] else [*keys, "--surface.size=5"]
            _, err = self.call("surface", "--in.dir=run", "--out.dir=none", "--out.pictures=false",
                               *keys, code=2)
            for word in words:
                self.assertIn(word, err)
            self.assertFalse((self.directory / "none").exists())


if __name__ == "__main__":
    unittest.main()
