"""The page of --emit=html: well-formed, refers to nothing outside, and holds the plan that --emit=plan prints."""
import html.parser
import json
import re
import subprocess
import sys

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Checker(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.data, self.ids = [], {}, set()

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            assert name not in ("src", "href", "srcset", "action"), f"<{tag} {name}={value}> refers to something outside"
            if name == "id":
                assert value not in self.ids, f"id {value} twice"
                self.ids.add(value)
        if tag not in VOID:
            self.open.append(tag)
            if dict(attributes).get("type") == "application/json":
                self.data["json"] = ""

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open}"
        self.open.pop()

    def handle_data(self, text):
        if self.data.get("json") == "" and self.open[-1] == "script":
            self.data["json"] = text


command = sys.argv[1:]
page = subprocess.run([*command, "--emit=html"], capture_output=True, text=True, check=True).stdout
checker = Checker()
checker.feed(page)
checker.close()
assert not checker.open, checker.open
assert page.startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>")
assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest|@PLAN@", page), "the page refers to something outside"
embedded = json.loads(checker.data["json"])
printed = json.loads(subprocess.run([*command, "--emit=plan"], capture_output=True, text=True, check=True).stdout)
assert embedded == printed
for program in embedded["programs"]:
    commands, most = program["commands"], [sum(command["held"].values()) for command in program["commands"]]
    if not commands:
        continue
    assert most[program["peak_command"]] == max(most)
    # What is live at a command is what the buffers drawn at it add up to, and none of them overlap.
    for number, held in enumerate(most):
        live = sorted((b["offset"], b["size"], b["name"]) for b in program["arena"] if b["first"] <= number <= b["last"])
        assert sum(size for _, size, _ in live) == held, (program["name"], number)
        for (offset, size, name), (after, _, other) in zip(live, live[1:]):
            assert offset + size <= after, f"{name} and {other} overlap at command {number} of {program['name']}"
        assert not live or live[-1][0] + live[-1][1] <= embedded["fixed_bytes"]
print(len(embedded["programs"]), "programs")
