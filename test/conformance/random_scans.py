"""Random recurrences: every parameter's gradient of a device against the reference device, through the command lines.

Random gradients cancel. Where one is beyond the bound, the reference is asked how far its own gradient moves when the parameters, once, move to neighbouring f32s. A
computation in f32 rounds after each of some tens of operations, so up to ROUNDINGS times that movement, and at most MOST, is put down to conditioning, and said.

A case is a language model of several random `ssm.scan`s (several share one compilation), compiled for a random batch and shard, run on random tokens, with and
without resets. Everything follows from the seed, so a failure is repeated by the command that is printed with it.

    ADJC_BIN=build/bin python3 test/conformance/random_scans.py [--seed N] [--count M] [--scans K] [--keep FOLDER] [--coverage]
"""
import argparse
import json
import os
import sys
import tempfile
import time

import numpy as np

from harness import BOUND, DEVICE, read_safetensors, relative_errors, run, target_options, write_safetensors

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "random_scans"))
from coverage import missing_rules # noqa: E402
from specs import FEATURES, VOCABULARY, Spec # noqa: E402

ROUNDINGS, MOST = 16, 5 * BOUND


class RandomCase:
    def __init__(self, seed, scans, features, folder):
        self.rng = np.random.default_rng(seed)
        self.spec = Spec(self.rng, scans, features)
        self.folder = folder
        self.batch = int(self.rng.integers(1, 4))
        self.length = int(self.rng.choice([1, 2, 5, 16, 17, 23, 33, 40]))
        self.shard = int(self.rng.choice([1, 2, 5, 7, 16, 17, 20, 33, 64]))
        if self.length > 12 * self.shard:
            self.shard = 5
        self.resets = self.rng.random() < 0.5

    def path(self, name):
        return os.path.join(self.folder, name)

    def files(self):
        data = self.rng.integers(0, VOCABULARY, (self.batch, self.length + 1), dtype=np.int32)
        np.save(self.path("tokens.npy"), data)
        options = ["--tokens", self.path("tokens.npy")]
        if self.resets:
            np.save(self.path("resets.npy"), (self.rng.random((self.batch, self.length)) < 0.15).astype(np.uint8))
            options += ["--resets", self.path("resets.npy")]
        return options

    def grad(self, device, options, parameters="p"):
        out = self.path(f"{device}.safetensors")
        report = run("adj-run", "grad", self.path("m.adjm"), "--params", self.path(f"{parameters}.safetensors"), *options, "--out", out, "--device", device)
        return json.loads(report.stdout)["loss"], read_safetensors(out)

    def make(self):
        """The module, parameters and tokens, as files; options for adj-run."""
        with open(self.path("spec.mlir"), "w") as file:
            file.write(self.spec.text())
        start = time.time()
        run("adjc", self.path("spec.mlir"), "-o", self.path("m.adjm"), *target_options(), f"--batch={self.batch}", f"--shard={self.shard}",
            f"--context={self.length}")
        self.seconds = time.time() - start
        run("adj-run", "init", self.path("m.adjm"), "--seed", 1, "--out", self.path("p.safetensors"))
        return self.files()

    def worst(self):
        """The largest relative error, of a parameter's gradient or of the loss, and whose it is."""
        options = self.make()
        loss, expected = self.grad("reference", options)
        own, found = self.grad(DEVICE, options)
        errors = relative_errors(found, expected) | {"loss": abs(own - loss) / abs(loss)}
        self.excused = []
        missed = [name for name, error in errors.items() if error > BOUND]
        if missed:
            movement = self.movement(options, loss, expected)
            excused = [name for name in missed if errors[name] <= min(MOST, ROUNDINGS * movement[name])]
            self.excused = [f"{name} is {errors[name]:.1e} off; the reference moves by {movement[name]:.1e}" for name in excused]
            errors = {name: error for name, error in errors.items() if name not in excused}
        name = max(errors, key=errors.get)
        return errors[name], name

    def movement(self, options, loss, expected):
        """name -> how far the reference's gradient moves, at most of four times, when each value of a parameter stays or moves to a neighbouring f32."""
        rng = np.random.default_rng(0)
        original = read_safetensors(self.path("p.safetensors"))
        most = dict.fromkeys([*expected, "loss"], 0.0)
        for _ in range(4):
            moved = {}
            for name, values in original.items():
                f32 = values.astype(np.float32)
                toward = rng.choice(np.array([-np.inf, 0, np.inf], np.float32), f32.shape)
                moved[name] = np.where(toward == 0, f32, np.nextafter(f32, toward))
            write_safetensors(self.path("moved.safetensors"), moved)
            other, gradient = self.grad("reference", options, "moved")
            errors = relative_errors(gradient, expected) | {"loss": abs(other - loss) / abs(loss)}
            most = {name: max(most[name], errors[name]) for name in most}
        return most

    def describe(self):
        return f"batch {self.batch}, S {self.shard}, T {self.length}{', resets' if self.resets else ''}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the first case; the others follow (default 1)")
    parser.add_argument("--count", type=int, default=1, help="how many cases (default 1)")
    parser.add_argument("--scans", type=int, default=8, help="scans per case (default 8)")
    parser.add_argument("--keep", help="leave each failing case's files in this folder")
    parser.add_argument("--without", action="append", default=[], choices=FEATURES, help="leave out a feature of scans")
    parser.add_argument("--coverage", action="store_true", help="also fail unless the cases together use every operation with a rule")
    parser.add_argument("--print", action="store_true", help="print the specs instead of running them")
    arguments = parser.parse_args()
    features = [f for f in FEATURES if f not in arguments.without]
    excused, failures, worst, texts, compiling, start = 0, 0, (0.0, ""), [], 0.0, time.time()
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        with tempfile.TemporaryDirectory() as folder:
            if arguments.keep:
                folder = os.path.join(arguments.keep, str(seed))
                os.makedirs(folder, exist_ok=True)
            case = RandomCase(seed, arguments.scans, features, folder)
            texts.append(case.spec.text())
            if arguments.print:
                print(texts[-1])
                continue
            try:
                error, name = case.worst()
                problem = "" if error <= BOUND else f"{name} is {error:.2e} off, bound {BOUND:g}"
                worst = max(worst, (error, f"seed {seed}: {name}"))
            except AssertionError as failed:
                error, name, problem = float("nan"), "", str(failed)
            compiling += getattr(case, "seconds", 0.0)
            for excuse in getattr(case, "excused", []):
                excused += 1
                print(f"     seed {seed}: ill-conditioned: {excuse}", flush=True)
            print(f"{'FAIL' if problem else 'ok  '} seed {seed}: {case.describe()}: {error:.2e} ({name})", flush=True)
            if problem:
                failures += 1
                again = " ".join(["random_scans.py", f"--seed {seed}", f"--scans {arguments.scans}", *(f"--without {f}" for f in arguments.without)])
                print(f"{texts[-1] if not arguments.keep else folder}\n{problem}\nagain: {again}", flush=True)
    if not arguments.print:
        print(f"{arguments.count * arguments.scans} scans in {time.time() - start:.0f} s, {compiling:.0f} s of them compiling; worst {worst[0]:.2e}, {worst[1]}; "
              f"{excused} gradients beyond {BOUND:g} by their conditioning")
    if arguments.coverage:
        missing = missing_rules("\n".join(texts))
        if missing:
            failures += 1
            print(f"FAIL no case uses {', '.join(missing)}, which dialects/adj/ScalarRules.td has a rule for")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
