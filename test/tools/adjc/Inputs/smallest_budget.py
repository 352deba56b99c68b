"""Asks adjc for a plan within too little, then within what its message names, then within 1 % less than that."""
import re
import subprocess
import sys


def plan(budget):
    return subprocess.run([*sys.argv[1:], "--emit=plan", f"--budget={budget}"], capture_output=True, text=True)


refused = plan("12.01MB")
assert refused.returncode == 2, refused
smallest = float(re.search(r"--budget=([0-9.]+)MB \(", refused.stderr).group(1))
accepted = plan(f"{smallest}MB")
assert accepted.returncode == 0, accepted.stderr
assert plan(f"{smallest - 0.05:.2f}MB").returncode == 2, "less than the smallest was enough"
