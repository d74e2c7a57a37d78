#!/usr/bin/python3
"""Tests of the command line's contract: exit codes, files, repetition, resumption."""

import csv
import json
import random
import re
import signal
import sqlite3
import time
import unittest

from program import NO_PICTURES, SHORT, SMALL_DATA, TRAIN, ProgramTest, ini_values

STUDY_FILES = ["runs.csv", "effects.csv", "shares.csv", "claims.csv", "curves.csv"]
RUN_FILES = ["run.ini", "data.csv", "metrics.csv", "weights.csv"]


def study(*keys, methods="sgd,laplacian-sgd,gradient-flow", seeds=2,
          factors="data.kind=moons,sine data.noise=0,0.2"):
    """A line for a small study: 24 runs, where nothing else is said."""
    return ["study", "--data.samples=24", "--data.validation_samples=12", "--data.test_samples=12",
            "--out.pictures=false", "--model.hidden=4", "--scheme.batch=8", "--record.count=3",
            "--study.matching=equal-step", f"--study.methods={methods}", f"--study.seeds={seeds}",
            f"--study.factors={factors}", *keys]


class Misuse(ProgramTest):
    """Exit code 2: a sentence that names what is wrong, and nothing is written."""

    def assert_refused(self, cases):
        """Each case: arguments, then what the message must hold."""
        said = self.call_all([line for line, _ in cases], code=2)
        for (line, expected), (out, err) in zip(cases, said):
            for words in expected:
                self.assertIn(words, err, line)
            self.assertEqual(out, "", line)
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_names_the_nearest_command_key_and_value(self):
        self.assert_refused([
            (["tran"], ["'tran'", "train"]),
            (["train", "--model.hiden=3"], ["'model.hiden'", "model.hidden"]),
            (["train", "--data.batch=3"], ["'data.batch'; did you mean scheme.batch?"]),
            (["train", "--batches=3"], ["'batches'; did you mean scheme.batch?"]),
            (["train", "--out=here"], ["'out'; valid: out.dir, out.overwrite, out.pictures\n"]),
            (["train", "--config=x.ini"], ["'config'; valid: data.*, model.*, "]),
            (["train", "--model.activation=tanhh"], ["model.activation", "'tanhh'", "tanh"]),
            (["train", "--scheme.name=rk44"], ["scheme.name", "'rk44'", "rk4"]),
            (["train", "--scheme.name=radau5"], ["radau5 is not in this build of PETSc; take ", "bdf"]),
            ([*SHORT, "--scheme.name=velocity-verlet"], ["velocity-verlet", "give flow.gamma"]),
            ([*SHORT, "--scheme.name=rk4", "--flow.diffusion=law", "--flow.gamma=1"], ["flow.gamma", "no noise"]),
            (["limit", "--limit.kind=step", "--flow.diffusion=law", "--scheme.name=langevin"], ["flow.diffusion", "noise"]),
            (["study", "--study.methods=sgd,momentun"], ["study.methods", "momentum"]),
            (["study", "--model.kind=quadratic", "--study.methods=sgd,momentum", "--study.factors=none",
              "--study.matching=tuned"], ["study.matching: tuned", "validation"]),
            (["study", "--study.matching=tuned", "--study.tuning=1,16", "--scheme.step=.1", "--scheme.decay=1"],
             ["scheme.step", "1.6"]),
            (["list", "lossses"], ["'lossses'", "losses"]),
        ])

    def test_names_the_nearest_petsc_option(self):
        rk4 = [*SHORT, "--scheme.name=rk4"]
        self.assert_refused([
            ([*rk4, "--", "-ts_typ", "rk"], ["-ts_typ", "-ts_type"]),
            ([*rk4, "--petsc.options=-ts_typ rk"], ["-ts_typ", "-ts_type"]),
            ([*rk4, "--", "-ts_type", "rkk"], ["rkk"]),
            ([*rk4, "--", "-ts_dt", "abc"], ["abc"]),
            ([*rk4, "--", "-ts_rk_type", "5dp"], ["-ts_rk_type 5dp", "take scheme.name"]),
            ([*rk4, "--", "ts_type", "rk"], ["'ts_type'"]),
            ([*rk4, "--", "-ts_type", "rk", "junk"], ["'junk'"]),
            ([*SHORT, "--", "-ts_type", "rk"], ["-ts_type"]),
            (["data", "--", "-ts_type", "rk"], ["-ts_type"]),
        ])

    def test_refuses_values_that_mean_nothing(self):
        self.assert_refused([
            (["data", "--data.noise=nan"], ["data.noise", "nan"]),
            ([*TRAIN, "--scheme.schedule=step", "--scheme.period=5", "--stop.time=100"], ["stop.time", "never reached"]),
            ([*TRAIN, "--scheme.schedule=cosine", "--stop.time=9"], ["scheme.period", "cosine"]),
            ([*TRAIN, "--scheme.name=rk4", "--scheme.clip=1"], ["scheme.clip", "rk4"]),
            (["data", "--data.noise=-inf"], ["data.noise", "inf"]),
            (["data", "--data.noise=1e400"], ["data.noise", "1e400"]),
            (["data", "--data.noise=1"], ["data.noise", "below 1"]),
            (["data", "--data.seed=-1"], ["data.seed", "-1"]),
            (["data", "--data.seed=1.5"], ["data.seed", "1.5"]),
            (["data", "--data.samples=1e9"], ["data.samples", "1e9"]),
            (["data", "--data.samples"], ["data.samples"]),
            (["data", "--data.kind=csv"], ["data.file"]),
            (["data", "--data.file=\n[out]"], ["data.file", "run.ini"]),
            (["train", "--scheme.step=0"], ["scheme.step"]),
            (["train", "--scheme.rtol=1e-3"], ["scheme.rtol", "sgd"]),
            (["train", "--surface.size=4"], ["surface.size", "odd"]),
            (["train", "--model.hidden=,"], ["model.hidden"]),
            (["train", "--model.hidden=4,-4"], ["model.hidden"]),
            (["train", "--flow.diffusion=+"], ["flow.diffusion"]),
            (["train", "--record.probes=,"], ["record.probes"]),
            (["train", "--out.overwrite=yes"], ["out.overwrite", "true"]),
            (["train", "--model.kind=rosenbrok"], ["model.kind", "'rosenbrok'", "rosenbrock"]),
            (["train", "--model.kind=rosenbrock", "--model.dimension=1"], ["model.dimension", "1"]),
            (["train", "--model.kind=quadratic", "--flow.diffusion=weights"],
             ["flow.lattice", "neurons", "ring"]),
            (["train", "--model.kind=quadratic", "--record.probes=loss,test_accuracy"],
             ["record.probes", "test_accuracy"]),
        ])

    def test_refuses_what_no_memory_holds(self):
        self.assert_refused([
            (["data", "--data.samples=1000000000000"], ["data.samples", "GB"]),
            (["train", "--model.hidden=1000000,1000000"], ["model.hidden", "GB"]),
            (["train", "--model.hidden=9000000000000000000,9000000000000000000"], ["model.hidden"]),
            (["train", "--record.count=2147483647"], ["record.count", "GB"]),
            (["train", "--surface.size=2147483647"], ["surface.size", "GB"]),
        ])

    def test_refuses_a_key_given_twice(self):
        self.assert_refused([(["data", "--data.seed=1", "--data.seed=2"], ["data.seed", "twice"])])
        self.write("twice.ini", "[data]\nseed = 1\nseed = 2\n")
        _, err = self.call("data", "twice.ini", code=2)
        self.assertIn("'data.seed' is given twice", err)

    def test_names_the_file_with_an_unknown_key(self):
        self.write("odd.ini", "[data]\nsed = 1\n")
        _, err = self.call("data", "odd.ini", code=2)
        for words in ("odd.ini", "data.sed", "data.seed"):
            self.assertIn(words, err)
        self.write("junk.ini", "what is this\n")
        self.call("data", "junk.ini", code=2)
        self.write("good.ini", "[data]\nseed = 1\n")
        _, err = self.call("data", "good.ini", "odd.ini", code=2)
        self.assertIn("odd.ini", err)

    def test_says_how_it_is_used(self):
        out, _ = self.call(code=2)
        self.assertIn("thalweg COMMAND", out)

    def test_refuses_a_study_with_a_bad_level_before_anything_is_written(self):
        self.assert_refused([
            (study(factors="data.kind=moons,sinee"), ["data.kind", "sinee", "sine"]),
            (study(factors="data.noise=0,0.2x"), ["data.noise", "0.2x"]),
            (study(factors="data.nois=0,0.2"), ["data.nois", "data.noise"]),
            (study(factors="data.noise=0,0"), ["data.noise", "twice"]),
            (study(factors="data.noise"), ["data.noise"]),
            (study(factors="model.seed=1,2"), ["model.seed", "study.seeds"]),
            (study(factors="scheme.name=sgd,momentum"), ["scheme.name", "method"]),
            (study("--study.baseline=momentum"), ["study.baseline", "momentum"]),
        ])


