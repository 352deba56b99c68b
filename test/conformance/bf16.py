"""Gradients of modules compiled with --dtype=bf16, on parameters that bf16 holds exactly, against float64.

    ADJC_BIN=build/bin python3 test/conformance/bf16.py mamba|examples|peer

mamba: Mambas of odd sizes against the reference device, every parameter's gradient within 4e-2, whatever the shard length; and the bits of equal runs.
examples: `adj-run check`, which has the same bound. peer: what adjc misses is at most 1.25 times what PyTorch's bf16 autograd does of the same model (the
geometric mean over its parameters, and its worst parameter).
"""
import os
import sys
import tempfile

import numpy as np

from harness import Case, read_safetensors, relative_errors, run, write_safetensors

BOUND, PEER = 4e-2, 1.25
EXAMPLES = ("mamba-tiny", "mamba-mlp", "mingru", "rg-lru", "s4d-complex")
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SIZES = dict(vocab_size=97, hidden_size=72, state_size=5, num_hidden_layers=2, time_step_rank=7)
MODELS = {"untied": dict(tie_word_embeddings=False, use_bias=False, use_conv_bias=False),
          "biased": dict(tie_word_embeddings=False, use_bias=True, use_conv_bias=True),
          "tied": dict(tie_word_embeddings=True, use_bias=False, use_conv_bias=True)}


def rounded(values):
    """The nearest bf16, ties to even."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16 << 16).astype(np.uint32).view(np.float32)


def make_case(folder, name, seed=1):
    """A model of SIZES, with parameters in bf16."""
    case = Case(folder, f"{name}{seed}", seed=seed, **SIZES, **MODELS[name])
    module = case.compile("--dtype=bf16", "--shard=64", "--context=512")
    write_safetensors(case.params, {name: rounded(values) for name, values in read_safetensors(case.params).items()})
    return case, module


def mamba(folder):
    worst = 0
    for name in MODELS:
        case, _ = make_case(folder, name)
        truth = {}
        for batch, shard, length, kinds in ((1, 64, 301, {}), (1, 37, 301, {}), (1, 512, 301, {}), (3, 37, 101, {}), (3, 16, 101, dict(resets=True)),
                                            (3, 2, 101, dict(ignored=True))):
            module = case.compile("--dtype=bf16", f"--batch={batch}", f"--shard={shard}", "--context=512")
            options, key = case.tokens(batch, length, **kinds)
            if key not in truth:
                truth[key] = case.grad(module, "reference", options, key)
            report, found = case.grad(module, "cpu", options, key)
            assert abs(report["loss"] - truth[key][0]["loss"]) <= 1e-3 * truth[key][0]["loss"], (report, truth[key][0])
            errors = relative_errors(found, truth[key][1])
            most = max(errors, key=errors.get)
            print(f"{'ok  ' if errors[most] <= BOUND else 'FAIL'} {errors[most]:.1e}  {name}, batch {batch}, S {shard}, {key}  ({most})", flush=True)
            worst = max(worst, errors[most])
            again = case.grad(module, "cpu", options, key)[1]
            assert all(np.array_equal(found[n], again[n]) for n in found), "equal runs differ"
    return worst <= BOUND


def examples(folder):
    for name in EXAMPLES:
        module = os.path.join(folder, "m.adjm")
        for batch, shard, tokens, resets in ((1, 64, 300, False), (3, 16, 100, True)):
            run("adjc", os.path.join(ROOT, "examples", f"{name}.mlir"), "-o", module, "--dtype=bf16", "--cpu=x86-64-v3", f"--batch={batch}",
                f"--shard={shard}", "--context=512")
            done = run("adj-run", "check", module, "--tokens", tokens, *["--resets"] * resets)
            print(f"{name}, batch {batch}, S {shard}{', resets' if resets else ''}: {done.stdout.splitlines()[-1]}", flush=True)
    return True


def peer(folder):
    import torch
    import torch.nn.functional as F
    sys.path.append(os.path.join(ROOT, "test", "reference"))
    from torch_judge import mamba_logits
    torch.set_num_threads(1)

    def gradient(parameters, data, dtype):
        tensors = {name: torch.from_numpy(values.copy()).to(dtype).requires_grad_() for name, values in parameters.items()}
        logits = mamba_logits(tensors, torch.from_numpy(data[0, :-1]).long())
        F.cross_entropy(logits.to(torch.float64 if dtype == torch.float64 else torch.float32), torch.from_numpy(data[0, 1:]).long()).backward()
        return {name: tensor.grad.double().numpy() for name, tensor in tensors.items()}

    good = True
    for seed in (1, 2, 3):
        case, module = make_case(folder, "untied", seed)
        options, key = case.tokens(1, 101)
        parameters, data = read_safetensors(case.params), np.load(options[1])
        truth = gradient(parameters, data, torch.float64)
        ours = relative_errors(case.grad(module, "cpu", options, key)[1], truth)
        theirs = relative_errors(gradient(parameters, data, torch.bfloat16), truth)
        mean = np.exp(np.mean([np.log(ours[name] / theirs[name]) for name in ours]))
        ratio = max(ours.values()) / max(theirs.values())
        print(f"seed {seed}: worst {max(ours.values()):.1e}, PyTorch's {max(theirs.values()):.1e}; mean of ratios {mean:.2f}", flush=True)
        good = good and mean <= PEER and ratio <= PEER
    return good


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        sys.exit(0 if {"mamba": mamba, "examples": examples, "peer": peer}[sys.argv[1]](directory) else 1)
