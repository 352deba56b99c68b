"""What a page shows of an example is the example: every block of C++ in it lies in a program of examples/, which is compiled and run as a test.

usage: examples_in_docs_test.py SOURCE-FOLDER PAGE...
"""
import pathlib
import re
import sys
import unittest

source, pages = pathlib.Path(sys.argv[1]), sys.argv[2:]


class ExamplesInDocs(unittest.TestCase):
    def test_blocks(self):
        programs = [file.read_text(encoding="utf-8") for file in sorted((source / "examples").glob("*.cpp"))]
        for page in pages:
            blocks = re.findall(r"^```cpp\n(.*?)^```$", (source / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
            self.assertTrue(blocks, f"{page} has no block of C++")
            for block in blocks:
                self.assertTrue(any(block in program for program in programs), f"{page}: this is in no example:\n{block}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
