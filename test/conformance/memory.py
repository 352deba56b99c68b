"""Memory at any context: the arena grows with T by one boundary per shard and by nothing else, and the process's peak is what was predicted.

    ADJC_BIN=build/bin python3 test/conformance/memory.py [longest T]      (default 1048576; under 2 minutes on 2 cores)
"""
import json
import os
import sys
import tempfile

import numpy as np

from harness import run

BOUND = 0.03


def main(longest):
    spec = os.path.join(os.path.dirname(__file__), "..", "..", "examples", "mamba-tiny.mlir")
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        run("adjc", spec, "-o", path("m.adjm"), f"--context={longest}", "--budget=1GB")
        run("adj-run", "init", path("m.adjm"), "--seed", 1, "--out", path("p.safetensors"))
        plan = json.loads(run("adj-run", "info", path("m.adjm"), "--json").stdout)
        shard, boundary = plan["shard"], plan["boundary_bytes"]
        tokens = np.random.default_rng(0).integers(0, 256, longest + 1, dtype=np.int32)
        arenas = {}
        for length in sorted({1000, 16384, min(131072, longest), longest}):
            np.save(path("t.npy"), tokens[: length + 1])
            report = json.loads(run("adj-run", "grad", path("m.adjm"), "--params", path("p.safetensors"), "--tokens", path("t.npy"), "--out",
                                    path("g.safetensors")).stdout)
            off = report["peak_bytes"] / report["predicted_peak_bytes"] - 1
            arenas[length] = report["arena_bytes"]
            good = abs(off) <= BOUND and report["peak_bytes"] < 1e9
            failures += not good
            print(f"{'ok  ' if good else 'FAIL'} T {length:8}: arena {report['arena_bytes'] / 1e6:7.2f} MB, peak {report['peak_bytes'] / 1e6:7.2f} MB, "
                  f"predicted {100 * off:+.2f} %, {report['seconds']:.2f} s", flush=True)
        # Threads cost memory too, their stacks and the BLAS's buffers: a run counts them before it starts.
        for threads in (1, 4, 16):
            report = json.loads(run("adj-run", "bench", path("m.adjm"), "--tokens", 1000, "--runs", 1, "--threads", threads).stdout)
            off = report["peak_bytes"] / report["predicted_peak_bytes"] - 1
            failures += abs(off) > BOUND
            print(f"{'ok  ' if abs(off) <= BOUND else 'FAIL'} {threads:2} threads: peak {report['peak_bytes'] / 1e6:7.2f} MB, predicted {100 * off:+.2f} %")
        for length, arena in arenas.items():
            first = min(arenas)
            expected = (-(-length // shard) - -(-first // shard)) * boundary
            if arena - arenas[first] != expected:
                failures += 1
                print(f"FAIL T {length}: the arena grew by {arena - arenas[first]} bytes, not by boundaries ({expected})")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1048576))
