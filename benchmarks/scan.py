#!/usr/bin/env python3
"""The selective scan alone (1536 channels, 16 states, f32, two threads), forward and all gradients: adjc's kernels against a JAX
associative scan, a PyTorch loop, and the floor that the machine's own rates set.

    tools/dev bench scan             or     python3 benchmarks/scan.py BIN-FOLDER [TOKENS...]

All on the same inputs, in the same run; results are compared. Needs the target `benchmarks`, NumPy, PyTorch, and JAX, which it
installs from PyPI into BIN-FOLDER/../jax (a virtual environment) where it is missing.
"""
import json
import os
import platform
import subprocess
import sys
import tempfile
import venv

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
CHANNELS, STATES, THREADS, BLOCK, EVERY = 1536, 16, 2, 64, 16
NAMES = ("y", "x", "dt", "B", "C", "A", "D", "z", "dt_bias")

# The algorithm's vector operations, a multiply-add counted as one. Per token, channel and state:
#   forward    dt A, exp, (dt x) B, h, y += C h
#   recompute  dt A, exp, (dt x) B, h
#   reverse    p = C g + c, dC += g h, dB += dt x p, du += p B, p h-, times a, ddt += A, dA += dt, c = a p
POINT_OPERATIONS, POINT_EXPS = 4 + 3 + 9, 2
# Per token and channel: softplus forward and again in the adjoint, with its derivative; silu, twice, and its derivative; skip.
CHANNEL_OPERATIONS, CHANNEL_EXPS, CHANNEL_DIVISIONS = 60, 4, 5
# Arrays of (tokens, channels) that pass through memory: x, dt, z, y, checkpoints; x, dt, z, dy, checkpoints, dx, ddt, dz.
ARRAYS = 5 + 8


def floor(tokens, rates):
    """(seconds of arithmetic, seconds of memory traffic, bytes): the two overlap at best."""
    points, channels = tokens * CHANNELS * STATES, tokens * CHANNELS
    arithmetic = (points * POINT_OPERATIONS + channels * CHANNEL_OPERATIONS) / rates["multiply_add"]
    arithmetic += (points * POINT_EXPS + channels * CHANNEL_EXPS) / rates["exp"] + channels * CHANNEL_DIVISIONS / rates["divide"]
    # B and C, and their cotangents' partial sums written and read: one row per block of channels.
    traffic = 4 * (ARRAYS * channels + tokens * STATES * (2 * 2 + 2 * 2 * CHANNELS // BLOCK + 2))
    return arithmetic, traffic / rates["copy_bytes"], traffic


def write_inputs(path, tokens):
    random = np.random.default_rng(0)
    normal = lambda *shape: random.standard_normal(shape, dtype=np.float32)
    x, dt, B, C = normal(tokens, CHANNELS), normal(tokens, CHANNELS) / 2, normal(tokens, STATES), normal(tokens, STATES)
    A = -np.tile(np.arange(1, STATES + 1, dtype=np.float32), (CHANNELS, 1))
    D, z = np.ones(CHANNELS, np.float32), normal(tokens, CHANNELS)
    step = np.exp(random.uniform(np.log(1e-3), np.log(1e-1), CHANNELS))
    bias = (step + np.log(-np.expm1(-step))).astype(np.float32)
    with open(path, "wb") as file:
        for array in (x, dt, B, C, A, D, z, bias, normal(tokens, CHANNELS)):
            file.write(array.tobytes())


def differences(path, other, tokens):
    """The largest relative difference (norms) of any result, and its name."""
    sizes = [tokens * CHANNELS] * 3 + [tokens * STATES] * 2 + [CHANNELS * STATES, CHANNELS, tokens * CHANNELS, CHANNELS]
    split = lambda p: np.split(np.fromfile(p, np.float32).astype(np.float64), np.cumsum(sizes)[:-1])
    return max((np.linalg.norm(a - b) / np.linalg.norm(b), name) for a, b, name in zip(split(path), split(other), NAMES))


def jax_python(folder):
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        print(f"installing jax[cpu] from PyPI into {folder}", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "jax[cpu]"], check=True)
    return python


def available_memory():
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))


