"""Killed runs: repeating the command ends in the bytes of a run that was never interrupted.

    THALWEG=build/release/thalweg tests/cli/checkpoint_test.py
"""

import random
import re
import subprocess
import time
import unittest

from program import SMALL_DATA, ProgramTest

LINE = ["train", *SMALL_DATA, "--model.hidden=8", "--out.pictures=false", "--surface.size=9", "--decision.size=0"]
# Each takes about a second, and some ten checkpoints.
SCHEMES = {
    "adaptive": ["--scheme.name=rk5dp", "--scheme.rtol=1e-9", "--stop.time=300", "--record.checkpoint=200"],
    "additive": ["--scheme.name=arkimex3", "--flow.diffusion=weights", "--scheme.rtol=1e-6", "--stop.time=200",
                 "--record.checkpoint=200"],
    "multistep": ["--scheme.name=bdf2", "--scheme.step=0.1", "--stop.time=300", "--record.checkpoint=300"],
    "batches": ["--scheme.name=sgd", "--scheme.batch=7", "--stop.steps=200000", "--record.checkpoint=20000"],
    "momentum": ["--scheme.name=momentum", "--scheme.batch=7", "--stop.steps=200000", "--record.checkpoint=20000"],
    "adam": ["--scheme.name=adam", "--scheme.batch=7", "--scheme.step=0.001", "--stop.steps=200000",
             "--record.checkpoint=20000"],
}
FILES = ["run.ini", "metrics.csv", "weights.csv", "surface.vti", "trajectory.vtp", "data.csv"]


class KilledRun(ProgramTest):
    """A training run that was ended goes on where it was."""

    def checkpoint(self):
        """What tells one checkpoint of the run from the next."""
        try:
            return (self.directory / "run" / "checkpoint.bin").stat().st_ino
        except FileNotFoundError:
            return None

    def kill_after(self, line, checkpoints, pause):
        """Starts the run, waits for so many checkpoints and a pause, and kills it; whether it had not finished."""
        process = self.start(*line, "--out.dir=run")
        for _ in range(checkpoints):
            before = self.checkpoint()
            while self.checkpoint() == before and process.poll() is None:
                time.sleep(0.001)
        time.sleep(pause)
        process.kill()
        process.wait()
        return self.checkpoint() is not None

    def check(self, scheme):
        line = [*LINE, *SCHEMES[scheme]]
        self.call(*line, "--out.dir=whole")
        moments = random.Random(1)
        kills = [self.kill_after(line, checkpoints, moments.uniform(0, 0.02)) for checkpoints in (1, 2, 2)]
        self.assertTrue(kills[0], "it ended too early to be killed")
        if kills[-1]:
            _, err = self.call(*line, "--out.dir=run")
            self.assertRegex(err, r"goes on from step \d+")
        self.assert_same_files("run", "whole", FILES)
        self.assertFalse((self.directory / "run" / "checkpoint.bin").exists())

    def test_adaptive_runge_kutta(self):
        self.check("adaptive")

    def test_additive_runge_kutta(self):
        self.check("additive")

    def test_multistep(self):
        self.check("multistep")

    def test_mini_batches(self):
        self.check("batches")

    def test_momentum(self):
        self.check("momentum")

    def test_adam(self):
        self.check("adam")

    def test_a_finished_run_is_refused(self):
        line = [*LINE, "--scheme.name=sgd", "--stop.steps=20", "--record.checkpoint=5", "--out.dir=run"]
        self.call(*line)
        _, err = self.call(*line, code=2)
        self.assertIn("out.dir: run holds a run", err)

    def test_other_settings_are_refused(self):
        line = [*LINE, *SCHEMES["batches"]]
        self.assertTrue(self.kill_after(line, 2, 0))
        _, err = self.call(*line, "--scheme.momentum=0.5", "--out.dir=run", code=2)
        self.assertRegex(err, r"out.dir: run holds an unfinished run of other settings: 'momentum = 0.5'")

    def test_a_damaged_checkpoint_is_no_start(self):
        line = [*LINE, *SCHEMES["batches"]]
        self.assertTrue(self.kill_after(line, 2, 0))
        file = self.directory / "run" / "checkpoint.bin"
        whole = file.read_bytes()
        for damaged in (whole[:-1], whole[:200] + b"x" + whole[201:], b"", b"thalweg checkpoint 0\n" + whole[21:]):
            file.write_bytes(damaged)
            _, err = self.call(*line, "--out.dir=run", code=4)
            self.assertIn("cannot go on from 'run/checkpoint.bin'", err)

    def test_an_interrupted_run_goes_on(self):
        line = [*LINE, *SCHEMES["momentum"]]
        process = self.start(*line, "--out.dir=run")
        self.wait_until(lambda: self.checkpoint() is not None, process)
        before = self.checkpoint()
        self.wait_until(lambda: self.checkpoint() != before, process)
        process.send_signal(subprocess.signal.SIGINT)
        self.finish(process, code=130)
        self.call(*line, "--out.dir=run")
        self.call(*line, "--out.dir=whole")
        self.assert_same_files("run", "whole", FILES)


if __name__ == "__main__":
    unittest.main()
