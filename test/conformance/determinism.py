"""Equal runs give equal bits, whatever the number of threads: 20 gradients of one module, byte for byte.

    ADJC_BIN=build/bin python3 test/conformance/determinism.py
"""
import sys
import tempfile

from harness import Case, run

RUNS = 20


def main():
    with tempfile.TemporaryDirectory() as folder:
        # Wide enough that products are cut into tiles and kernels into several groups; several shards, documents that begin inside them.
        case = Case(folder, "bits", vocab_size=1000, hidden_size=256, state_size=8, num_hidden_layers=2, time_step_rank=16)
        module = case.compile("--shard=150", "--context=512", "--mini-sequence=64")
        options, _ = case.tokens(1, 400, resets=True)
        found = {}
        for i in range(RUNS):
            threads = (1, 2, 2, 5)[i % 4]
            out = case.file("gradients.safetensors")
            run("adj-run", "grad", module, "--params", case.params, *options, "--out", out, "--threads", threads)
            with open(out, "rb") as file:
                found.setdefault(file.read(), []).append(f"run {i} on {threads}")
    for runs in found.values():
        print(f"{len(runs)} equal: {', '.join(runs)}")
    return 0 if len(found) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
