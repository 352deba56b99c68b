"""Tests count_results.py on results written here: each way a test can end must reach the right column."""
import contextlib
import io
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import count_results

SKIP = '<testcase name="gpu" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/><system-out>{}</system-out></testcase>'


class CountResults(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, cases, lit=None):
        with open(os.path.join(self.folder.name, "test-results.xml"), "w") as file:
            file.write(f"<testsuite>{''.join(cases)}</testsuite>")
        if lit is not None:
            with open(os.path.join(self.folder.name, "lit-results.json"), "w") as file:
                json.dump({"tests": [{"name": f"t{i}", "code": code} for i, code in enumerate(lit)]}, file)

    def count(self):
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            rc = count_results.main([self.folder.name])
        return rc, text.getvalue().splitlines()

    def test_passed_and_failed(self):
        self.write(['<testcase name="a" status="run"/>', '<testcase name="b" status="fail"/>'])
        rc, lines = self.count()
        self.assertEqual((rc, lines[-1]), (1, "1 passed, 1 failed"))

    def test_all_passed(self):
        self.write(['<testcase name="a" status="run"/>'])
        self.assertEqual(self.count(), (0, ["1 passed, 0 failed"]))

    def test_skipped_gives_its_reason(self):
        self.write(['<testcase name="a" status="run"/>', SKIP.format("[ RUN ] x\nno GPU here\n[  SKIPPED ] x")])
        rc, lines = self.count()
        self.assertEqual((rc, lines[-1]), (0, "1 passed, 0 failed, 1 skipped"))
        self.assertIn("no GPU here", lines[0])

    def test_lit_counts_one_by_one(self):
        self.write(['<testcase name="lit" status="fail"/>'], ["PASS", "FAIL", "UNRESOLVED", "UNSUPPORTED", "XFAIL", "TIMEOUT"])
        rc, lines = self.count()
        self.assertEqual((rc, lines[-1]), (1, "2 passed, 3 failed, 1 skipped"))

    def test_lit_that_fails_as_a_whole(self):
        self.write(['<testcase name="lit" status="fail"/>'], ["PASS"])
        self.assertEqual(self.count()[1][-1], "1 passed, 1 failed")
        os.remove(os.path.join(self.folder.name, "lit-results.json"))
        self.assertEqual(self.count()[1][-1], "0 passed, 1 failed")

    def test_program_that_did_not_start(self):
        self.write(['<testcase name="a" status="notrun"/>', '<testcase name="b" status="run"/>'])
        self.assertEqual(self.count()[1][-1], "1 passed, 1 failed")

    def test_nothing_ran(self):
        self.assertEqual(self.count()[0], 1)
        self.write([])
        self.assertEqual(self.count()[0], 1)


if __name__ == "__main__":
    unittest.main()
