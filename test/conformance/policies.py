"""What is stored, recomputed or offloaded changes no gradient: not one bit, since all of it is the same arithmetic on the same values.

    ADJC_BIN=build/bin python3 test/conformance/policies.py bits|long|memory|budget        (long: at 65 536 tokens, or at those given)
"""
import json
import os
import re
import sys
import tempfile

import mlp
import numpy as np

from harness import BOUND, Case, read_safetensors, relative_errors, run, target_options

EXAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "examples")
# Move or recompute, and keep every bit.
POLICIES = ("store", "recompute", "offload")


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def random_choices(rng, source, options):
    """adjc's options for some of every tape: each value stored, recomputed or kept on the host, as far as it can be."""
    ways = {}
    for policy in POLICIES:
        planned = run("adjc", source, *target_options(), *options, f"--policy={policy}", "--emit=adj").stdout
        for value, keep in re.findall(r'\["([^"]+)", "(store|recompute|offload)", \d+\]', planned):
            ways.setdefault(value, set()).add(keep)
    assert ways
    choices = {value: rng.choice(sorted(keeps)) for value, keeps in ways.items()}
    return ["--policy=store", *(f"--keep={value}={keep}" for value, keep in choices.items() if keep != "store")]


def bits(folder):
    """f32 and bf16, random shards, batches, documents: each policy's gradients, and those of values kept at random, byte for byte those of --policy=store."""
    rng = np.random.default_rng(7)
    cases = [Case(folder, "mamba", num_hidden_layers=4, use_bias=True), Case(folder, "one", num_hidden_layers=1)]
    # Mini-sequences in the layers, complex recurrences. Stacks of two layers have nothing to offload.
    cases += [Case(folder, "mlp", spec=mlp.spec(folder, "mlp", layers=4, after="norm", biased=True), vocabulary=53)]
    cases += [Case(folder, name, spec=os.path.join(EXAMPLES, f"{name}.mlir"), vocabulary=256) for name in ("mamba-mlp", "s5")]
    failures = 0
    for case in cases:
        for dtype in ("f32", "bf16"):
            batch, shard = int(rng.choice([1, 3])), int(rng.integers(1, 80))
            tokens, key = case.tokens(batch, int(rng.integers(shard, 3 * shard + 20)), resets=True)
            stored = None
            options = [f"--batch={batch}", f"--shard={shard}", "--context=512", f"--dtype={dtype}", "--mini-sequence=11"]
            ways = {policy: [f"--policy={policy}"] for policy in POLICIES}
            ways["mixed"] = random_choices(rng, case.config, options)
            for policy, chosen in ways.items():
                module = case.compile(*options, *chosen)
                out = case.file(f"{dtype}-{policy}.safetensors")
                loss = json.loads(run("adj-run", "grad", module, "--params", case.params, *tokens, "--out", out).stdout)["loss"]
                found = (loss, read_bytes(out))
                stored = stored or found
                good = found == stored
                if policy in ("offload", "mixed"):  # transfers as late as the program's waits allow
                    late = case.file(f"{dtype}-late.safetensors")
                    run("adj-run", "grad", module, "--params", case.params, *tokens, "--out", late, env={"ADJRT_CPU_LATE_TRANSFERS": "1"})
                    good = good and read_bytes(late) == stored[1]
                if policy == POLICIES[0] and dtype == "f32":
                    error, name = case.worst_error(module, batch, int(key.split("x")[1].rstrip("r")), resets=True)
                    good = error <= BOUND
                    key += f", {error:.2e} ({name})"
                failures += not good
                print(f"{'ok  ' if good else 'FAIL'} {case.name}, {dtype}, S {shard}, {key}: {policy} {' '.join(chosen[1:])}", flush=True)
    return 1 if failures else 0


def long(folder, length=65536):
    """Every policy on many shards against one shard that holds all tokens: within 1e-5; what only moves or recomputes, in equal bits."""
    case = Case(folder, "long", vocab_size=61, hidden_size=16, state_size=4, num_hidden_layers=3, time_step_rank=4)
    options, key = case.tokens(1, length)
    one = case.compile(f"--shard={length}", f"--context={length}", "--policy=store")
    _, expected = case.grad(one, "cpu", options, f"{key}-one")
    ways = {policy: [f"--policy={policy}"] for policy in POLICIES}
    ways["binomial"] = ["--policy=store", "--boundaries=binomial:5"]
    ways["boundaries on the host"] = ["--policy=store", "--boundaries=host"]
    ways["boundaries and tape on the host"] = ["--policy=offload", "--boundaries=host"]
    failures, stored = 0, None
    for way, chosen in ways.items():
        module = case.compile("--shard=1000", f"--context={length}", *chosen)
        out = case.file(f"{way}.safetensors")
        report = json.loads(run("adj-run", "grad", module, "--params", case.params, *options, "--out", out).stdout)
        errors = relative_errors(read_safetensors(out), expected)
        stored = stored or read_bytes(out)
        worst, same = max(errors.values()), read_bytes(out) == stored
        failures += worst > BOUND or not same
        print(f"{'ok  ' if worst <= BOUND and same else 'FAIL'} {way}: {worst:.2e} from one shard of {length} tokens, "
              f"{'equal bits' if same else 'OTHER BITS'}, {report['seconds']:.2f} s", flush=True)
    return 1 if failures else 0


