#!/usr/bin/env python3
"""Long contexts on one GPU: what the planner promises against what a run takes. In two steps, because the machine with the GPU may have no compiler.

    long_context.py BIN prepare FOLDER [--target sm_90] [PART...]     compiles the modules (needs BIN/adjc)
    long_context.py BIN run FOLDER [--device cuda:0] [PART...]        runs them (needs BIN/adj-run, NumPy) and prints tables

Parts: `contexts`, mamba-1.4b with AdamW's state resident from 8192 to 10 485 760 tokens; `budgets`, the same at 1 048 576 tokens in 60, 40 and 30 GB;
`settings`, ten different (spec, context, budget, shard, policy) for the predicted peak; `policies`, a small model in f32 at 1 048 576 tokens under every policy
against one shard; `mlp`, gated MLPs in mini-sequences and without. The name of a case (context-10485760) is a part of its own.
"""
import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test/conformance"))
LARGE, SMALL, TINY = "examples/mamba-1.4b.mlir", "examples/mamba-130m.mlir", "examples/mamba-tiny.mlir"
MILLION = 1 << 20
DEEP = "mamba-tiny with 6 layers" # of two layers, offload has nothing to move
ADAMW = ["--dtype=bf16", "--optimizer=adamw"]

# name -> (spec, tokens, options of adjc beside --target and --context)
CONTEXTS = {f"context-{tokens}": (LARGE, tokens, [*ADAMW, f"--budget={'80GB' if tokens > MILLION else '60GB'}"])
            for tokens in (8192, 65536, 4 * 65536, MILLION, 10 * MILLION)}
BUDGETS = {f"budget-{budget}": (LARGE, MILLION, [*ADAMW, f"--budget={budget}"]) for budget in ("60GB", "40GB", "30GB")}
SETTINGS = {
    "setting-0": (LARGE, 16384, ["--dtype=bf16", "--shard=2048", "--policy=store"]),
    "setting-1": (LARGE, 16384, ["--dtype=bf16", "--shard=8192", "--policy=recompute"]),
    "setting-2": (LARGE, 16384, ["--dtype=bf16", "--shard=4096", "--policy=offload"]),
    "setting-3": (LARGE, 12345, ["--shard=1024", "--budget=40GB"]),
    "setting-4": (LARGE, 32768, ["--dtype=bf16", "--shard=1024", "--boundaries=host", "--optimizer=adamw"]),
    "setting-5": (SMALL, 262144, ["--budget=6GB"]),
    "setting-6": (SMALL, 65536, ["--dtype=bf16", "--shard=65536", "--mini-sequence=512"]),
    "setting-7": (SMALL, 100000, ["--dtype=bf16", "--shard=4096", "--boundaries=binomial:4"]),
    "setting-8": (SMALL, 32768, ["--shard=8192", "--policy=offload", "--optimizer=adamw"]),
    "setting-9": (TINY, MILLION, ["--budget=2GB", "--policy=recompute"]),
}
POLICIES = {
    "policy-one-shard": (DEEP, MILLION, [f"--shard={MILLION}", "--policy=store"]),
    "policy-store": (DEEP, MILLION, ["--shard=16384", "--policy=store"]),
    "policy-recompute": (DEEP, MILLION, ["--shard=16384", "--policy=recompute"]),
    "policy-offload": (DEEP, MILLION, ["--shard=16384", "--policy=offload"]),
    "policy-host": (DEEP, MILLION, ["--shard=16384", "--policy=store", "--boundaries=host"]),
    "policy-binomial": (DEEP, MILLION, ["--shard=16384", "--policy=store", "--boundaries=binomial:8"]),
}
# What only moves or recomputes values: the same bits as the first.
EQUAL_BITS = ("policy-store", "policy-recompute", "policy-offload", "policy-host", "policy-binomial")
MLP = "benchmarks/mlp.mlir"
MLPS = {"mlp-auto": (MLP, 65536, ["--dtype=bf16", "--shard=65536"]), "mlp-off": (MLP, 65536, ["--dtype=bf16", "--shard=65536", "--mini-sequence=off"])}
PARTS = {"contexts": CONTEXTS, "budgets": BUDGETS, "settings": SETTINGS, "policies": POLICIES, "mlp": MLPS}


CASES = {name: case for cases in PARTS.values() for name, case in cases.items()}


def names_of(part):
    return list(PARTS[part]) if part in PARTS else [part]


def chosen(parts):
    return {name: CASES[name] for part in parts or PARTS for name in names_of(part)}


def spec_file(folder, spec):
    """The spec itself, or one made of mamba-tiny in the folder."""
    if spec != DEEP:
        return ROOT / spec
    text = (ROOT / TINY).read_text()
    assert "ssm.repeat 2 " in text
    path = folder / "deep.mlir"
    path.write_text(text.replace("ssm.repeat 2 ", "ssm.repeat 6 "))
    return path


