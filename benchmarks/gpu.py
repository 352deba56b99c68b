#!/usr/bin/env python3
"""Benchmarks on a GPU, in two steps, because the machine with the GPU may have no compiler.

    gpu.py BIN prepare FOLDER [--target sm_90] [--dtype f32,bf16]   compiles the modules (needs BIN/adjc)
    gpu.py BIN run FOLDER [--device cuda:0]           runs them (needs BIN/adj-run) and prints a table

Modules: `scan`, one layer of examples/mamba-1.4b.mlir (4096 channels, 16 states) at 65 536, 8192 and 8 x 2048 tokens, for the time of each launch of the
recurrence; `whole`, all 48 layers at shards of 8192 tokens, for tokens per second and peak memory.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCANS = {"scan-1x65536": (1, 65536), "scan-1x8192": (1, 8192), "scan-8x2048": (8, 2048)}
WHOLE = {"whole-8192": (8192, 8192), "whole-65536": (8192, 65536)}


def prepare(binaries, folder, target, dtypes):
    folder.mkdir(parents=True, exist_ok=True)
    spec = (ROOT / "examples/mamba-1.4b.mlir").read_text()
    layer = folder / "layer.mlir"
    if "ssm.repeat 48" not in spec:
        sys.exit("gpu.py: examples/mamba-1.4b.mlir has no stack of 48 layers")
    layer.write_text(spec.replace("ssm.repeat 48", "ssm.repeat 1"))
    for dtype in dtypes:
        common = [f"--target={target}", f"--dtype={dtype}"]
        for name, (batch, tokens) in SCANS.items():
            compile_module(binaries, layer, folder / f"{name}-{dtype}.adjm",
                           common + [f"--batch={batch}", f"--shard={tokens}", f"--context={tokens}"])
        for name, (shard, tokens) in WHOLE.items():
            compile_module(binaries, ROOT / "examples/mamba-1.4b.mlir", folder / f"{name}-{dtype}.adjm",
                           common + [f"--shard={shard}", f"--context={tokens}"])


def compile_module(binaries, spec, out, options):
    done = subprocess.run([binaries / "adjc", spec, "-o", out, *options], text=True, capture_output=True)
    print(out.name, done.stderr.strip() or "ok", flush=True)


def bench(binaries, module, tokens, device):
    done = subprocess.run([binaries / "adj-run", "bench", module, "--tokens", str(tokens), "--device", device, "--profile"],
                          text=True, capture_output=True)
    if done.returncode:
        print(f"{module.name}: {done.stderr.strip()}")
        return None, {}
    lines = (done.stdout + done.stderr).splitlines()
    result = json.loads(next(line for line in lines if line.startswith("{")))
    launches = {}
    for line in lines:
        found = re.match(r"\s*(scan_\w+)\s+\S+\s+(\d+)\s+([0-9.]+)\s", line)
        if found:
            launches[found[1]] = launches.get(found[1], 0.0) + float(found[3])
        found = re.match(r"\s*(sum_partials_\w+)\s+\S*:37:\S*\s+(\d+)\s+([0-9.]+)\s", line)
        if found:
            launches["sums of partial sums"] = launches.get("sums of partial sums", 0.0) + float(found[3])
    return result, launches


def run(binaries, folder, device):
    for module in sorted(folder.glob("*.adjm")):
        name = module.stem.rsplit("-", 1)[0]
        tokens = SCANS[name][1] if name in SCANS else WHOLE[name][1]
        result, launches = bench(binaries, module, tokens, device)
        if not result:
            continue
        print(f"{module.stem}: {result['tokens_per_second']:.0f} tokens/s, peak {result['peak_bytes'] / 1e9:.2f} GB "
              f"(predicted {result['predicted_peak_bytes'] / 1e9:.2f}), {result['device']}")
        if name in SCANS:
            for launch, milliseconds in launches.items():
                print(f"    {launch:32} {milliseconds:8.2f} ms")
            print(f"    {'forward + backward':32} {sum(launches.values()):8.2f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("step", choices=["prepare", "run"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--target", default="sm_90")
    parser.add_argument("--dtype", default="f32,bf16")
    parser.add_argument("--device", default="cuda:0")
    options = parser.parse_args()
    if options.step == "prepare":
        prepare(options.bin.resolve(), options.folder, options.target, options.dtype.split(","))
    else:
        run(options.bin.resolve(), options.folder.resolve(), options.device)


if __name__ == "__main__":
    main()
