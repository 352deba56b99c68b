#!/usr/bin/env python3
"""The reference device's outside judge: the same models in plain PyTorch, float64, differentiated by autograd.

usage: torch_judge.py path/to/adjrt-reference-dump [unittest arguments]

Documents are run one by one here, where the reference device packs them with resets: nothing of how it treats a reset is repeated.
"""
import os
import subprocess
import sys
import tempfile
import unittest

import numpy
import torch
import torch.nn.functional as F

DUMP = None
# Both sides are float64; what is left is rounding in sums of a few thousand terms.
TOLERANCE = 1e-11


class Case:
    """One run of adjrt-reference-dump: inputs, parameters, and what the reference device made of them."""

    def __init__(self, **options):
        with tempfile.TemporaryDirectory() as folder:
            stem = os.path.join(folder, "case")
            subprocess.run([DUMP, stem] + [f"{k}={int(v) if isinstance(v, bool) else v}" for k, v in options.items()],
                           check=True)
            values = numpy.fromfile(stem + ".bin", dtype=numpy.float64)
            with open(stem + ".txt", encoding="utf-8") as index:
                lines = [line.split() for line in index]
        tensors, at = {}, 0
        for role, name, *shape in lines:
            shape = [int(size) for size in shape]
            size = int(numpy.prod(shape, dtype=int))
            tensors.setdefault(role, {})[name] = torch.from_numpy(values[at:at + size].reshape(shape).copy())
            at += size
        assert at == len(values)
        self.inputs = tensors["input"]["inputs"].long()
        self.targets = tensors["input"]["targets"].long()
        self.resets = tensors["input"].get("resets")
        self.parameters = {name: p.requires_grad_() for name, p in tensors["parameter"].items()}
        self.loss = tensors["loss"]["loss"]
        self.gradients = tensors["gradient"]

    def documents(self):
        """(inputs, targets) of every document, each 1-D."""
        for b in range(self.inputs.shape[0]):
            starts = {0}
            if self.resets is not None:
                starts |= set(torch.nonzero(self.resets[b]).flatten().tolist())
            bounds = sorted(starts) + [self.inputs.shape[1]]
            for first, last in zip(bounds, bounds[1:]):
                yield self.inputs[b, first:last], self.targets[b, first:last]


def mamba_logits(p, tokens):
    """Mamba after Gu and Dao (2023), on one document: (T,) -> (T, vocabulary), in the parameters' precision."""
    x = p["backbone.embeddings.weight"][tokens]
    layer = 0
    while f"backbone.layers.{layer}.norm.weight" in p:
        def w(name):
            return p.get(f"backbone.layers.{layer}.mixer.{name}")
        a_log = w("A_log")
        inner, states = a_log.shape
        rank = w("dt_proj.weight").shape[1]
        projected = F.linear(rms_norm(x, p[f"backbone.layers.{layer}.norm.weight"]), w("in_proj.weight"), w("in_proj.bias"))
        u, z = projected.split(inner, dim=-1)
        width = w("conv1d.weight").shape[-1]
        padded = F.pad(u.t()[None], (width - 1, 0))
        u = F.silu(F.conv1d(padded, w("conv1d.weight"), w("conv1d.bias"), groups=inner)[0].t())
        dt, b, c = F.linear(u, w("x_proj.weight")).split([rank, states, states], dim=-1)
        delta = F.softplus(F.linear(dt, w("dt_proj.weight"), w("dt_proj.bias")), threshold=200)
        h, ys = torch.zeros(inner, states, dtype=x.dtype), []
        for t in range(len(tokens)):
            h = torch.exp(delta[t][:, None] * -torch.exp(a_log)) * h + (delta[t] * u[t])[:, None] * b[t]
            ys.append(h @ c[t])
        y = (torch.stack(ys) + w("D") * u) * F.silu(z)
        x = x + F.linear(y, w("out_proj.weight"), w("out_proj.bias"))
        layer += 1
    head = p.get("lm_head.weight", p["backbone.embeddings.weight"])
    return F.linear(rms_norm(x, p["backbone.norm_f.weight"]), head, p.get("lm_head.bias"))


def rms_norm(x, weight):
    return x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * weight


def s5_logits(p, tokens):
    """A complex diagonal recurrence with full input and output matrices."""
    x = p["embedding"][tokens]
    step = torch.exp(p["log_step"])
    a = torch.exp(torch.complex(-step * torch.exp(p["re"]), step * p["im"]))
    b, c = torch.complex(p["B_re"], p["B_im"]), torch.complex(p["C_re"], p["C_im"])
    h, ys = torch.zeros(len(step), dtype=torch.complex128), []
    for t in range(len(tokens)):
        h = a * h + b @ (x[t].to(torch.complex128)) * step
        ys.append((c @ h).real + p["D"] * x[t])
    return F.linear(x + torch.stack(ys), p["head"])


def dense_logits(p, tokens):
    """A transition matrix that depends on the input's row."""
    x = p["embedding"][tokens]
    h, ys = torch.zeros(x.shape[1], dtype=torch.float64), []
    for t in range(len(tokens)):
        h = torch.tanh(p["W"] + x[t][:, None]) / 4 @ h + x[t]
        ys.append(h)
    return F.linear(x + torch.stack(ys), p["head"])