def prepare(binaries, folder, target, parts):
    folder.mkdir(parents=True, exist_ok=True)
    for name, (spec, tokens, options) in chosen(parts).items():
        common = [binaries / "adjc", spec_file(folder, spec), f"--target={target}", f"--context={tokens}", *options]
        done = subprocess.run([*common, "-o", folder / f"{name}.adjm"], text=True, capture_output=True)
        print(name, done.stderr.strip() or "ok", flush=True)
        if done.returncode == 0:
            subprocess.run([*common, "--emit=plan", "-o", folder / f"{name}.json"], check=True)


class Runner:
    def __init__(self, binaries, folder, device):
        import numpy
        self.numpy, self.binaries, self.folder, self.device = numpy, binaries, folder, device

    def plan(self, name):
        return json.loads((self.folder / f"{name}.json").read_text())

    def tool(self, *arguments):
        done = subprocess.run([self.binaries / "adj-run", *map(str, arguments)], text=True, capture_output=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return done.stdout

    def parameters(self, name, spec):
        """Initial parameters, one file per spec."""
        path = self.folder / f"{pathlib.Path(spec).stem}.safetensors"
        if not path.exists():
            self.tool("init", self.folder / f"{name}.adjm", "--seed", 1, "--out", path)
        return path

    def grad(self, name):
        """adj-run's report of a gradient of random tokens, and its file."""
        spec, tokens, _ = CASES[name]
        module = self.folder / f"{name}.adjm"
        parameters = self.parameters(name, spec)
        vocabulary = json.loads(self.tool("info", module, "--json"))["vocabulary"]
        data = self.folder / "tokens.npy"
        self.numpy.save(data, self.numpy.random.default_rng(7).integers(0, vocabulary, tokens + 1, dtype=self.numpy.int32))
        out = self.folder / "gradient.safetensors"
        lines = self.tool("grad", module, "--params", parameters, "--tokens", data, "--out", out, "--device", self.device)
        return json.loads(next(line for line in lines.splitlines() if line.startswith("{"))), out

    def row(self, name, report):
        plan = self.plan(name)
        seconds = plan["predicted"]["seconds"]
        off = 100 * (report["peak_bytes"] / plan["predicted_peak_bytes"] - 1)
        print(f"| {name} | {report['tokens']} | {plan['shard']} | {plan['policy']} | {plan['boundaries']} | {report['peak_bytes'] / 1e9:.2f} | "
              f"{plan['predicted_peak_bytes'] / 1e9:.2f} | {off:+.1f} % | {report['seconds']:.2f} | {seconds:.2f} | {report['tokens_per_second']:.0f} |", flush=True)

    def table(self, names):
        print("| setting | tokens | shard | policy | boundaries | peak GB | predicted GB | off | seconds | predicted s | tokens/s |")
        print("|---|---|---|---|---|---|---|---|---|---|---|")
        for name in names:
            if not (self.folder / f"{name}.adjm").exists():
                print(f"| {name} | not compiled |")
                continue
            try:
                report, _ = self.grad(name)
            except RuntimeError as error:
                print(f"| {name} | {error} |", flush=True)
                continue
            self.row(name, report)
        print(f"\non {report['device']}\n", flush=True)

    def policies(self, names):
        from harness import read_safetensors, relative_errors
        one, bits = None, {}
        for name in names:
            report, out = self.grad(name)
            bits[name] = hashlib.sha256(out.read_bytes()).hexdigest()[:16]
            found = read_safetensors(out)
            one = one or found
            errors = relative_errors(found, one)
            worst = max(errors, key=errors.get)
            print(f"{name}: {report['seconds']:.2f} s, peak {report['peak_bytes'] / 1e9:.2f} GB, bits {bits[name]}, from one shard {errors[worst]:.1e} ({worst})", flush=True)
        print("equal bits:", len({bits[name] for name in EQUAL_BITS if name in bits}) == 1)

    def mlps(self, names):
        for name in names:
            holdings = self.plan(name)["holdings"]
            print(f"{name}: activations and tape {(holdings['activations'] + holdings['tape']) / 1e9:.2f} GB")
        self.table(names)


def run(binaries, folder, device, parts):
    os.environ.setdefault("ADJC_BIN", str(binaries)) # the harness's readers of files want it
    runner = Runner(binaries, folder, device)
    for part in parts or PARTS:
        print(f"## {part}", flush=True)
        {"policies": runner.policies, "mlp": runner.mlps}.get(part, runner.table)(names_of(part))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("step", choices=["prepare", "run"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[[], *PARTS, *CASES])
    parser.add_argument("--target", default="sm_90")
    parser.add_argument("--device", default="cuda:0")
    options = parser.parse_args()
    if options.step == "prepare":
        prepare(options.bin.resolve(), options.folder, options.target, options.parts)
    else:
        run(options.bin.resolve(), options.folder.resolve(), options.device, options.parts)


if __name__ == "__main__":
    main()