class Environment(ProgramTest):
    """Exit code 4: a file cannot be read or written."""

    def test_names_a_missing_file(self):
        self.write("fine.ini", "[data]\nseed = 1\n")
        cases = [
            (["train", "none.ini"], "none.ini"),
            (["data", "--data.kind=csv", "--data.file=none.csv"], "none.csv"),
            (["evaluate", "--in.dir=none"], "run.ini"),
            (["evaluate", "--evaluate.weights=none.csv", "--evaluate.data=none.csv"], "none.csv"),
            (["train", "."], "'.' is a directory"),
            (["surface", "."], "--in.dir=."),
        ]
        for (_, name), (_, err) in zip(cases, self.call_all([line for line, _ in cases], code=4)):
            self.assertIn(name, err)
        self.assertEqual([path.name for path in self.directory.iterdir()], ["fine.ini"])

    def test_names_a_directory_that_cannot_be_made(self):
        self.write("file", "")
        for _, err in self.call_all([[*SHORT, "--out.dir=file/run"], ["data", "--out.dir=file/run"],
                                     study("--out.dir=file/run")], code=4):
            self.assertRegex(err, r"out\.dir: cannot create '.*file/run': Not a directory")


class Results(ProgramTest):
    """What a run leaves behind, and what it leaves alone."""

    def status(self, *parts):
        """The status in a run's run.json."""
        return json.loads(self.read(*parts, "run.json"))["status"]

    def test_keeps_the_results_of_a_run_that_diverges(self):
        _, err = self.call(*TRAIN, "--stop.steps=5", "--scheme.step=1e300", "--model.loss=mse",
                           "--model.activation=identity", "--out.dir=run", code=3)
        self.assertIn("exceeds the stability limit 2 of sgd; try a step below", err)
        self.assertEqual(self.status("run"), "diverged")
        rows = self.read("run", "metrics.csv").decode().splitlines()
        self.assertEqual(len(rows), 3)
        self.assertIn("nan", rows[-1])
        self.assertTrue((self.directory / "run" / "weights.csv").exists())

    def test_says_by_how_much_a_step_is_too_long(self):
        # The logistic loss saturates: not one number overflows on the way.
        moons = ["train", *SMALL_DATA, *NO_PICTURES, "--data.kind=moons", "--scheme.batch=0", "--stop.steps=100",
                 "--scheme.name=rk4"]
        _, err = self.call(*moons, "--scheme.step=50", "--out.dir=long", code=3)
        said = re.search(r"energy rose from (\S+) to (\S+): step x sharpness = (\S+) exceeds the stability limit 2.79"
                         r" of rk4; try a step below (\S+), or an implicit scheme", err)
        self.assertIsNotNone(said, err)
        before, after, load, step = map(float, said.groups())
        self.assertGreater(after, before)
        self.assertAlmostEqual(step * load, 50 * 2.785, delta=0.02 * 50 * 2.785)  # three digits each
        self.assertEqual(self.status("long"), "diverged")
        self.call(*moons, f"--scheme.step={0.9 * step}", "--out.dir=short")

    def test_keeps_the_results_of_an_interrupted_run(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                run = f"run{number}"
                process = self.start(*TRAIN, "--stop.time=1e9", f"--out.dir={run}")
                self.wait_until((self.directory / run / "data.csv").exists, process)
                process.send_signal(number)
                self.finish(process, 130)
                self.assertEqual(self.status(run), "interrupted")
                rows = self.read(run, "metrics.csv").decode().splitlines()
                self.assertGreaterEqual(len(rows), 2)
                self.assertTrue((self.directory / run / "weights.csv").exists())

    def test_draws_a_run_that_never_moved(self):
        line = [key for key in TRAIN if key not in NO_PICTURES]
        self.call(*line, "--out.pictures=false", "--surface.size=3", "--decision.size=3",
                  "--stop.loss=1e9", "--out.dir=run")
        self.assertEqual(self.status("run"), "loss")

    def test_trains_on_a_landscape_and_evaluates_it(self):
        line = ["train", "--model.kind=rosenbrock", "--scheme.name=rk5dp", "--scheme.rtol=1e-8",
                "--scheme.step=1e-4", "--stop.time=20", "--surface.size=5", "--out.pictures=false"]
        self.call(*line, "--out.dir=run")
        self.call("train", "run/run.ini", "--out.pictures=false", "--out.dir=again")
        self.assert_same_files("run", "again", ["run.ini", "metrics.csv", "weights.csv"])
        files = {path.name for path in (self.directory / "run").iterdir()}
        self.assertLessEqual({"surface.vti", "trajectory.vtp", "view.py"}, files)
        self.assertTrue(files.isdisjoint({"data.csv", "decision.pvd"}))
        header = self.read("run", "metrics.csv").decode().splitlines()[0]
        self.assertNotIn("accuracy", header)
        self.call("evaluate", "--in.dir=run", "--out.dir=there")
        rows = self.read("there", "evaluate.csv").decode().splitlines()
        (x, gx, vx, hx), (y, gy, vy, hy) = [map(float, row.split(",")[1:]) for row in rows[1:]]
        # The valley floor at t = 20 is near (1, 1); the formulas of the function itself.
        self.assertLess(abs(1 - x), 0.1)
        self.assertAlmostEqual(gx, -400 * x * (y - x * x) - 2 * (1 - x), delta=1e-12)
        self.assertAlmostEqual(gy, 200 * (y - x * x), delta=1e-12)
        self.assertAlmostEqual(hx, (1200 * x * x - 400 * y + 2) * vx - 400 * x * vy, delta=1e-9)
        self.assertAlmostEqual(hy, 200 * vy - 400 * x * vx, delta=1e-9)

    def test_survives_an_option_that_talks(self):
        self.call(*SHORT, "--scheme.name=rk4", "--", "-ts_monitor")

    def test_counts_the_steps_of_petsc_schemes(self):
        names = ("rk4", "bdf2", "arkimex3")
        self.call_all([[*TRAIN, f"--scheme.name={name}", "--stop.steps=3", f"--out.dir={name}"]
                       for name in names])
        self.assertEqual([self.status(name) for name in names], 3 * ["steps"])

    def test_overwrites_a_run_only_when_told(self):
        self.call(*SHORT, "--out.dir=run")
        before = self.read("run", "metrics.csv")
        _, err = self.call(*SHORT, "--data.seed=1", "--out.dir=run", code=2)
        self.assertIn("out.overwrite", err)
        self.assertEqual(self.read("run", "metrics.csv"), before)
        self.write("run/notes.txt", "mine")
        self.write("run/evaluate.csv", "left over")
        self.call(*SHORT, "--data.seed=1", "--out.dir=run", "--out.overwrite=true")
        self.assertNotEqual(self.read("run", "metrics.csv"), before)
        self.assertFalse((self.directory / "run" / "evaluate.csv").exists())
        self.assertEqual(self.read("run", "notes.txt"), b"mine")

    def test_leaves_a_directory_alone_that_holds_something_else(self):
        (self.directory / "thesis").mkdir()
        self.write("thesis/chapter.tex", "text")
        lines = [[*SHORT, "--out.dir=thesis", "--out.overwrite=true"],
                 ["data", "--out.dir=thesis", "--out.overwrite=true"],
                 study("--out.dir=thesis", "--out.overwrite=true"),
                 [*SHORT, "--out.dir=thesis/chapter.tex", "--out.overwrite=true"]]
        for _, err in self.call_all(lines, code=2):
            self.assertIn("thesis", err)
        self.assertEqual([path.name for path in (self.directory / "thesis").iterdir()],
                         ["chapter.tex"])
        self.assertEqual(self.read("thesis", "chapter.tex"), b"text")

    def test_does_not_evaluate_into_its_own_input(self):
        self.call(*SHORT, "--out.dir=run")
        self.call("evaluate", "--in.dir=run", "--out.dir=run", "--out.overwrite=true", code=2)
        self.assertTrue((self.directory / "run" / "weights.csv").exists())

    def test_takes_the_first_free_directory(self):
        for _ in range(2):
            self.call("data")
        self.assertEqual(sorted(path.name for path in (self.directory / "results").iterdir()),
                         ["data-1", "data-2"])

    def test_takes_blanks_and_umlauts_in_paths(self):
        self.call(*SHORT, "--out.dir=ein Läufer/no 1")
        self.call("train", "ein Läufer/no 1/run.ini", "--out.dir=zwei", *NO_PICTURES[:1])
        self.assert_same_files("ein Läufer/no 1", "zwei", RUN_FILES)
        self.call("evaluate", "--in.dir=ein Läufer/no 1", "--out.dir=drei")


class Keys(ProgramTest):
    """Help, tables, and which value wins."""

    def help_defaults(self, *commands):
        """The keys of the commands' helps with their defaults, a mapping each."""
        said = self.call_all([[command, "--help"] for command in commands])
        self.assertEqual({err for _, err in said}, {""})
        return [self.defaults_in(out) for out, _ in said]

    def defaults_in(self, text):
        """What a help text says, which has two lines for a key."""
        lines = text.splitlines()[1:]
        defaults = {}
        for key, meaning in zip(lines[::2], lines[1::2]):
            match = re.fullmatch(r"  --([a-z]+\.[a-z0-9_]+)=(.*?)( \[.+\])?", key)
            self.assertIsNotNone(match, key)
            self.assertRegex(meaning, r"^      \S")
            defaults[match[1]] = "" if match[2] == "(not given)" else match[2]
        return defaults

    def test_help_lists_every_key_with_its_default(self):
        *others, data, none = self.help_defaults(
            "study", "train", "schemes", "limit", "surface", "spectrum", "evaluate", "data", "list")
        self.assertEqual(none, {})
        self.call("data", "--out.dir=data")
        used = ini_values(self.read("data", "run.ini").decode())
        self.assertEqual(set(used).difference(data, *others), set())
        for key, value in data.items():
            self.assertEqual(used.get(key, ""), "" if key.startswith("out.") else value, key)

    def test_help_writes_an_ini_file_that_the_command_takes(self):
        lines = {"train": SHORT[1:], "study": study("--stop.steps=5")[1:]}
        for command, defaults in zip(lines, self.help_defaults(*lines)):
            self.write(f"{command}.ini", "".join(
                f"{key} = {value}\n" for key, value in defaults.items()))
        self.call_all([[command, f"{command}.ini", *own, f"--out.dir={command}"]
                       for command, own in lines.items()])

    def test_the_command_line_beats_the_file_beats_the_run_in_in_dir(self):
        self.call("data", "--data.seed=7", "--data.samples=31", "--data.noise=0.1", "--out.dir=a")
        self.write("b.ini", "[data]\nsamples = 32\nnoise = 0.2\n")
        self.call("data", "b.ini", "--data.noise=0.3", "--in.dir=a", "--out.dir=c")
        used = ini_values(self.read("c", "run.ini").decode())
        self.assertEqual([used[f"data.{key}"] for key in ("seed", "samples", "noise", "kind")],
                         ["7", "32", "0.3", "moons"])

    def test_list_prints_markdown_tables(self):
        out, _ = self.call("list")
        tables = re.split(r"^### ", out, flags=re.MULTILINE)[1:]
        self.assertGreater(len(tables), 10)
        alone = self.call_all([["list", table.split("\n")[0]] for table in tables])
        self.assertEqual("".join(each for each, _ in alone), out)
        for table in tables:
            title, empty, *lines = table.rstrip("\n").split("\n")
            self.assertEqual(empty, "", title)
            cells = [re.split(r"(?<!\\)\|", line) for line in lines]
            self.assertGreaterEqual(len(cells), 3, title)
            self.assertEqual(len({len(row) for row in cells}), 1, title)
            self.assertEqual(set(cells[1][1:-1]), {"---"}, title)
            for row in cells[2:]:
                self.assertRegex(row[1], r"^ `[^`]+` $", title)
                self.assertNotEqual(row[-2].strip(), "", title)


class Repetition(ProgramTest):
    """The same line gives the same bytes."""

    def test_run_ini_repeats_the_run(self):
        kinds = {
            "descent": ["--scheme.name=momentum", "--scheme.batch=7", "--data.noise=0.2"],
            "schedule": ["--scheme.name=adam", "--scheme.batch=7", "--scheme.schedule=step", "--scheme.period=9",
                         "--scheme.factor=0.7", "--scheme.warmup=3", "--scheme.clip=0.5", "--scheme.decay=0.1"],
            "implicit": ["--scheme.name=diffusion-sgd", "--scheme.batch=7", "--flow.nu=0.1"],
            "petsc": ["--scheme.name=crank-nicolson", "--model.weight_decay=0.01"],
            "options": ["--scheme.name=rk3bs", "--scheme.rtol=1e-4", "--", "-ts_adapt_safety", "0.7"],
            "adaptive": ["--scheme.name=arkimex3", "--scheme.rtol=1e-4", "--flow.nu=0.1",
                         "--flow.diffusion=weights"],
        }
        line = [*TRAIN, "--stop.time=2"]
        self.call_all([[*line, f"--out.dir={kind}", *keys] for kind, keys in kinds.items()])
        self.call_all([["train", f"{kind}/run.ini", f"--out.dir={kind}-again",
                        "--out.pictures=false"] for kind in kinds])
        self.call_all([[*line, f"--out.dir={kind}-twice", *keys] for kind, keys in kinds.items()])
        for kind in kinds:
            self.assert_same_files(kind, f"{kind}-again", RUN_FILES)
            self.assert_same_files(kind, f"{kind}-twice", RUN_FILES)
        distinct = {self.read(kind, "weights.csv") for kind in kinds}
        self.assertEqual(len(distinct), len(kinds))

    def test_a_study_does_not_depend_on_the_ranks(self):
        line = study("--stop.steps=30")
        processes = [self.start(*line, f"--out.dir=study{ranks}", ranks=ranks)
                     for ranks in (0, 1, 2, 3)]
        processes.append(self.start(*line, "--out.dir=again"))
        for process in processes:
            self.finish(process)
        for other in ("study1", "study2", "study3", "again"):
            self.assert_same_files("study0", other, STUDY_FILES)
        header, *rows = self.read("study0", "runs.csv").decode().splitlines()
        self.assertTrue(header.startswith(
            "run,data.kind,data.noise,matching,method,seed,status,reason,loss,"), header)
        for column in ("test_accuracy", "memorised", "worst_fragment", "steps", "time"):
            self.assertIn(column, header.split(","))
        self.assertEqual([row.split(",")[0] for row in rows],
                         [str(run) for run in range(24)])

    def test_misuse_of_a_study_ends_all_ranks(self):
        _, err = self.call(*study(factors="data.kind=moons,no"), code=2, ranks=2)
        self.assertEqual(err.count("data.kind: no 'no'"), 1)

    def test_a_study_that_rank_0_cannot_prepare_ends_all_ranks(self):
        self.call(*study("--stop.steps=2", seeds=1), "--out.dir=first")
        _, err = self.call(*study("--stop.steps=3", seeds=1), "--out.dir=first", code=2, ranks=2)
        self.assertEqual(err.count("holds a study of another design"), 1, err)

    def test_a_study_outlives_a_seed_whose_data_cannot_be_used(self):
        self.write("rare.csv", "a,b,y\n" + "".join(f"{k % 7}.{k},{int(k == 2)},{k % 2}\n" for k in range(20)))
        _, err = self.call(*study("--data.kind=csv", "--data.file=rare.csv", "--stop.steps=2", seeds=24,
                                  methods="sgd", factors="none"), "--out.dir=rare", code=3)
        rows = self.read("rare", "runs.csv").decode().splitlines()
        self.assertEqual(len(rows), 25)
        failed = [row for row in rows if ",failed," in row]
        self.assertTrue(failed)
        self.assertLess(len(failed), 24)
        self.assertIn("constant on the training split", failed[0])

    def test_a_study_keeps_diverged_runs(self):
        line = study("--model.loss=mse", "--model.activation=identity", "--stop.steps=5",
                     "--scheme.step=1e300", "--out.dir=s", methods="sgd,momentum")
        self.call(*line, code=3)
        rows = self.read("s", "runs.csv").decode().splitlines()[1:]
        self.assertEqual({row.split(",")[6] for row in rows}, {"diverged"})


class Sharing(ProgramTest):
    """Ranks that train one network together."""

    LINE = ("train", "--data.samples=90", "--model.hidden=5", "--scheme.batch=8", "--stop.steps=40",
            "--surface.size=5", "--decision.size=1", "--out.pictures=false")

    def weights(self, directory):
        _, *rows = self.read(directory, "weights.csv").decode().splitlines()
        return [float(row.split(",")[-1]) for row in rows]

    def test_the_ranks_train_one_network(self):
        for ranks in (0, 2, 3):
            self.call(*self.LINE, "--data.parallel=true", f"--out.dir=p{ranks}", ranks=ranks)
            self.read(f"p{ranks}", "surface.vti")
        for ranks in (2, 3):
            for one, other in zip(self.weights("p0"), self.weights(f"p{ranks}"), strict=True):
                self.assertAlmostEqual(one, other, delta=1e-12)

    def test_misuse_ends_all_ranks(self):
        self.write("taken", "")
        _, err = self.call(*self.LINE, "--data.parallel=true", "--out.dir=taken", code=2, ranks=2)
        self.assertEqual(err.count("out.dir"), 1)
        _, err = self.call(*self.LINE, "--data.parallel=true", "--stop.wall=9", code=2, ranks=2)
        self.assertEqual(err.count("stop.wall"), 1)


class Resumption(ProgramTest):
    """A study that was ended goes on where it was."""

    def finished(self):
        """The seconds that each run in the table took, by which one that ran again is known."""
        connection = sqlite3.connect(self.directory / "study" / "study.sqlite", timeout=60)
        try:
            return dict(connection.execute("SELECT run, seconds FROM runs"))
        except sqlite3.OperationalError:  # the table is not there yet
            return {}
        finally:
            connection.close()

    def finished_so_far(self):
        """The same while the program has the table open."""
        log = self.directory / "study" / "study.sqlite-wal"
        return self.finished() if log.exists() else {}

    def test_a_killed_study_loses_no_run_and_repeats_none(self):
        line = study("--stop.steps=3000")
        whole = self.start(*line, "--out.dir=whole")
        process = self.start(*line, "--out.dir=study")
        self.wait_until((self.directory / "study").exists, process)
        process.kill()
        process.wait()
        known, moments = {}, random.Random(1)
        for _ in range(10):
            target = len(known) + moments.randint(0, 2)
            process = self.start(*line, "--out.dir=study")
            # On a machine that leaves this test waiting, a study may end before it is killed.
            while len(known) < target and process.poll() is None:
                known |= self.finished_so_far()
            time.sleep(moments.uniform(0, 0.1))
            process.kill()
            process.wait()
            known |= self.finished()
        _, err = self.call(*line, "--out.dir=study")
        before = int(re.search(r"(\d+) of them finished before", err)[1])
        self.assertGreaterEqual(before, len(known))
        self.assertEqual(known.items() - self.finished().items(), set())
        self.finish(whole)
        self.assert_same_files("study", "whole", STUDY_FILES)

    def test_an_interrupted_study_keeps_its_runs(self):
        process = self.start(*study("--stop.steps=1000", "--out.dir=study", seeds=9999))
        self.wait_until(self.finished_so_far, process)
        process.send_signal(signal.SIGINT)
        self.finish(process, 130)
        rows = self.read("study", "runs.csv").decode().splitlines()[1:]
        self.assertEqual(len(rows), len(self.finished()))
        self.assertEqual(json.loads(self.read("study", "run.json"))["status"], "interrupted")

    def test_shards_join_to_the_whole_study(self):
        line = study("--stop.steps=20")
        self.call(*line, "--out.dir=whole")
        for part in (1, 2, 3):
            self.call(*line, f"--out.dir=part{part}", f"--study.shard={part}/3")
        _, err = self.call(*line, "--out.dir=joined", "--study.merge=part1,part2,part3")
        self.assertIn("24 of them finished before", err)
        self.assert_same_files("joined", "whole", STUDY_FILES)
        for merge, problem in {"part1,nowhere": "nowhere holds no study.sqlite",
                               "part1,joined": "another design"}.items():
            extra = ["--model.seed=1"] if "joined" in merge else []
            _, err = self.call(*line, *extra, "--out.dir=bad", f"--study.merge={merge}", code=2)
            self.assertIn("study.merge: ", err)
            self.assertIn(problem, err)
            self.assertFalse((self.directory / "bad").exists())
        _, err = self.call(*line, "--study.shard=4/3", code=2)
        self.assertIn("study.shard: there is no part 4/3", err)

    def test_another_design_does_not_take_over(self):
        line = study("--stop.steps=5", "--out.dir=study")
        self.call(*line)
        before = {name: self.read("study", name) for name in [*STUDY_FILES, "run.ini"]}
        _, err = self.call(*line, "--model.seed=1", code=2)
        self.assertIn("another design", err)
        self.call(*line)
        for name, content in before.items():
            self.assertEqual(self.read("study", name), content)
        self.call(*line, "--model.seed=1", "--out.overwrite=true")
        self.assertNotEqual(self.read("study", "runs.csv"), before["runs.csv"])


class OwnData(ProgramTest):
    """A table from elsewhere, from its file to an evaluated network."""

    def table(self, header=True):
        """Sixty flowers of three kinds about three centres."""
        draw = random.Random(1)
        lines = ["petal length,petal width,kind"] if header else []
        for kind, (x, y) in {"iris": (0, 0), "rose": (3, 0), "tulip": (0, 3)}.items():
            lines += [f"{draw.gauss(x, 0.3)},{draw.gauss(y, 0.3)},{kind}" for _ in range(20)]
        return lines

    def test_trains_and_evaluates_three_classes(self):
        self.write("flowers.csv", "\n".join(self.table()) + "\n")
        self.call("train", "--data.kind=csv", "--data.file=flowers.csv", *NO_PICTURES,
                  "--model.hidden=8", "--stop.time=20", "--scheme.step=0.2", "--out.dir=run")
        self.call("evaluate", "--in.dir=run", "--out.dir=ev", "--evaluate.split=train")
        trained = json.loads(self.read("run", "run.json"))["results"]
        found = json.loads(self.read("ev", "evaluate.json"))
        self.assertEqual(found["loss_name"], "softmax")
        self.assertEqual(found["loss"], trained["loss"])
        self.assertGreater(found["accuracy"], 0.9)
        self.assertEqual(found["parameters"], 3 * 8 + 9 * 3)

    def test_is_studied_with_wrong_labels_put_in(self):
        self.write("flowers.csv", "\n".join(self.table()) + "\n")
        out, _ = self.call(*study("--data.kind=csv", "--data.file=flowers.csv", "--stop.steps=24", "--flow.draws=2",
                                  "--out.dir=study", methods="sgd,smoothed-sgd,sam", factors="data.noise=0,0.3"))
        self.assertIn("0 of 12 runs diverged or gave up", out)
        runs = list(csv.DictReader(self.read("study", "runs.csv").decode().splitlines()))
        self.assertEqual(len(runs), 12)
        self.assertEqual({run["gradients"] for run in runs}, {"24"})
        self.assertEqual({(run["method"], run["steps"]) for run in runs},
                         {("sgd", "24"), ("smoothed-sgd", "6"), ("sam", "12")})
        for run in runs:
            noisy = run["data.noise"] != "0"
            self.assertEqual(float(run["noise_realised"]) > 0, noisy)
            self.assertGreater(float(run["sharpness"]), 0)
            self.assertNotEqual(run["trace"], "nan")

    def test_a_header_makes_no_difference(self):
        self.write("a.csv", "\n".join(self.table()) + "\n")
        self.write("b.csv", "\n".join(self.table(header=False)))
        outputs = self.call_all([["data", "--data.kind=csv", f"--data.file={name}.csv",
                                  f"--out.dir={name}"] for name in "ab"])
        self.assert_same_files("a", "b", ["data.csv"])
        self.assertIn("class_names iris, rose, tulip", outputs[0][0])
        self.assertIn("feature_names petal length, petal width", outputs[0][0])

    def test_names_the_line_of_a_missing_value(self):
        lines = self.table()
        lines[6] = ",1,iris"
        self.write("hole.csv", "\n".join(lines))
        _, err = self.call("data", "--data.kind=csv", "--data.file=hole.csv", code=2)
        for words in ("hole.csv", "line 7", "petal length", "missing"):
            self.assertIn(words, err)
        self.assertEqual([path.name for path in self.directory.iterdir()], ["hole.csv"])


class Voice(ProgramTest):
    """What is said where."""

    def test_quiet_says_nothing_on_standard_error(self):
        for _, err in self.call_all([
                [*SHORT, "--quiet", "--out.dir=a"], study("--stop.steps=5", "--quiet"),
                ["data", *SMALL_DATA, "--quiet", "--out.dir=d"]]):
            self.assertEqual(err, "")

    def test_a_file_gets_no_progress_line(self):
        for out, err in self.call_all([[*SHORT, "--out.dir=a"], study("--stop.steps=5")]):
            self.assertNotIn("\r", out + err)
            self.assertNotIn("\033", out + err)


if __name__ == "__main__":
    unittest.main()
