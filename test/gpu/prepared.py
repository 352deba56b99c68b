"""Runs what test/gpu/prepare.py made, on a GPU: gradients and losses against the reference's, and the same bits every time.

    ADJ_RUN=build/bin/adj-run python3 test/gpu/prepared.py FOLDER [--device cuda:0] [--jobs 8] [--verbose]
    ADJ_RUN=build/bin/adj-run python3 test/gpu/prepared.py FOLDER --sanitize memcheck|racecheck|initcheck

The second form runs the group `tiny` under compute-sanitizer. Exits 1 when a bound is missed, bits differ or a run fails.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

ADJ_RUN = os.environ.setdefault("ADJ_RUN", os.path.join("build", "bin", "adj-run"))
os.environ.setdefault("ADJC_BIN", os.path.dirname(ADJ_RUN))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance"))
from harness import read_safetensors, relative_errors # noqa: E402

REPEATS = 5


def grad(folder, case, device, out, before=()):
    """adj-run's report; raises with its output when it fails."""
    path = lambda name: os.path.join(folder, name)
    options = [option if option.startswith("--") else path(option) for option in case["options"]]
    command = [*before, ADJ_RUN, "grad", path(case["module"]), "--params", path(case["params"]), *options, "--out", out, "--device", device]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\nexited {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))


def judge(folder, case, device):
    """(the worst gradient's relative error, whose it is, the loss's relative error)"""
    with tempfile.TemporaryDirectory() as temporary:
        out = os.path.join(temporary, "g.safetensors")
        report = grad(folder, case, device, out)
        errors = relative_errors(read_safetensors(out), read_safetensors(os.path.join(folder, case["reference"])))
    name = max(errors, key=errors.get)
    return errors[name], name, abs(report["loss"] - case["loss"]) / abs(case["loss"])


def has_equal_bits(folder, case, device):
    with tempfile.TemporaryDirectory() as temporary:
        bits = set()
        for _ in range(REPEATS):
            out = os.path.join(temporary, "g.safetensors")
            loss = grad(folder, case, device, out)["loss"]
            with open(out, "rb") as file:
                bits.add((loss, file.read()))
    return len(bits) == 1


def compare(folder, table, arguments):
    cases, bound, failures = table["cases"], table["bound"], 0
    results = {}
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        judged = [(case, pool.submit(judge, folder, case, arguments.device)) for case in cases]
        firsts = {}
        for case in cases:
            firsts.setdefault(os.path.dirname(case["module"]) if case["group"] == "random" else (case["group"], case["what"].split(",")[0]), case)
        repeated = [(case, pool.submit(has_equal_bits, folder, case, arguments.device)) for case in firsts.values()]
        for case, future in judged:
            group = results.setdefault(case["group"], dict(cases=0, failed=0, error=(0.0, ""), loss=0.0, repeated=0, unequal=0))
            group["cases"] += 1
            try:
                error, name, loss = future.result()
                allowed = case.get("bound", bound)
                ok = error <= allowed and loss <= allowed
                group["error"] = max(group["error"], (error, f"{case['what']}: {name}"))
                group["loss"] = max(group["loss"], loss)
                text = f"{error:.2e}, loss {loss:.1e}: {case['what']} ({name})"
            except AssertionError as failed:
                ok, text = False, f"{case['what']}: {failed}"
            group["failed"] += not ok
            if not ok or arguments.verbose:
                print(f"{'ok  ' if ok else 'FAIL'} {case['group']}: {text}", flush=True)
        for case, future in repeated:
            group = results[case["group"]]
            group["repeated"] += 1
            try:
                equal = future.result()
            except AssertionError as failed:
                equal = False
                print(f"FAIL {case['group']}: {case['what']}: {failed}")
            group["unequal"] += not equal
            if not equal:
                print(f"FAIL {case['group']}: {case['what']}: {REPEATS} runs do not give equal bits")
    print(f"{table['target']} on {arguments.device}, bound {bound:g} (bf16: its own); modules run {REPEATS} times for equal bits")
    print(f"{'group':<14}{'cases':>6}{'failed':>8}{'loss':>10}{'gradient':>10}{'equal bits':>12}  worst")
    for name, group in results.items():
        failures += group["failed"] + group["unequal"]
        print(f"{name:<14}{group['cases']:>6}{group['failed']:>8}{group['loss']:>10.1e}{group['error'][0]:>10.2e}"
              f"{group['repeated'] - group['unequal']:>7} of {group['repeated']:<2}  {group['error'][1]}")
    for case in table["refused"]:
        print(f"not compiled: {case['group']}: {case['what']}: {case['refused']}")
    return failures


def sanitize(folder, table, arguments):
    failures = 0
    # Not the driver's own errors: a kernel's parameters are counted by asking until there is none.
    extra = ["--report-api-errors", "no"] if arguments.sanitize == "memcheck" else []
    before = ["compute-sanitizer", "--tool", arguments.sanitize, *extra, "--error-exitcode", "1"]
    for case in (case for case in table["cases"] if case["group"] == "tiny"):
        with tempfile.TemporaryDirectory() as temporary:
            try:
                grad(folder, case, arguments.device, os.path.join(temporary, "g.safetensors"), before)
                print(f"ok   {arguments.sanitize}: {case['what']}", flush=True)
            except AssertionError as failed:
                failures += 1
                print(f"FAIL {arguments.sanitize}: {case['what']}: {failed}", flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--jobs", type=int, default=8, help="processes at a time (default 8)")
    parser.add_argument("--verbose", action="store_true", help="a line for every case")
    parser.add_argument("--sanitize", choices=("memcheck", "racecheck", "initcheck"))
    arguments = parser.parse_args()
    with open(os.path.join(arguments.folder, "cases.json")) as file:
        table = json.load(file)
    return 1 if (sanitize if arguments.sanitize else compare)(arguments.folder, table, arguments) else 0


if __name__ == "__main__":
    sys.exit(main())
