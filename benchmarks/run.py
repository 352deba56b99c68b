#!/usr/bin/env python3
"""The figures of docs/performance.md, as a table: compile time and memory, tokens a second, memory against prediction.

    tools/dev bench                  or     python3 benchmarks/run.py BIN-FOLDER

Each line is one command of the tools, timed from outside; nothing else should run on the machine meanwhile.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def timed(*command):
    """(seconds, peak resident bytes, standard output) of one command."""
    start = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))} failed")
    return time.monotonic() - start, usage.ru_maxrss * 1024, output


def main(bin_folder):
    tool = lambda name: os.path.join(bin_folder, name)
    example = lambda name: os.path.join(ROOT, "examples", f"mamba-{name}.mlir")
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        print("compiling\n\n| spec | seconds | peak MB |\n|---|---|---|")
        for name in ("tiny", "130m", "1.4b"):
            seconds, peak, _ = timed(tool("adjc"), example(name), "-o", path(f"{name}.adjm"), "--budget=40GB")
            print(f"| {name} | {seconds:.2f} | {peak / 1e6:.0f} |", flush=True)

        print("\none gradient, mamba-tiny planned for 1 048 576 tokens in 1 GB\n\n"
              "| tokens | seconds | tokens/s | arena MB | peak MB | predicted MB | off |\n|---|---|---|---|---|---|---|")
        timed(tool("adjc"), example("tiny"), "-o", path("long.adjm"), "--context=1048576", "--budget=1GB")
        timed(tool("adj-run"), "init", path("long.adjm"), "--seed", 1, "--out", path("p.safetensors"))
        tokens = np.random.default_rng(0).integers(0, 256, 1048577, dtype=np.int32)
        for length in (1000, 16384, 131072, 1048576):
            np.save(path("t.npy"), tokens[: length + 1])
            _, _, out = timed(tool("adj-run"), "grad", path("long.adjm"), "--params", path("p.safetensors"), "--tokens", path("t.npy"), "--out",
                              path("g.safetensors"))
            report = json.loads(out)
            print(f"| {length} | {report['seconds']:.2f} | {report['tokens_per_second']:.0f} | {report['arena_bytes'] / 1e6:.1f} | "
                  f"{report['peak_bytes'] / 1e6:.1f} | {report['predicted_peak_bytes'] / 1e6:.1f} | "
                  f"{100 * (report['peak_bytes'] / report['predicted_peak_bytes'] - 1):+.1f} % |", flush=True)

        print("\nmedian of several gradients of one shard of 2048 tokens\n\n| spec | seconds | tokens/s | peak MB | off |\n|---|---|---|---|---|")
        for name in ("tiny", "130m"):
            timed(tool("adjc"), example(name), "-o", path("m.adjm"), "--shard=2048", "--context=2048")
            _, _, out = timed(tool("adj-run"), "bench", path("m.adjm"), "--tokens", 2048, "--runs", 3)
            report = json.loads(out)
            print(f"| {name} | {report['seconds']:.2f} | {report['tokens_per_second']:.0f} | {report['peak_bytes'] / 1e6:.0f} | "
                  f"{100 * (report['peak_bytes'] / report['predicted_peak_bytes'] - 1):+.1f} % |", flush=True)
        print(f"\non {report['device']}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "bin"))
