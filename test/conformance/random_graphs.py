"""Random graphs of small layers: values read twice and more, by one operation or by several, within stacks and from around them, carried and handed on in any order.

Each is compiled for several policies and certified by `adj-run check`. A parameter that does not reach the loss must be refused by every compilation alike. Everything follows from
the seed, so a failure is repeated by the command that is printed with it.

    ADJC_BIN=build/bin ADJ_RUN=build/bin/adj-run python3 test/conformance/random_graphs.py [--seed N] [--count M]
"""
import argparse
import os
import random
import sys
import tempfile

from harness import attempt, target_options

VOCABULARY, CHANNELS = 11, 6
ROWS = f"tensor<?x?x{CHANNELS}xf32>"
# Options of adjc, and whether the module is run.
COMPILATIONS = [([], True), (["--policy=recompute", "--shard=7"], True), (["--policy=store", "--shard=7", "--dtype=bf16"], False)]


class Graph:
    """A few operations on rows, from the values `first` on. `prefix` comes before the names of their parameters."""

    def __init__(self, random, first, prefix):
        self.random, self.prefix = random, prefix
        self.values = list(first)
        self.parameters, self.operations = [], []

    def parameter(self, shape):
        name = f"p{len(self.parameters)}"
        self.parameters.append(f'%{name} = ssm.parameter "{self.prefix}{name}" <normal, 0.0, 0.5> : tensor<{shape}xf32>')
        return "%" + name

    def add(self):
        c = CHANNELS
        a, b = self.random.choice(self.values[-3:]), self.random.choice(self.values)
        kind = self.random.choice(["silu", "silu", "gate", "gate", "residual", "residual", "linear", "biased", "norm", "conv"])
        if kind == "silu":
            text = f"ssm.silu {a} : {ROWS}"
        elif kind in ("gate", "residual"):
            text = f"ssm.{kind} {a}, {b} : {ROWS}"
        elif kind == "linear":
            text = f"ssm.linear {a}, {self.parameter(f'{c}x{c}')} : ({ROWS}, tensor<{c}x{c}xf32>) -> {ROWS}"
        elif kind == "biased":
            text = f"ssm.linear {a}, {self.parameter(f'{c}x{c}')}, {self.parameter(c)} : ({ROWS}, tensor<{c}x{c}xf32>, tensor<{c}xf32>) -> {ROWS}"
        elif kind == "norm":
            text = f"ssm.rms_norm {a}, {self.parameter(c)} eps 1.0e-5 : ({ROWS}, tensor<{c}xf32>) -> {ROWS}"
        else:
            text = f"ssm.conv1d {a}, {self.parameter(f'{c}x1x4')} : ({ROWS}, tensor<{c}x1x4xf32>) -> {ROWS}"
        self.operations.append(f"%v{len(self.operations)} = {text}")
        self.values.append(f"%v{len(self.operations) - 1}")

    def lines(self):
        return self.parameters + self.operations


def make_spec(seed):
    r = random.Random(seed)
    kind = seed % 4  # no stack; a stack; one that reads what is around it; one that carries two values
    table = f"tensor<{VOCABULARY}x{CHANNELS}xf32>"
    lines = [f'%table = ssm.parameter "table" <normal, 0.0, 0.5> : {table}', f"%x = ssm.embedding %tokens, %table : (tensor<?x?xi32>, {table}) -> {ROWS}",
             f"%s = ssm.silu %x : {ROWS}"]
    first = {0: ["%x", "%s"], 1: ["%r"], 2: ["%x", "%s", "%r"], 3: ["%k", "%r"]}[kind]
    graph = Graph(r, first, "layers.{layer}." if kind else "")
    for _ in range(r.randint(2, 9)):
        graph.add()
    graph.operations.append(f"%y = ssm.residual {graph.values[-1]}, {r.choice(graph.values[-3:])} : {ROWS}")
    if kind == 0:
        lines += graph.lines() + [f"%out = ssm.silu %y : {ROWS}"]
    elif kind == 3:
        yields = r.choice(["%y, %k", "%k, %y", "%y, %r", "%r, %y", "%y, %y", "%y, %x", "%y, %v0"])
        lines += [f"%o0, %o1 = ssm.repeat 3 iter(%r = %x : {ROWS}, %k = %s : {ROWS}) {{"] + graph.lines() + [f"ssm.yield {yields} : {ROWS}, {ROWS}", "}"]
        lines += [f"%out = ssm.{r.choice(['residual %o0, %o1', 'gate %o0, %s', 'silu %o0', 'silu %o1'])} : {ROWS}"]
    else:
        lines += [f"%o0 = ssm.repeat 2 iter(%r = %x : {ROWS}) {{"] + graph.lines() + [f"ssm.yield %y : {ROWS}", "}", f"%out = ssm.residual %o0, %s : {ROWS}"]
    lines += [f"%loss = ssm.lm_loss %out, %table, %targets : ({ROWS}, {table}, tensor<?x?xi32>) -> tensor<f32>", "ssm.return %loss : tensor<f32>"]
    return "\n".join(["ssm.model @graph(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {", *lines, "}", ""])


def judge(seed, folder):
    """What is wrong with the case, or None; and whether it was refused for a parameter that does not reach the loss."""
    spec, module = os.path.join(folder, f"graph{seed}.mlir"), os.path.join(folder, "m.adjm")
    with open(spec, "w") as file:
        file.write(make_spec(seed))
    refused = []
    for options, runs in COMPILATIONS:
        compiled = attempt("adjc", spec, "-o", module, "--context=64", *options, *target_options())
        refused.append(compiled.returncode == 2 and "does not reach the loss" in compiled.stderr)
        if compiled.returncode and not refused[-1]:
            return f"adjc {' '.join(options)} exits {compiled.returncode}: {compiled.stderr}", False
        if not runs or refused[-1]:
            continue
        checked = attempt("adj-run", "check", module, "--tokens", "40", "--resets")
        if checked.returncode:
            return f"adj-run check after adjc {' '.join(options)} exits {checked.returncode}: {checked.stdout}{checked.stderr}", False
    return ("refused by some compilations alone" if len(set(refused)) > 1 else None), refused[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=12)
    arguments = parser.parse_args()
    failures = certified = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.seed, arguments.seed + arguments.count):
            wrong, refused = judge(seed, folder)
            certified += not wrong and not refused
            if wrong:
                failures += 1
                print(f"FAILED: random_graphs.py --seed {seed} --count 1: {wrong}\n{make_spec(seed)}")
    print(f"{certified} graphs certified, {failures} failed, the rest refused: a parameter does not reach the loss")
    # A generator that makes nothing but what is refused would test nothing.
    sys.exit(1 if failures or certified * 2 < arguments.count else 0)


if __name__ == "__main__":
    main()
