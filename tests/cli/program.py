"""Runs the program that the environment variable THALWEG names; MPIEXEC starts its ranks."""

import configparser
import os
import shlex
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

PROGRAM = os.environ["THALWEG"]
MPIEXEC = os.environ.get("MPIEXEC", "mpirun")
# Open MPI refuses root and more ranks than cores unless told, and its hardware probe is slow.
ENVIRONMENT = {
    **os.environ,
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "HWLOC_COMPONENTS": "-gl,-opencl",
    "OPENBLAS_NUM_THREADS": "1",
}
# Far beyond what anything here takes: it ends a test that hangs.
PATIENCE = 120

SMALL_DATA = ["--data.samples=40", "--data.validation_samples=20", "--data.test_samples=20"]
NO_PICTURES = ["--out.pictures=false", "--surface.size=1", "--decision.size=0"]
TRAIN = ["train", *SMALL_DATA, *NO_PICTURES, "--model.hidden=4"]
SHORT = [*TRAIN, "--stop.time=0.5"]


def ini_values(text):
    """A mapping of section.key to value."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return {f"{section}.{key}": value for section in parser.sections()
            for key, value in parser[section].items()}


class ProgramTest(unittest.TestCase):
    """A test with a directory of its own, in which the program runs."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = Path(scratch.name)

    def start(self, *arguments, ranks=0):
        """Starts the program, under mpirun where `ranks` is given; the test's end ends it."""
        launcher = [MPIEXEC, "--quiet", "-n", str(ranks)] if ranks else []
        process = subprocess.Popen(
            [*launcher, PROGRAM, *arguments], cwd=self.directory, env=ENVIRONMENT, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        """Ends a process that is still running and closes its pipes."""
        if process.poll() is None:
            process.kill()
        process.communicate()

    def finish(self, process, code=0):
        """Waits for the program, checks its exit code and returns its (stdout, stderr)."""
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, code, f"{shlex.join(process.args)}\n{out}{err}")
        return out, err

    def call(self, *arguments, code=0, ranks=0):
        """Runs the program to its end."""
        return self.finish(self.start(*arguments, ranks=ranks), code)

    def call_all(self, lines, code=0):
        """Runs several lines side by side, for most of the time of a short one is start-up."""
        processes = [self.start(*line) for line in lines]
        return [self.finish(process, code) for process in processes]

    def wait_until(self, condition, process):
        """Waits for something that a running program does."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertIsNone(process.poll(), "the program ended too early")
            self.assertLess(time.monotonic(), deadline, "waited in vain")
            time.sleep(0.002)

    def read(self, *parts):
        """The bytes of a file in the test's directory."""
        return self.directory.joinpath(*parts).read_bytes()

    def write(self, name, text):
        """A text file in the test's directory."""
        self.directory.joinpath(name).write_text(text, encoding="utf-8")

    def assert_same_files(self, one, other, names):
        """The files of these names in two directories hold the same bytes."""
        for name in names:
            same = self.read(one, name) == self.read(other, name)
            self.assertTrue(same, f"{name} differs in {one} and {other}")
