#!/usr/bin/env python3
"""Tests of the reports: `/usr/bin/python3 tests/postprocess/report_test.py`."""

import html
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

POSTPROCESS = Path(__file__).resolve().parents[2] / "postprocess"
sys.path.insert(0, str(POSTPROCESS))

import style  # noqa: E402  (it lives beside report.py, which is no package)

HOSTILE = "<script>alert('x')</script>"
RUNS = ("run,data.kind,data.noise,method,seed,status,reason,steps,gradients,time,loss,"
        "test_accuracy,memorised,worst_fragment,roughness,turning")
EFFECTS = "measure,method,data.kind,data.noise,pairs,mean,low,high,p,p_holm,verdict"


def write(path, header, rows):
    """A CSV file."""
    lines = [",".join(map(str, row)) for row in rows]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def make_study(directory, pairs=8, kinds=("islands", "sine"), extra=True):
    """A tiny study of two methods, two kinds of data, two noise rates; one run diverged."""
    runs, curves = [], []
    for kind in kinds:
        for noise in (0, 0.2):
            for method in ("sgd", "laplacian-sgd"):
                for seed in range(pairs):
                    run = f"r{len(runs)}"
                    bad = method == "laplacian-sgd" and kind == kinds[0] and noise and not seed
                    status = "diverged" if bad else "time"
                    memorised = 0.2 if noise else "nan"
                    values = [0.3, 0.9 - noise / 4 + seed / 1000, memorised, 0.8, 0.4, 0.1]
                    values = ["nan"] * len(values) if bad else values
                    runs.append([run, kind, noise, method, seed, status, "", 9, 9, 1, *values])
                    curves += [[run, t / 4, t, 0.7 - t / 10, 0.5 + t / 10,
                                t / 20 if noise else "nan"] for t in range(5)]
    write(directory / "runs.csv", RUNS, runs)
    few = pairs < 6
    said = "too few pairs" if few else "helps"
    unseen = "too few pairs" if few else "no difference seen"
    everywhere = pairs if few else 4 * pairs
    effects = [["roughness", "*", "*", everywhere, -0.1234, -0.15, -0.09, 0, 0, said],
               ["test_accuracy", "*", "*", everywhere, 0.0321, 0.021, 0.043, 0, 0, said],
               ["worst_fragment", kinds[0], "*", pairs, 0.005, -0.02, 0.03, 0.5, 1, unseen],
               ["worst_fragment", "*", "*", everywhere, 0.5, 0.4, 0.6, 0, 0, said]]
    effects += [["test_accuracy", kind, noise, pairs, 0.03, 0.02, 0.04, 0, 0, said]
                for kind in kinds for noise in (0, 0.2)]
    write(directory / "effects.csv", EFFECTS,
          [[measure, "laplacian-sgd", *rest] for measure, *rest in effects])
    if extra:
        write(directory / "curves.csv", "run,time,step,loss,test_accuracy,memorised", curves)
        write(directory / "shares.csv", "measure,term,degrees,share,low,high",
              [["test_accuracy", "data.kind", 1, 0.61, 0.55, 0.67],
               ["test_accuracy", "method", 1, 0.02, 0.01, 0.03],
               ["test_accuracy", "data.kind x method", 1, 0.01, 0, 0.02],
               ["test_accuracy", "residual", 30, 0.36, 0.3, 0.4],
               ["test_accuracy", "data (all)", 1, 0.61, 0.55, 0.67]])
        write(directory / "claims.csv", "question,answer",
              [["Does it smooth?", '"Yes, by −0.1 [−0.2, −0.05]."'], ["Is it <stable>?", "It is."]])
        (directory / "run.json").write_text('{"command": "study"}')
        (directory / "run.ini").write_text("[data]\nkind = islands\n")


def run(program, *arguments):
    """Runs a program of postprocess/ as a user does."""
    return subprocess.run([sys.executable, str(POSTPROCESS / program), *map(str, arguments)],
                          capture_output=True, text=True, check=False)


