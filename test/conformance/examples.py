"""Certifies examples/NAME.mlir with `adj-run check`: every gradient within the device's bound of the reference, for several batches, shard lengths, lengths, with and without resets.

    ADJC_BIN=build/bin python3 test/conformance/examples.py NAME
"""
import os
import sys
import tempfile

from harness import DEVICE, run, target_options

# (batch, shard, tokens, resets): one shard and several, the last one shorter; shards shorter than a convolution; shards of one token.
RUNS = [(1, 64, 150, False), (3, 16, 40, True), (2, 1, 5, True), (2, 200, 7, False)]


def main(name):
    spec = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", f"{name}.mlir")
    with tempfile.TemporaryDirectory() as folder:
        module = os.path.join(folder, "m.adjm")
        for batch, shard, tokens, resets in RUNS:
            run("adjc", spec, "-o", module, *target_options(), f"--batch={batch}", f"--shard={shard}", "--context=256")
            done = run("adj-run", "check", module, "--device", DEVICE, "--tokens", tokens, *["--resets"] * resets)
            print(f"batch {batch}, S {shard}{', resets' if resets else ''}: {done.stdout.splitlines()[-1]}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
