"""The scripts that carry conformance to a GPU, without one: what prepare.py makes is complete, and prepared.py tells right from wrong. The reference device stands in.

    ADJC_BIN=build/bin ADJ_RUN=build/bin/adj-run python3 test/gpu/prepared_test.py
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


def script(name, *arguments):
    return subprocess.run([sys.executable, os.path.join(HERE, name), *arguments], capture_output=True, text=True)


class Prepared(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = os.path.join(cls.temporary.name, "prepared")
        cls.made = script("prepare.py", cls.folder, "tiny", "deep")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def table(self):
        self.assertEqual(self.made.returncode, 0, self.made.stderr)
        with open(os.path.join(self.folder, "cases.json")) as file:
            return json.load(file)

    def run_changed(self, **changes):
        """prepared.py with the first case changed; its exit code and output."""
        table = self.table()
        original = json.dumps(table)
        table["cases"][0].update(changes)
        path = os.path.join(self.folder, "cases.json")
        try:
            with open(path, "w") as file:
                json.dump(table, file)
            done = script("prepared.py", self.folder, "--device", "reference")
        finally:
            with open(path, "w") as file:
                file.write(original)
        return done.returncode, done.stdout + done.stderr

    def test_holds(self):
        code, text = self.run_changed()
        self.assertEqual(code, 0, text)
        self.assertRegex(text, r"tiny +2 +0 .* 2 of 2")
        self.assertRegex(text, r"deep +2 +0 ")
        self.assertEqual(self.table()["target"], "sm_90")

    def test_wrong_loss(self):
        code, text = self.run_changed(loss=1.0)
        self.assertEqual(code, 1)
        self.assertRegex(text, r"FAIL tiny: .*mamba-tiny")

    def test_wrong_gradient(self):
        table = self.table()
        code, text = self.run_changed(reference=table["cases"][0]["params"])
        self.assertEqual(code, 1)
        self.assertRegex(text, r"FAIL tiny: .*mamba-tiny")

    def test_failing_run(self):
        code, text = self.run_changed(options=[])
        self.assertEqual(code, 1)
        self.assertIn("exited 2", text)

    def test_unknown_group(self):
        done = script("prepare.py", self.folder + "2", "nonesuch")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no group nonesuch", done.stderr)


if __name__ == "__main__":
    unittest.main()
