#!/usr/bin/env python3
"""The figures of docs/performance.md, as tables: compile time and memory, tokens a second, memory against prediction, the gradient against its
matrix products.

    tools/dev bench [PART...]        or     python3 benchmarks/run.py BIN-FOLDER [PART...]        (parts: compile, long, shard, products)

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


class Bench:
    def __init__(self, bin_folder, folder):
        self.bin_folder, self.folder = bin_folder, folder

    def tool(self, name):
        return os.path.join(self.bin_folder, name)

    def example(self, name):
        return os.path.join(ROOT, "examples", f"mamba-{name}.mlir")

    def path(self, name):
        return os.path.join(self.folder, name)

    def compile(self):
        print("compiling\n\n| spec | seconds | peak MB |\n|---|---|---|")
        for name in ("tiny", "130m", "1.4b"):
            seconds, peak, _ = timed(self.tool("adjc"), self.example(name), "-o", self.path(f"{name}.adjm"), "--budget=40GB")
            print(f"| {name} | {seconds:.2f} | {peak / 1e6:.0f} |", flush=True)

    def long(self):
        print("\none gradient, mamba-tiny planned for 1 048 576 tokens in 1 GB\n\n"
              "| tokens | seconds | tokens/s | arena MB | peak MB | predicted MB | off |\n|---|---|---|---|---|---|---|")
        timed(self.tool("adjc"), self.example("tiny"), "-o", self.path("long.adjm"), "--context=1048576", "--budget=1GB")
        timed(self.tool("adj-run"), "init", self.path("long.adjm"), "--seed", 1, "--out", self.path("p.safetensors"))
        tokens = np.random.default_rng(0).integers(0, 256, 1048577, dtype=np.int32)
        for length in (1000, 16384, 131072, 1048576):
            np.save(self.path("t.npy"), tokens[: length + 1])
            _, _, out = timed(self.tool("adj-run"), "grad", self.path("long.adjm"), "--params", self.path("p.safetensors"), "--tokens",
                              self.path("t.npy"), "--out", self.path("g.safetensors"))
            report = json.loads(out)
            print(f"| {length} | {report['seconds']:.2f} | {report['tokens_per_second']:.0f} | {report['arena_bytes'] / 1e6:.1f} | "
                  f"{report['peak_bytes'] / 1e6:.1f} | {report['predicted_peak_bytes'] / 1e6:.1f} | "
                  f"{100 * (report['peak_bytes'] / report['predicted_peak_bytes'] - 1):+.1f} % |", flush=True)

    def shard(self):
        print("\nmedian of several gradients of one shard of 2048 tokens\n\n| spec | seconds | tokens/s | peak MB | off |\n|---|---|---|---|---|")
        for name in ("tiny", "130m"):
            timed(self.tool("adjc"), self.example(name), "-o", self.path("m.adjm"), "--shard=2048", "--context=2048")
            _, _, out = timed(self.tool("adj-run"), "bench", self.path("m.adjm"), "--tokens", 2048, "--runs", 3)
            report = json.loads(out)
            print(f"| {name} | {report['seconds']:.2f} | {report['tokens_per_second']:.0f} | {report['peak_bytes'] / 1e6:.0f} | "
                  f"{100 * (report['peak_bytes'] / report['predicted_peak_bytes'] - 1):+.1f} % |", flush=True)
        print(f"\non {report['device']}")

    def products(self):
        """The whole gradient and its products alone, in turns: the smallest time of each."""
        timed(self.tool("adjc"), self.example("130m"), "-o", self.path("m.adjm"), "--shard=2048", "--context=2048")
        whole, alone = [], []
        for turn in range(3):
            _, _, out = timed(self.tool("adj-products"), self.path("m.adjm"), 2048, 3)
            table, line = out.decode().rsplit("\n", 2)[:2]
            alone.append((json.loads(line), table))
            _, _, out = timed(self.tool("adj-run"), "bench", self.path("m.adjm"), "--tokens", 2048, "--runs", 1, "--profile")
            profile, line = out.decode().rsplit("\n", 2)[:2]
            whole.append((json.loads(line), profile))
        report, profile = min(whole, key=lambda entry: entry[0]["seconds"])
        products, table = min(alone, key=lambda entry: entry[0]["best_seconds"])
        print(f"\nmamba-130m, one shard of 2048 tokens: products (the smallest of 3 times)\n\n{table}")
        print("\nwhole gradient, the fastest of 3\n\n```\n" + profile + "\n```")
        print("\n| whole gradient, s | products as the device does them, s | products alone at best, s | ratio | OpenBLAS kernel |\n|---|---|---|---|---|")
        print(f"| {report['seconds']:.2f} | {products['tiled_seconds']:.2f} | {products['best_seconds']:.2f} | "
              f"{report['seconds'] / products['best_seconds']:.2f} | {products['kernel']} |", flush=True)


PARTS = ("compile", "long", "shard", "products")


def main(bin_folder, parts):
    unknown = set(parts) - set(PARTS)
    if unknown:
        sys.exit(f"no such part: {', '.join(sorted(unknown))}; use {', '.join(PARTS)}")
    # Some machines preset a kernel for OpenBLAS that halves its speed.
    if os.environ.pop("OPENBLAS_CORETYPE", None):
        print("OPENBLAS_CORETYPE was set; unset for these measurements\n")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(bin_folder, folder)
        for part in parts or PARTS:
            getattr(bench, part)()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "bin"), sys.argv[2:])