def memory(folder):
    """What a policy saves, as planned, and the process's peak against the plan; a small budget recomputes what does not fit."""
    path = lambda name: os.path.join(folder, name)
    case = Case(folder, "memory", vocab_size=256, hidden_size=64, state_size=16, num_hidden_layers=8, time_step_rank=4)
    length = 16384
    np.save(path("t.npy"), np.random.default_rng(0).integers(0, 256, length + 1, dtype=np.int32))
    failures, tapes = 0, {}
    for policy in POLICIES:
        options = ["--shard=8192", f"--context={length}", "--budget=2GB", f"--policy={policy}"]
        module = case.compile(*options)
        plan = json.loads(run("adjc", case.config, *options, "--emit=plan").stdout)
        tapes[policy] = plan["holdings"]["tape"]
        report = json.loads(run("adj-run", "grad", module, "--params", case.params, "--tokens", path("t.npy"), "--out", path("g.safetensors")).stdout)
        off = report["peak_bytes"] / report["predicted_peak_bytes"] - 1
        failures += abs(off) > 0.03
        print(f"{'ok  ' if abs(off) <= 0.03 else 'FAIL'} {policy}: tape {tapes[policy] / 1e6:.2f} MB, peak {report['peak_bytes'] / 1e6:.2f} MB, "
              f"predicted {100 * off:+.2f} %, {report['seconds']:.2f} s", flush=True)
    good = tapes["recompute"] * 8 < tapes["store"]
    failures += not good
    print(f"{'ok  ' if good else 'FAIL'} recomputing keeps {tapes['store'] / tapes['recompute']:.1f} times less")
    def plan_within(budget, *options):
        return json.loads(run("adjc", case.config, f"--context={length}", f"--budget={budget}", *options, "--emit=plan").stdout)

    # Shards of 1024 tokens with all of their tape do not fit; left alone, the planner finds nothing slower.
    tight, free = plan_within("40MB", "--shard=1024"), plan_within("40MB")
    good = tight["policy"] == "mixed" and max(plan["predicted_peak_bytes"] for plan in (tight, free)) <= 40e6
    good = good and free["predicted"]["seconds"] <= tight["predicted"]["seconds"]
    failures += not good
    kept = ", ".join(f"{entry['value']}: {entry['keep']}" for entry in tight["tape"])
    for plan in (tight, free):
        print(f"{'ok  ' if good else 'FAIL'} 40 MB: policy {plan['policy']}, shards of {plan['shard']} tokens, {plan['predicted_peak_bytes'] / 1e6:.2f} MB, "
              f"{plan['predicted']['seconds']:.2f} s predicted")
    print(kept)
    return 1 if failures else 0


def budget(folder):
    """mamba-130m at a million tokens is planned within 4 GB of the CPU's memory. Shortened to three layers, 512 words and 1500 tokens, with the same shape
    of plan: the process's peak is the predicted one, below the budget, and the gradients are in every bit those of storing everything."""
    path = lambda name: os.path.join(folder, name)
    published = os.path.join(EXAMPLES, "mamba-130m.mlir")
    plan = json.loads(run("adjc", published, "--context=1048576", "--budget=4GB", "--emit=plan").stdout)
    failures = not (plan["predicted_peak_bytes"] <= 4e9 and plan["context"] == 1048576)
    print(f"{'FAIL' if failures else 'ok  '} mamba-130m, 1048576 tokens, 4 GB: {plan['predicted_peak_bytes'] / 1e9:.3f} GB, shards of {plan['shard']} tokens, "
          f"policy {plan['policy']}, {plan['predicted']['seconds']:.0f} s predicted", flush=True)

    with open(published) as file:
        text = file.read()
    for long, short in (("ssm.repeat 24 ", "ssm.repeat 3 "), ("50280x768", "512x768")):
        assert long in text, long
        text = text.replace(long, short)
    with open(path("short.mlir"), "w") as file:
        file.write(text)
    np.save(path("t.npy"), np.random.default_rng(3).integers(0, 512, 1501, dtype=np.int32))
    options = ["--shard=1024", "--context=1500", "--mini-sequence=64"]
    stored, limit = None, "8GB"
    for policy in ("store", "auto"):
        module = path(f"{policy}.adjm")
        run("adjc", path("short.mlir"), "-o", module, *target_options(), *options, f"--policy={policy}", f"--budget={limit}")
        info = json.loads(run("adj-run", "info", module, "--json").stdout)
        if stored is None:
            run("adj-run", "init", module, "--seed", 1, "--out", path("p.safetensors"))
        out = path(f"{policy}.safetensors")
        report = json.loads(run("adj-run", "grad", module, "--params", path("p.safetensors"), "--tokens", path("t.npy"), "--out", out).stdout)
        found = (report["loss"], read_bytes(out))
        stored = stored or found
        peak, planned = report["peak_bytes"], info["predicted_peak_bytes"]
        good = found == stored and abs(peak / report["predicted_peak_bytes"] - 1) <= 0.03 and peak <= info["budget_bytes"] and planned <= info["budget_bytes"]
        failures += not good
        print(f"{'ok  ' if good else 'FAIL'} shortened, --policy={policy} within {info['budget_bytes'] / 1e6:.0f} MB: peak {peak / 1e6:.2f} MB, planned {planned / 1e6:.2f} MB, "
              f"predicted {100 * (peak / report['predicted_peak_bytes'] - 1):+.2f} %, {'equal bits' if found == stored else 'OTHER BITS'}, {report['seconds']:.2f} s", flush=True)
        limit = f"{planned * 3 // 4}"
    return 1 if failures else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit({"bits": bits, "long": long, "memory": memory, "budget": budget}[sys.argv[1]](temporary, *map(int, sys.argv[2:])))
