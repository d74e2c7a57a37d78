#!/usr/bin/python3
"""What README.md says is what the program does: its tables are those of `thalweg list`, its commands run.

    THALWEG=build/release/thalweg tests/cli/readme_test.py
"""

import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.path.abspath(os.environ["THALWEG"])
README = (ROOT / "README.md").read_text()


def commands():
    """The program's command lines in the shell blocks, `./run` standing for the program."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.S)).replace("\\\n", " ")
    for line in blocks.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["./run"] and words[1:] not in (["study"], ["test"]) and words[1] != "bench":
            yield words[1:]


class Readme(unittest.TestCase):
    def test_holds_the_tables_of_the_program(self):
        listed = subprocess.run([PROGRAM, "list"], capture_output=True, text=True, check=True).stdout.strip()
        told = README
        if "| CVODE |" not in listed:  # SUNDIALS was not there at configuration
            told = re.sub(r"^.*\| (CVODE|ARKODE) \|.*\n", "", told, flags=re.M)
        self.assertIn(listed, told)

    def test_commands_run(self):
        lines = list(commands())
        self.assertGreater(len(lines), 8)
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(ROOT / "examples", os.path.join(folder, "examples"))
            for line in lines:
                quick = "--out.pictures=false"
                pictures = [] if line[0] == "list" or quick in line else [quick]
                at = line.index("--") if "--" in line else len(line)
                words = [PROGRAM, *line[:at], *pictures, *line[at:]]
                done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, (line, done.stderr))

    def test_links_lead_to_files(self):
        for target in re.findall(r"\]\(([^)#]+)\)", README):
            self.assertTrue((ROOT / target).exists(), target)


if __name__ == "__main__":
    unittest.main()
