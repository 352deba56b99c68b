"""The generated reference: every op, interface and pass of the .td files is in it, with a summary of its own.

usage: generated_docs_test.py SOURCE-FOLDER GENERATED-FOLDER
"""
import pathlib
import re
import sys
import unittest

source, generated = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])


def definitions(folder, pattern):
    """The names that `pattern` captures in a folder's .td files."""
    files = sorted(folder.rglob("*.td"))
    return [name for file in files for name in re.findall(pattern, file.read_text(encoding="utf-8"))]


def section(page, heading):
    """The text under a heading, up to the next one of the same level; None when there is no such heading."""
    match = re.search(rf"^(#+) {re.escape(heading)}.*$", page, re.MULTILINE)
    if not match:
        return None
    return re.split(rf"^{match[1]} ", page[match.end():], maxsplit=1, flags=re.MULTILINE)[0]


class GeneratedDocs(unittest.TestCase):
    def check(self, page_name, headings, summary=r"^_[^_\n]+_"):
        self.assertTrue(headings, f"no definition found for {page_name}: the pattern in this test is out of date")
        page = (generated / page_name).read_text(encoding="utf-8")
        for heading in headings:
            text = section(page, heading)
            self.assertIsNotNone(text, f"{page_name} has no heading {heading}")
            self.assertRegex(text.strip(), summary, f"{page_name}: {heading} has no summary")

    def test_ssm(self):
        self.check("ssm-dialect.md", [f"`ssm.{name}`" for name in definitions(source / "dialects/ssm", r'Ssm_Op<"(\w+)"')])

    def test_adj(self):
        self.check("adj-dialect.md", [f"`adj.{name}`" for name in definitions(source / "dialects/adj", r'Adj_Op<"(\w+)"')])

    def test_interfaces(self):
        self.check("interfaces.md", [f"{name} (" for name in definitions(source / "dialects", r'OpInterface<"(\w+)"')], summary=r"^\w")

    def test_passes(self):
        for file in sorted((source / "include/adjc").rglob("Passes.td")):
            self.check(f"passes-{file.parent.name}.md", [f"`-{name}`" for name in definitions(file.parent, r'Pass<"([\w-]+)"')])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
