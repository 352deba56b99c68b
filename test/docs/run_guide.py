"""Runs a guide: what its code blocks say is what happens, or the test fails.

    run_guide.py SOURCE FOLDER GUIDE.md     (SOURCE: the repository; FOLDER: emptied, where the commands run)

Blocks are told apart by the word after the language:
    ```mlir write=leaky.mlir     is written to that file
    ```sh run                    lines after `$ ` are commands, the others what these print; `...` stands for any text
    ```cpp of=lib/Form/X.cpp     stands in that file of the repository, line for line; a line `...` stands for any lines
A block without such a word is an error: nothing in a guide is unchecked.
"""
import os
import re
import shutil
import subprocess
import sys


def fail(guide, line, message):
    sys.exit(f"{guide}:{line}: {message}")


def blocks(guide):
    """(line, language, word, text) of every code block."""
    inside, language, word, start, text = False, "", "", 0, []
    for number, line in enumerate(open(guide), 1):
        fence = re.match(r"```(\S*) ?(.*)$", line)
        if fence and not inside:
            inside, language, word, start, text = True, fence[1], fence[2].strip(), number, []
        elif fence:
            inside = False
            yield start, language, word, "".join(text)
        elif inside:
            text.append(line)


def pattern(expected):
    """A regular expression for text in which `...` stands for anything, whole lines of it included."""
    text = re.escape(" ".join(expected.split()))
    return re.compile(text.replace(re.escape("..."), ".*").replace(r"\ ", " ") + r"\Z", re.DOTALL)


def run(guide, start, text, folder):
    commands = []
    for offset, line in enumerate(text.splitlines(), 1):
        if line.startswith("$ "):
            commands.append([start + offset, line[2:], []])
        elif commands and commands[-1][1].endswith("\\"):
            commands[-1][1] = commands[-1][1][:-1] + line
        elif commands:
            commands[-1][2].append(line)
        else:
            fail(guide, start + offset, "output without a command")
    for line, command, expected in commands:
        done = subprocess.run(["bash", "-c", command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        wanted = "\n".join(expected)
        if not pattern(wanted).match(" ".join(done.stdout.split())):
            fail(guide, line, f"`{command}` (exit code {done.returncode}) printed\n{done.stdout}\ninstead of\n{wanted}")


def quote(guide, start, text, path):
    if not os.path.exists(path):
        fail(guide, start, f"{path} is not there")
    lines = [line.strip() for line in open(path)]
    at = 0
    for part in re.split(r"^\s*(?://)?\s*\.\.\.\s*$", text, flags=re.MULTILINE):
        wanted = [line.strip() for line in part.strip("\n").splitlines()]
        found = next((i for i in range(at, len(lines) - len(wanted) + 1) if lines[i:i + len(wanted)] == wanted), None)
        if found is None:
            fail(guide, start, f"{path} does not hold these lines:\n{part}")
        at = found + len(wanted)


def main(source, folder, guide):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    count = 0
    for start, _, word, text in blocks(guide):
        kind, _, path = word.partition("=")
        if kind == "write":
            with open(os.path.join(folder, path), "w") as file:
                file.write(text)
        elif kind == "run":
            run(guide, start, text, folder)
        elif kind == "of":
            quote(guide, start, text, os.path.join(source, path))
        else:
            fail(guide, start, "a block that is neither `write=FILE`, `run` nor `of=FILE`")
        count += 1
    if not count:
        fail(guide, 1, "has no code blocks")
    print(f"{count} blocks of {os.path.basename(guide)} are as it says")


if __name__ == "__main__":
    main(*sys.argv[1:])
