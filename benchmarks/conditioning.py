#!/usr/bin/env python3
"""How far the gradient of x_proj misses the reference, and why: the tables of docs/accuracy.md.

    python3 benchmarks/conditioning.py BIN-FOLDER [--seeds N] [--tokens T] [--wide] [--check]

Per model (a seed's parameters and tokens) and layer, the relative error of the gradient of x_proj.weight, as a whole and in the rows that make
dt, B and C, against float64 autograd (PyTorch): of adjc's cpu device; of float32 autograd on the same model; and of the float64 gradient itself
when every parameter is moved to a neighbouring f32 or not at all, at random. What moves the truth by as much as it misses is
no algorithm's fault: the parameters, as f32 holds them, do not say more. `--wide`: one model of 130m's width. `--check` exits 1 when adjc misses, in
the geometric mean over any of the rows, more than 1.25 times what float32 autograd does.
"""
import argparse
import os
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
parser = argparse.ArgumentParser()
parser.add_argument("bin", nargs="?", default=os.path.join(ROOT, "build", "bin"))
parser.add_argument("--seeds", type=int, default=60)
parser.add_argument("--tokens", type=int, default=1)
parser.add_argument("--wide", action="store_true")
parser.add_argument("--check", action="store_true")
arguments = parser.parse_args()
os.environ["ADJC_BIN"] = arguments.bin
sys.path += [os.path.join(ROOT, "test", folder) for folder in ("conformance", "reference")]
from harness import Case, read_safetensors, run  # noqa: E402
from torch_judge import mamba_logits  # noqa: E402

MOVES = 4  # times that the parameters are moved


def gradient(parameters, data, dtype):
    """name -> float64 array, by autograd in `dtype`."""
    tensors = {name: torch.from_numpy(values.copy()).to(dtype).requires_grad_() for name, values in parameters.items()}
    inputs, targets = torch.from_numpy(data[0, :-1]).long(), torch.from_numpy(data[0, 1:]).long()
    F.cross_entropy(mamba_logits(tensors, inputs), targets).backward()
    return {name: tensor.grad.double().numpy() for name, tensor in tensors.items()}


def moved(parameters, rng):
    """Every value, an f32, or one of its two neighbours."""
    result = {}
    for name, values in parameters.items():
        toward = rng.choice(np.array([-np.inf, 0, np.inf], np.float32), values.shape)
        value = values.astype(np.float32)
        result[name] = np.where(toward == 0, value, np.nextafter(value, toward)).astype(np.float64)
    return result


def misses(case, module, seed, rows):
    """[(layer, rows' name, adjc, float32, moved)] of relative errors."""
    case.params = case.file("params.safetensors")
    run("adj-run", "init", module, "--seed", seed, "--out", case.params)
    options, key = case.tokens(1, arguments.tokens)
    parameters, data = read_safetensors(case.params), np.load(options[1])
    truth = gradient(parameters, data, torch.float64)
    rng = np.random.default_rng(seed)
    found = [case.grad(module, "cpu", options, key)[1], gradient(parameters, data, torch.float32)]
    neighbours = [gradient(moved(parameters, rng), data, torch.float64) for _ in range(MOVES)]
    table, layer = [], 0
    while (name := f"backbone.layers.{layer}.mixer.x_proj.weight") in truth:
        for what, part in rows.items():
            error = lambda other: np.linalg.norm(other[name][part] - truth[name][part]) / np.linalg.norm(truth[name][part])
            table.append((layer, what, *map(error, found), np.sqrt(np.mean([error(other) ** 2 for other in neighbours]))))
        layer += 1
    return table


def main():
    wide = dict(vocab_size=50280, hidden_size=768, state_size=16, num_hidden_layers=2, time_step_rank=48) if arguments.wide else {}
    rank, state = (48, 16) if arguments.wide else (7, 5)
    rows = {"dt": slice(0, rank), "B": slice(rank, rank + state), "C": slice(rank + state, None), "all": slice(None)}
    table = []
    with tempfile.TemporaryDirectory() as folder:
        module = None
        for seed in range(1, (1 if arguments.wide else arguments.seeds) + 1):
            case = Case(folder, f"seed{seed}", seed=seed, **wide)
            module = module or case.compile("--shard=64", "--context=256")
            table += [(seed, *line) for line in misses(case, module, seed, rows)]
    if not arguments.wide:
        print(f"{arguments.seeds} models of 3 layers, T = {arguments.tokens}\n")
        print("| rows of x_proj | | adjc | float32 autograd | parameters moved |\n|---|---|---|---|---|")
        for what in rows:
            values = np.array([line[3:] for line in table if line[2] == what])
            for name, figures in (("geometric mean", np.exp(np.log(values).mean(0))), ("95 % below", np.quantile(values, 0.95, axis=0)),
                                  ("largest", values.max(0))):
                print(f"| {what} | {name} | " + " | ".join(f"{figure:.1e}" for figure in figures) + " |")
        print()
    ratios = {what: np.exp(np.mean([np.log(line[3] / line[4]) for line in table if line[2] == what])) for what in rows}
    print("adjc over float32 autograd, geometric mean: " + ", ".join(f"{what} {ratio:.2f}" for what, ratio in ratios.items()) + "\n")
    print("the worst\n\n| seed | layer | rows | adjc | float32 autograd | parameters moved |\n|---|---|---|---|---|---|")
    worst = sorted((line for line in table if line[2] == "all"), key=lambda line: -line[3])[:3]
    for seed, layer, *_ in worst:
        for line in table:
            if line[:2] == (seed, layer):
                print(f"| {seed} | {layer} | {line[2]} | " + " | ".join(f"{figure:.1e}" for figure in line[3:]) + " |")
    return 1 if arguments.check and max(ratios.values()) > 1.25 else 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
