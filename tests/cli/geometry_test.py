#!/usr/bin/python3
"""Tests of spectrum and surface from outside: numbers against evaluate's, repetition, ranks, kills."""

import csv
import io
import json
import math
import sys
import unittest
from pathlib import Path

from program import SHORT, ProgramTest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "postprocess"))

from run_report.planes import read_lines  # noqa: E402  (what draws the pictures)

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

    def spectrum(self, directory, *keys, code=0, ranks=0):
        """Runs it without pictures."""
        return self.call("spectrum", "--in.dir=run", f"--out.dir={directory}",
                         "--out.pictures=false", *keys, code=code, ranks=ranks)

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

    def test_is_the_same_for_any_number_of_ranks(self):
        keys = ["--spectrum.path=2", "--spectrum.count=2", "--spectrum.probes=30"]
        for directory, ranks in (("one", 1), ("two", 2), ("three", 3)):
            self.spectrum(directory, *keys, ranks=ranks)
        numbers = [json.loads(self.read(directory, "spectrum.json"))
                   for directory in ("one", "two", "three")]
        for said in numbers:
            del said["product_seconds"]
        for directory, said in zip(("two", "three"), numbers[1:]):
            self.assert_same_files("one", directory, SPECTRUM_FILES)
            self.assertEqual(said, numbers[0])

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
                            (["--spectrum.tolerance=1e-20"], ["spectrum.tolerance", "1e-13"]),
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
                                                  "heat/heat_0002.vti", "heat/critical_0002.vtp"])
        said = self.results("one")
        self.assertEqual(said["points"], 77)
        self.assertEqual(said["centre_loss"], said["trained_loss"])
        self.assertAlmostEqual(said["area"], said["asked_area"], delta=1e-12 * said["area"])
        self.call("evaluate", "--in.dir=run", "--out.dir=point")
        point = json.loads(self.read("point", "evaluate.json"))
        centre = next(row for row in self.table("one", "surface.csv") if row["x"] == row["y"] == 0)
        for mine, theirs in (("loss", "loss"), ("grad_norm", "grad_norm"), ("train_accuracy", "accuracy")):
            self.assertAlmostEqual(centre[mine], point[theirs], delta=1e-12)

    def test_slopes_and_curvatures_are_those_of_the_derivatives(self):
        self.surface("close", "--surface.directions=layer", "--surface.size=9",
                     "--surface.radius=0.02")
        said = self.results("close")
        for axis in "xy":
            # Fourth-order differences at h = 0.005; rounding leaves 1e-16/h^2 in the second.
            self.assertAlmostEqual(said[f"slope_{axis}"], said[f"gradient_{axis}"], delta=1e-8)
            self.assertAlmostEqual(said[f"curvature_{axis}"], said[f"product_{axis}"], delta=1e-7)
            self.assertGreater(abs(said[f"gradient_{axis}"]), 1e-4)

    def test_draws_several_runs_with_their_losses_and_distances(self):
        self.call(*SHORT, "--model.seed=3", "--out.dir=other")
        self.surface("both", "--surface.runs=other", "--surface.size=41")
        (mine, first), (_, second) = read_lines(self.directory / "both" / "paths.vtp")
        self.assertLess(abs(mine[-1]).max(), 1e-12)
        self.assertLess(first["distance"][-1], 1e-12)
        self.assertAlmostEqual(first["loss"][-1], first["surface_loss"][-1], delta=1e-12)
        # The other run's network lies off the plane; its loss is its own, on this run's data.
        self.assertGreater(second["distance"].min(), 0.1)
        self.call("evaluate", "--evaluate.weights=other/weights.csv",
                  "--evaluate.data=run/data.csv", "--out.dir=at-other")
        loss = json.loads(self.read("at-other", "evaluate.json"))["loss"]
        self.assertAlmostEqual(second["loss"][-1], loss, delta=1e-12)

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
        (straight, _), (bent, _) = read_lines(self.directory / "curve" / "connect.vtp")
        self.assertLess(abs(straight[:, 1]).max(), 1e-12)
        # The plane's second unit leads to the bend, half of which a quadratic curve reaches.
        self.assertAlmostEqual(bent[30, 1], 0.5, delta=1e-12)
        for line in (straight, bent):
            self.assertAlmostEqual(line[0, 0], 0, delta=1e-12)
            self.assertAlmostEqual(line[-1, 0], 1, delta=1e-12)

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
                            (["--surface.size=5,7,9"], ["surface.size", "surface.dimensions"]),
                            (["--surface.radius=1,2,3"], ["surface.radius", "surface.dimensions"]),
                            (["--surface.dimensions=4"], ["surface.dimensions"]),
                            (["--surface.bezier=5"], ["surface.bezier", "surface.runs"])):
            keys = keys if "size" in keys[0] else [*keys, "--surface.size=5"]
            _, err = self.call("surface", "--in.dir=run", "--out.dir=none", "--out.pictures=false",
                               *keys, code=2)
            for word in words:
                self.assertIn(word, err)
            self.assertFalse((self.directory / "none").exists())


class Pictures(GeometryTest):
    """What is drawn without being asked."""

    def test_every_result_is_drawn_and_in_the_report(self):
        self.call(*SHORT, "--model.seed=3", "--out.dir=other")
        bent = ["--surface.directions=points", "--surface.runs=other", "--surface.bezier=2"]
        heat = "--surface.heat=0.01,0.1"
        for command, keys, pictures in (
                ("spectrum", ["--spectrum.path=3"], ("spectrum", "sharpness")),
                ("surface", ["--surface.size=9", heat, *bent], ("surface", "heat", "connect", "pca")),
                ("surface", ["--surface.size=9", heat, "--surface.dimensions=1"], ("line", "heat")),
                ("surface", ["--surface.size=5", "--surface.dimensions=3"], ("volume", "pca"))):
            out = "-".join(pictures)
            _, err = self.call(command, "--in.dir=run", f"--out.dir={out}", *keys)
            self.assertNotIn("left out", err)
            report = self.read(out, "report.html").decode()
            self.assertEqual(report.count("<img"), len(list((self.directory / out).glob("*.png"))))
            for name in pictures:
                self.assertTrue((self.directory / out / f"{name}.png").is_file(), name)


if __name__ == "__main__":
    unittest.main()
