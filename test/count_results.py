#!/usr/bin/env python3
"""Counts the individual tests of one or more build folders and prints `N passed, N failed` as the last line.

A folder holds `test-results.xml` (ctest's JUnit file) and, where lit ran, `lit-results.json`; lit runs as one ctest
entry, labelled `lit`, and counts as its own tests instead. Exit status: 1 when a test failed or none ran.
"""
import json
import os
import sys
import xml.etree.ElementTree as ElementTree

LIT_ENTRY = "lit"
LIT_PASSED = {"PASS", "FLAKYPASS", "XFAIL"}
LIT_SKIPPED = {"UNSUPPORTED", "SKIPPED", "EXCLUDED"}


def count_lit(path):
    """Returns (passed, failed names, skipped (name, reason)) of a lit --output file."""
    with open(path, encoding="utf-8") as file:
        tests = json.load(file)["tests"]
    passed, failed, skipped = 0, [], []
    for test in tests:
        if test["code"] in LIT_PASSED:
            passed += 1
        elif test["code"] in LIT_SKIPPED:
            skipped.append((test["name"], "a feature that it requires is not here"))
        else:
            failed.append(test["name"])
    return passed, failed, skipped


def skip_reason(case):
    """The text that a skipped ctest entry gave: its last output line that is not GoogleTest's frame."""
    lines = [line.strip() for line in (case.findtext("system-out") or "").splitlines()]
    lines = [line for line in lines if line and not line.startswith(("[", "Running main", "Note: Google Test"))]
    element = case.find("skipped")
    return lines[-1] if lines else (element.get("message", "") if element is not None else "")


def count_folder(folder):
    """Counts one build folder; a folder without results counts as one failure."""
    results = os.path.join(folder, "test-results.xml")
    if not os.path.exists(results):
        return 0, [f"{folder}: no test results"], []
    passed, failed, skipped = 0, [], []
    for case in ElementTree.parse(results).getroot().iter("testcase"):
        name, status = f"{folder}: {case.get('name')}", case.get("status")
        lit_results = os.path.join(folder, "lit-results.json")
        if case.get("name") == LIT_ENTRY and os.path.exists(lit_results):
            lit = count_lit(lit_results)
            if status == "fail" and not lit[1]:
                lit[1].append(f"{name}: lit itself failed")
            passed += lit[0]
            failed += lit[1]
            skipped += lit[2]
        elif status == "run":
            passed += 1
        elif status in ("notrun", "disabled") and case.find("skipped") is not None:
            skipped.append((name, skip_reason(case)))
        else:
            failed.append(name)
    return passed, failed, skipped


def main(folders):
    passed, failed, skipped = 0, [], []
    for folder in folders:
        counts = count_folder(folder)
        passed += counts[0]
        failed += counts[1]
        skipped += counts[2]
    for name, reason in skipped:
        print(f"skipped: {name}: {reason}")
    for name in failed:
        print(f"FAILED: {name}")
    line = f"{passed} passed, {len(failed)} failed"
    print(line + (f", {len(skipped)} skipped" if skipped else ""))
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: count_results.py BUILD-FOLDER...")
    sys.exit(main(sys.argv[1:]))
