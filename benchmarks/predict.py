#!/usr/bin/env python3
"""Compares predicted seconds with measured ones, kind by kind.

    predict.py PLAN.json PROFILE.txt          a table
    predict.py PLAN.json PROFILE.txt --fit    and the efficiency factors with which the two would agree

PLAN.json is what `adjc SPEC ... --emit=plan` prints, PROFILE.txt what `adj-run bench MODULE --tokens T --profile` does, for the module that the same command line compiles,
with T its --context. Kinds are those of the cost model (docs/cost-model.md); the factors go into lib/Plan/Cost/Machines.cpp.
"""
import argparse
import json
import pathlib
import re
import sys


def read_profile(path):
    """Seconds per command, in the order of the programs' tables: {program: [(name, seconds)]}; and bench's JSON line."""
    programs, rows, result = {}, None, None
    for line in path.read_text().splitlines():
        if line.startswith("{") and line.endswith("}"):
            result = json.loads(line)
        elif head := re.match(r"  (\S+) +(\S*) +calls +ms +%", line):
            rows = None if head[1] == "kind" else programs.setdefault(head[1], [])
        elif rows is not None and (found := re.match(r"  (.+?)  +(?:(\S+) +)?(\d+) +([0-9.]+) +([0-9.]+)(?: +[0-9.]+)?$", line)):
            rows.append((found[1].strip(), float(found[4]) / 1e3))
    if result is None or not programs:
        sys.exit(f"predict.py: {path} is not the output of adj-run bench --profile")
    return programs, result


def kind_of(name, kinds):
    """The kind of a command in the profile: products and copies by name, launches by their kernel's."""
    if name.startswith("gemm"):
        return "matrix products"
    return "copies" if name == "copy" else kinds.get(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", type=pathlib.Path)
    parser.add_argument("profile", type=pathlib.Path)
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    plan = json.loads(options.plan.read_text())
    programs, result = read_profile(options.profile)
    predicted = plan["predicted"]
    if result["tokens"] != predicted["tokens"]:
        sys.exit(f"predict.py: the profile is of {result['tokens']} tokens, the plan of {predicted['tokens']}")

    kinds = {command["name"]: command["kind"] for program in plan["programs"] for command in program["commands"]}
    measured, unknown = {}, set()
    for rows in programs.values():
        for name, seconds in rows:
            kind = kind_of(name, kinds)
            if kind is None:
                # Kernels are cloned for other strides under numbers of their own.
                kind = kind_of(re.sub(r"_\d+(?=_|$)", "_0", name), {re.sub(r"_\d+(?=_|$)", "_0", n): k for n, k in kinds.items()})
            if kind is None:
                unknown.add(name)
                kind = "unknown"
            measured[kind] = measured.get(kind, 0) + seconds

    seconds_of = {entry["kind"]: entry["seconds"] for entry in predicted["by_kind"]}
    print(f"{predicted['machine']}, {predicted['tokens']} tokens; measured on {result['device']}")
    print(f"  {'kind':28}{'predicted ms':>14}{'measured ms':>14}{'ratio':>8}")
    for kind in sorted(set(seconds_of) | set(measured), key=lambda kind: -measured.get(kind, 0)):
        one, other = seconds_of.get(kind, 0), measured.get(kind, 0)
        print(f"  {kind:28}{one * 1e3:14.1f}{other * 1e3:14.1f}" + (f"{one / other:8.2f}" if other else ""))
    commands = sum(measured.values())
    print(f"  {'commands together':28}{sum(seconds_of.values()) * 1e3:14.1f}{commands * 1e3:14.1f}{sum(seconds_of.values()) / commands:8.2f}")
    print(f"  {'the gradient':28}{predicted['seconds'] * 1e3:14.1f}{result['seconds'] * 1e3:14.1f}{predicted['seconds'] / result['seconds']:8.2f}")
    if unknown:
        print("  not in the plan:", ", ".join(sorted(unknown)))
    if options.fit:
        print("factors on the efficiencies, by kind:")
        for kind, one in seconds_of.items():
            if measured.get(kind):
                print(f"  {kind:28}{one / measured[kind]:8.3f}")


if __name__ == "__main__":
    main()