def readable(text):
    """What a reader sees: no pictures, no style sheet, no tags, entities resolved."""
    text = re.sub(r"<style>.*?</style>", "", text, flags=re.S)
    text = re.sub(r"data:image[^\"]*", "", text)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", text)))


class ReportCase(unittest.TestCase):
    """A directory of its own for every test."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = Path(holder.name)

    def report(self, program="report.py"):
        """The page that the program writes; it must succeed and be silent on the error stream."""
        done = run(program, self.directory, "--quiet")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        return (self.directory / "report.html").read_text(encoding="utf-8")


class Study(ReportCase):

    def test_verdict_holds_the_numbers_of_effects(self):
        make_study(self.directory)
        seen = readable(self.report()).split("Pictures")[0]
        for words in ("1 of 1 diffusion methods smooth", "roughness −0.123 [−0.150, −0.090]",
                      "+0.032 [+0.021, +0.043]", "helps in 4 and hurts in 0 of 4 cells",
                      "1 of 64 runs diverged or failed (laplacian-sgd 1)",
                      "no difference seen: laplacian-sgd (+0.005 [−0.020, +0.030])"):
            self.assertIn(words, seen)

    def test_claims_open_the_page_with_the_methods_behind_them(self):
        make_study(self.directory)
        page = self.report()
        self.assertIn("<b>Is it &lt;stable&gt;?</b> It is.", page)
        places = [page.index(text) for text in ("Yes, by −0.1", "smooth the path", "It is.", "runs diverged", "<img")]
        self.assertEqual(places, sorted(places))
        shares = re.findall(r'alt="(Variance shares[^"]*)"', page)
        self.assertTrue(shares)
        self.assertNotIn("data (all)", readable(page).split("Tables")[0])

    def test_geometry_has_a_picture_and_a_direction(self):
        make_study(self.directory)
        write(self.directory / "runs.csv", "run,method,seed,status,sharpness,trace",
              [[i, method, i // 2, "steps", 20 + i, 60] for i, method in enumerate(["sgd", "laplacian-sgd"] * 8)])
        write(self.directory / "effects.csv", "measure,method,pairs,mean,low,high,p,p_holm,verdict",
              [["sharpness", "laplacian-sgd", 8, -3, -4, -2, 0, 0, "lowers"]])
        seen = readable(self.report())
        self.assertIn("1 of 1 diffusion methods end where the loss is flatter, 0 where it is sharper", seen)
        self.assertIn("How sharp the loss is where it ends", seen)

    def test_worst_fragment_is_judged_on_the_fragmented_data_only(self):
        make_study(self.directory)
        self.assertNotIn("+0.5", readable(self.report()).split("Pictures")[0])

    def test_two_dials_make_a_phase_diagram(self):
        levels = [(grid, noise) for grid in (2, 3, 4) for noise in (0, 0.2, 0.4)]
        write(self.directory / "runs.csv", "run,data.grid,data.noise,method,seed,status,test_accuracy",
              [[0, grid, noise, method, 0, "steps", 0.9] for grid, noise in levels
               for method in ("sgd", "momentum")])
        write(self.directory / "effects.csv",
              "measure,method,data.grid,data.noise,pairs,mean,low,high,p,p_holm,verdict",
              [["test_accuracy", "momentum", grid, noise, 9, grid * noise, 0, 1, 0, 0,
                "helps" if grid > 2 else "no difference seen"] for grid, noise in levels])
        self.assertIn("Phase diagram over label noise and data.grid", readable(self.report()))
        self.assertIn("+1.600 (higher is better)", readable(self.report()))
        make_study(self.directory)
        self.assertNotIn("Phase diagram", self.report())

    def test_fewer_than_six_pairs_cannot_be_significant(self):
        make_study(self.directory, pairs=4)
        seen = readable(self.report())
        self.assertIn("Nothing can be significant here", seen)
        self.assertIn("too few pairs", seen)

    def test_hostile_names_are_escaped(self):
        make_study(self.directory, kinds=("islands", HOSTILE))
        page = self.report()
        self.assertNotIn("<script", page)
        self.assertIn(html.escape(HOSTILE), page)

    def test_page_asks_the_network_for_nothing(self):
        make_study(self.directory)
        page = self.report()
        self.assertNotRegex(page, r"(https?:)?//[a-z]|url\(|@import|<link|<iframe")
        self.assertEqual(set(re.findall(r'src="([a-z]+:[a-z/+]+)', page)), {"data:image/svg+xml"})

    def test_verdict_comes_before_pictures_tables_and_command(self):
        make_study(self.directory)
        page = self.report()
        places = [page.index(text) for text in ('class="verdict"', "<img", "<table", "<pre>")]
        self.assertEqual(places, sorted(places))
        self.assertRegex(page, "<pre>thalweg study .*run.ini")

    def test_what_is_absent_is_left_out(self):
        make_study(self.directory, extra=False)
        seen = readable(self.report())
        for words in ("nan", "None", "What explains", "along the path", "Repeat it"):
            self.assertNotIn(words, seen)
        self.assertIn("+0.032 [+0.021, +0.043]", seen)

    def test_runs_alone_make_a_report(self):
        write(self.directory / "runs.csv", "run,flow.nu,method,seed,status,reason,loss",
              [["a", "1e-3", "sgd", 0, "time", "", 0.5],
               ["b", "1e-2", "sgd", 0, "time", "", "nan"]])
        seen = readable(self.report())
        self.assertIn("There are no paired effects", seen)
        self.assertNotIn("nan", seen)

    def test_runs_that_all_diverged_make_a_report(self):
        write(self.directory / "runs.csv", "run,method,seed,status,reason,loss,test_accuracy",
              [[i, "sgd", i, "diverged", "loss is $\\infty$", "inf", "nan"] for i in range(3)])
        seen = readable(self.report())
        self.assertIn("3 of 3 runs diverged or failed", seen)
        self.assertNotIn("nan", seen)

    def test_the_same_files_give_the_same_page(self):
        make_study(self.directory)
        self.assertEqual(self.report(), self.report())

    def test_misuse_is_one_sentence(self):
        for directory in (self.directory / "absent", self.directory):
            done = run("report.py", directory)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertIn(str(directory), done.stderr)


class WrittenByTheProgram(ReportCase):
    """Tables with the very columns and words of `thalweg study`."""

    RUNS = ("run,data.kind,data.noise,matching,method,seed,status,reason,loss,test_accuracy,"
            "memorised,worst_fragment,path_length,roughness,turning,steps,gradients,time")
    EFFECTS = "measure,method,matching,data.kind,data.noise,pairs,mean,low,high,p,p_holm,verdict"
    MEANS = {"equal-step": -0.05, "equal-effective-step": -0.002}  # of the test accuracy

    def effects(self, seeds):
        """All cells, all levels and the whole, as the program pools them."""
        kinds, noises = ("islands", "sine"), ("0", "0.2")
        cells = [(k, n) for k in kinds for n in noises]
        cells += [(k, "*") for k in kinds] + [("*", n) for n in noises] + [("*", "*")]
        for measure in ("test_accuracy", "worst_fragment", "roughness", "path_length", "memorised"):
            for matching, mean in self.MEANS.items():
                for cell in cells:
                    numbers = [seeds, mean, mean - 0.01, mean + 0.01, 0.0005, 0.01]
                    seen = seeds >= 12 and matching == "equal-step"
                    word = {"path_length": "lowers", "roughness": "helps"}.get(measure, "hurts")
                    if measure == "memorised":
                        seen, numbers = False, [0, *["nan"] * 5]
                    yield [measure, "laplacian-sgd", matching, *cell, *numbers,
                           word if seen else "no difference seen"]

    def make(self, seeds):
        """Two matchings of two methods on two kinds of data at two noise rates."""
        runs, curves = [], []
        for kind in ("islands", "sine"):
            for noise in ("0", "0.2"):
                for matching, mean in self.MEANS.items():
                    for method in ("sgd", "laplacian-sgd"):
                        for seed in range(seeds):
                            accuracy = 0.9 + seed / 1000 + mean * (method != "sgd")
                            memorised = "nan" if noise == "0" else 0.3
                            runs.append([len(runs), kind, noise, matching, method, seed, "steps",
                                         "", 0.4, accuracy, memorised, 0.8, 6, 0.9, 0.2, 9, 9, 0.9])
                            curves += [[len(runs) - 1, t / 10, t, 0.7 / (1 + t), accuracy,
                                        memorised] for t in range(4)]
        write(self.directory / "runs.csv", self.RUNS, runs)
        write(self.directory / "curves.csv", "run,time,step,loss,test_accuracy,memorised", curves)
        write(self.directory / "effects.csv", self.EFFECTS, self.effects(seeds))
        write(self.directory / "shares.csv", "measure,term,degrees,share,low,high",
              [["test_accuracy", "data.kind", 1, 0.6, 0.5, 0.7],
               ["test_accuracy", "matching x method", 1, 0.02, 0.01, 0.03]])
        (self.directory / "run.json").write_text('{"command": "study", "status": "done"}')
        (self.directory / "run.ini").write_text("[stop]\nsteps = 9\n\n[study]\nbaseline = sgd\n")

    def test_every_matching_has_its_own_claims_forest_and_table(self):
        self.make(12)
        page = self.report()
        seen = readable(page)
        self.assertIn("At equal-effective-step 0 of 1 methods help test accuracy over all cells"
                      " and 0 hurt it, at equal-step 0 and 1.", seen)
        self.assertIn("no difference seen: laplacian-sgd (−0.002 [−0.012, +0.008])", seen)
        self.assertIn("hurts: laplacian-sgd (−0.050 [−0.060, −0.040])", seen)
        for matching in self.MEANS:
            self.assertIn(f"and where it hurts: {matching}", seen)
            self.assertIn(f"Paired effects over all cells, {matching}", seen)
        self.assertIn("lowers", seen)
        self.assertNotIn("nan", seen.split("Repeat it")[0])

    def test_holm_may_need_more_seeds_than_there_are(self):
        self.make(8)
        self.assertIn("Nothing can be significant here: 8 pairs", readable(self.report()))
        self.make(12)
        self.assertNotIn("Nothing can be significant", readable(self.report()))


class TrainingRun(ReportCase):

    def test_metrics_make_a_picture_and_a_page(self):
        write(self.directory / "metrics.csv", "time,step,loss,test_accuracy,memorised",
              [[t, t, 1 / (1 + t), 0.5 + t / 20, "nan"] for t in range(6)])
        page = self.report("pictures.py")
        self.assertTrue((self.directory / "metrics.png").is_file())
        self.assertIn("test accuracy 75 %", readable(page))
        self.assertNotIn("nan", readable(page))

    def test_the_caption_compares_sharpness_with_the_stability_limit(self):
        write(self.directory / "metrics.csv", "time,step,loss,sharpness",
              [[t, t, 1 / (1 + t), min(10 + t, 15)] for t in range(12)])
        (self.directory / "run.json").write_text('{"results": {"stability_limit": 2}}')
        ini = "[flow]\ndiffusion = {}\n[scheme]\nstep = 0.1\nschedule = constant\nwarmup = 0\n"
        for diffusion, words in (("none", True), ("weights", False)):  # 15 of 2/0.1
            (self.directory / "run.ini").write_text(ini.format(diffusion))
            said = "the sharpness of the last third is 0.75 of the stability limit"
            self.assertEqual(said in readable(self.report("pictures.py")), words)

    def test_a_run_that_diverged_at_once_makes_a_page(self):
        write(self.directory / "metrics.csv", "time,step,gradients,loss,energy,roughness",
              [[0, 0, 0, 0.7, 0.7, 0], [50, 1, 1, "nan", "nan", "nan"]])
        (self.directory / "run.json").write_text(
            '{"command": "train", "status": "diverged", "message": "no longer finite",'
            ' "results": {"time": 200.0, "loss": null}}')
        done = run("pictures.py", self.directory, "--quiet")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (0, 1))
        page = readable((self.directory / "report.html").read_text(encoding="utf-8"))
        self.assertIn("ended at training time 200 (diverged: no longer finite)", page)
        self.assertIn("metrics.png is left out", page)

    def test_misuse_is_one_sentence(self):
        for script in ("pictures.py", "precision.py", "limit.py"):
            done = run(script, self.directory)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), script)

    def test_a_comparison_of_schemes_makes_pictures_and_a_page(self):
        points = [[s, family, control, "time" if k else "diverged", "", 2.0**-k,
                   *(3 * [10.0**-k if k else "nan"]), 4 * 2**k, 0.01 * 2**k]
                  for s, family, control in (("rk4", "Runge-Kutta", "step"), ("rk4x", "Runge-Kutta", "tolerance"),
                                             ("bdf2", "BDF", "step"))
                  for k in range(4)]
        write(self.directory / "precision.csv",
              "scheme,family,control,status,reason,dial,error_theta,error_energy,error_output,cost,seconds",
              points)
        fit = "observed,low,high,points,finest,coarsest".split(",")
        header = ["scheme", "family", "order", *(f"{e}_{f}" for e in ("theta", "energy", "output") for f in fit)]
        rows = [[s, f, 4, *(3 * [3.98, 3.9, 4.1, 3, 0.1, 0.4]), step, theory]
                for s, f, step, theory in (("rk4", "Runge-Kutta", 0.278, 0.2785), ("bdf2", "BDF", "inf", "nan"))]
        write(self.directory / "orders.csv", ",".join([*header, "stable_step", "theory_step"]), rows)
        (self.directory / "run.json").write_text('{"results": {"last_sharpness": 10.0}}')
        page = readable(self.report("precision.py"))
        for file in ("precision.png", "stability.png"):
            self.assertTrue((self.directory / file).is_file())
        self.assertIn("12 solves, 3 of them did not reach the end", page)
        self.assertIn("3.98 [3.9, 4.1]", page)
        self.assertNotIn("nan", page.split("Repeat it")[0])

    def test_a_limit_makes_a_picture_and_a_page(self):
        series = [f"theta={t}-{kind}" for t in (0, 0.5, 1) for kind in ("flow", "modified")]
        write(self.directory / "limit.csv", "series,parameter,error,standard_error",
              [[s, h, h * (i + 1), 0.1 * h] for i, s in enumerate(series) for h in (0.1, 0.05, 0.025)])
        write(self.directory / "fit.csv", "series,order,low,high,constant,points,finest,coarsest",
              [[s, 1.0, 0.99, 1.01, i + 1, 3, 0.025, 0.1] for i, s in enumerate(series)])
        page = readable(self.report("limit.py"))
        self.assertTrue((self.directory / "limit.png").is_file())
        self.assertIn("[0.99, 1.01]", page)
        self.assertNotIn("nan", page)



class Numbers(unittest.TestCase):

    def test_an_interval_is_rounded_by_its_width(self):
        self.assertEqual(style.interval(-0.01234, -0.0204, -0.0041), "−0.012 [−0.020, −0.004]")
        self.assertEqual(style.interval(12.3, 2.1, 22.4), "+12 [+2, +22]")
        self.assertEqual(style.interval(0.5, float("nan"), float("nan")), "+0.5")

    def test_what_is_missing_is_a_dash(self):
        self.assertEqual((style.number(float("nan")), style.number(2.5e-9)), ("–", "2.5·10⁻⁹"))


if __name__ == "__main__":
    unittest.main()