def processor():
    with open("/proc/cpuinfo") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.processor())


def run(*command, fails=False):
    """The JSON line that a command prints; None where it may fail and does."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS)}
    environment.pop("OPENBLAS_CORETYPE", None)
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE if fails else None, env=environment)
    if done.returncode == 0:
        return json.loads(done.stdout)
    if not fails:
        sys.exit(f"{' '.join(map(str, command))} failed")
    return None


def measure_adjc(tool, folder, tokens, seconds):
    module, inputs, outputs = (os.path.join(folder, name) for name in ("scan.adjm", "inputs", "adjc"))
    write_inputs(inputs, tokens)
    subprocess.run([tool("adjc"), os.path.join(HERE, "scan.mlir"), "-o", module, f"--shard={tokens}", f"--context={tokens}", "--budget=100GB"], check=True)
    return run(tool("scan-commands"), module, THREADS, seconds, inputs, outputs)


def measure_peer(python, peer, folder, tokens, seconds):
    """The peer's figures and how far adjc's results are from its own; None where it does not fit the memory."""
    paths = [os.path.join(folder, name) for name in ("inputs", peer)]
    figures = run(*python, os.path.join(HERE, "scan_peers.py"), peer, tokens, seconds, *paths, int(0.9 * available_memory()), fails=True)
    if figures:
        figures["off"] = "%.0e (%s)" % differences(os.path.join(folder, "adjc"), paths[1], tokens)
    return figures


def main(bin_folder, *lengths):
    tool = lambda name: os.path.join(bin_folder, name)
    pythons = {"jax": [jax_python(os.path.join(bin_folder, "..", "jax"))], "torch": [sys.executable]}
    wanted = [int(length) for length in lengths] or [2048, 16384]
    print(f"on {processor()}, {THREADS} threads\n")
    rates = run(tool("machine-rates"), THREADS)
    print(f"rates: {rates['multiply_add'] / 1e9:.0f} G multiply-adds, {rates['exp'] / 1e9:.1f} G exponentials, {rates['divide'] / 1e9:.1f} G divisions a second, "
          f"copies at {rates['copy_bytes'] / 1e9:.1f} GB/s ({rates['vector_bits']} bits)\n")
    print("| tokens | what | seconds | times adjc's | off adjc's results by |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        peers = dict.fromkeys(wanted, list(pythons))
        while peers:
            tokens = next(iter(peers))
            ours = measure_adjc(tool, folder, tokens, 10)
            arithmetic, memory, traffic = floor(tokens, rates)
            lowest = max(arithmetic, memory)
            print(f"| {tokens} | adjc: scan {ours['scan']:.4f}, adjoint {ours['adjoint']:.4f}, sums {ours['sums']:.4f} | {ours['seconds']:.4f} | | |\n"
                  f"| {tokens} | floor: arithmetic {arithmetic:.4f}; {traffic / 1e6:.0f} MB {memory:.4f} | {lowest:.4f} | {lowest / ours['seconds']:.2f} | |", flush=True)
            for peer in peers.pop(tokens):
                figures = measure_peer(pythons[peer], peer, folder, tokens, 10)
                if figures:
                    print(f"| {tokens} | {peer} {figures['version']} ({figures['peak_bytes'] / 1e9:.1f} GB) | {figures['seconds']:.3f} | "
                          f"{figures['seconds'] / ours['seconds']:.1f} | {figures['off']} |", flush=True)
                    continue
                print(f"| {tokens} | {peer}: not within {0.9 * available_memory() / 1e9:.0f} GB | | | |", flush=True)
                # The longest that it holds: half as many tokens.
                if tokens // 2 > min(wanted):
                    peers[tokens // 2] = peers.get(tokens // 2, []) + [peer]


if __name__ == "__main__":
    main(*(sys.argv[1:] or [os.path.join(HERE, "..", "build", "bin")]))