def ssd_logits(p, tokens):
    """A scalar transition per head, a matrix (p, n) as the head's state."""
    x = p["embedding"][tokens]
    b, c = F.linear(x, p["B"]), F.linear(x, p["C"])
    heads, inner = p["P"].shape
    h, ys = torch.zeros(heads, inner, b.shape[1], dtype=torch.float64), []
    for t in range(len(tokens)):
        a = torch.exp(-torch.exp(p["A_log"]) * torch.exp(x[t]))
        h = a[:, None, None] * h + torch.einsum("h,hp,n->hpn", x[t], p["P"], b[t])
        ys.append(torch.einsum("hpn,n,hp->h", h, c[t], p["P"]))
    return F.linear(x + torch.stack(ys), p["head"])


def mlp_logits(activation):
    def block(x, p):
        up = F.linear(x, p["up"], p.get("up_bias"))
        hidden = activation(F.linear(x, p["gate"], p.get("gate_bias"))) * up if "gate" in p else activation(up)
        return F.linear(hidden, p["down"], p.get("down_bias"))

    def logits(p, tokens):
        x = p["embedding"][tokens]
        return F.linear(x + block(block(x, p), p), p["head"])
    return logits


class Judge(unittest.TestCase):
    def judge(self, logits, **options):
        case = Case(**options)
        counted = (case.targets != -100).sum()
        loss = sum(F.cross_entropy(logits(case.parameters, inputs), targets, ignore_index=-100, reduction="sum")
                   for inputs, targets in case.documents()) / counted
        loss.backward()
        self.assertLess(abs(loss.item() - case.loss.item()), TOLERANCE * abs(loss.item()))
        self.assertEqual(case.parameters.keys(), case.gradients.keys())
        for name, parameter in case.parameters.items():
            # A parameter that the loss doesn't reach (torch has no gradient, or zeros) must have exactly zero.
            expected = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
            norm, miss = expected.norm().item(), (expected - case.gradients[name]).norm().item()
            self.assertLessEqual(miss, TOLERANCE * norm, f"{name} of {options}: norm {norm}")


class Mamba(Judge):
    # Odd sizes throughout: nothing divides anything.
    ODD = {"vocabulary": 97, "hidden": 40, "inner": 80, "state": 5, "rank": 7, "layers": 3}

    def test_tied(self):
        self.judge(mamba_logits, **self.ODD, tokens=33)

    def test_untied(self):
        self.judge(mamba_logits, **self.ODD, tokens=33, tied=False)

    def test_all_biases(self):
        self.judge(mamba_logits, **self.ODD, tokens=20, batch=3, tied=False, linear_bias=True, head_bias=True)

    def test_no_bias(self):
        self.judge(mamba_logits, **self.ODD, tokens=20, convolution_bias=False)

    def test_short(self):
        for tokens in (1, 2, 3, 4, 5):
            self.judge(mamba_logits, **self.ODD, tokens=tokens)

    def test_batch(self):
        self.judge(mamba_logits, **self.ODD, tokens=21, batch=3)

    def test_widths(self):
        for width in (1, 2, 7):
            self.judge(mamba_logits, tokens=9, width=width)

    def test_long(self):
        self.judge(mamba_logits, tokens=300, layers=2)

    def test_deep(self):
        self.judge(mamba_logits, tokens=6, layers=24)

    def test_general_scan(self):
        self.judge(mamba_logits, **self.ODD, tokens=17, batch=3, general=True)


class Documents(Judge):
    def test_packed(self):
        for seed in (1, 2, 3):
            self.judge(mamba_logits, **Mamba.ODD, tokens=25, batch=3, resets=True, seed=seed)

    def test_all_biases(self):
        self.judge(mamba_logits, tokens=25, batch=3, resets=True, tied=False, linear_bias=True, head_bias=True)

    def test_general_scan(self):
        self.judge(mamba_logits, tokens=25, batch=3, resets=True, general=True)


class Mlps(Judge):
    ACTIVATIONS = {"silu": F.silu, "gelu": F.gelu, "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh")}

    def test_all(self):
        for name, activation in self.ACTIVATIONS.items():
            for gated in (True, False):
                for biased in (True, False):
                    self.judge(mlp_logits(activation), model="mlp", activation=name, gated=gated, biased=biased, tokens=19, batch=2)

    def test_documents(self):
        self.judge(mlp_logits(F.silu), model="mlp", tokens=30, batch=2, resets=True)


class Scans(Judge):
    def test_complex_diagonal(self):
        self.judge(s5_logits, model="s5", tokens=30, batch=2)
        self.judge(s5_logits, model="s5", tokens=30, batch=2, resets=True)

    def test_dense(self):
        self.judge(dense_logits, model="dense", tokens=30, batch=2)
        self.judge(dense_logits, model="dense", tokens=30, batch=2, resets=True)

    def test_scalar_per_head(self):
        self.judge(ssd_logits, model="ssd", tokens=30, batch=2)
        self.judge(ssd_logits, model="ssd", tokens=30, batch=2, resets=True)


if __name__ == "__main__":
    DUMP = sys.argv.pop(1)
    unittest.main()
