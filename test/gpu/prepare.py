"""Compiles the conformance groups for a GPU and computes their reference gradients, on a machine that needs no GPU, into a folder that travels to one that has.

    ADJC_BIN=build/bin python3 test/gpu/prepare.py FOLDER [--target sm_90] [--every N] [GROUP...]

A group's subfolder has the modules, parameters, tokens and the float64 reference's gradients; cases.json lists what is to be compared. `--every N` keeps every
Nth case of each group, but for the short ones: every example in bf16, and `tiny`, which compute-sanitizer runs. test/gpu/prepared.py runs them.
"""
import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CONFORMANCE = os.path.join(HERE, "..", "conformance")
EXAMPLES = os.path.join(HERE, "..", "..", "examples")
RANDOM_SEEDS = (*range(1, 9), *range(101, 109))
# What compute-sanitizer runs: small enough for its slowness.
TINY = {"mamba-tiny": ("--batch=1", "--shard=16"), "dense": ("--batch=2", "--shard=16")}


def vocabulary_of(harness, module):
    return json.loads(harness.run("adj-run", "info", module, "--json").stdout)["vocabulary"]


def example_case(harness, folder, name, *options):
    """The example's case, and its module for these options."""
    case = harness.Case(folder, name, spec=os.path.join(EXAMPLES, f"{name}.mlir"), vocabulary=0)
    module = case.compile("--context=256", *options)
    case.vocabulary = vocabulary_of(harness, module)
    return case, module


def example_names():
    """All but those too large for their float64 twins."""
    return sorted({name[:-5] for name in os.listdir(EXAMPLES) if name.endswith(".mlir")} - {"mamba-130m", "mamba-1.4b"})


def examples(harness, folder):
    from examples import RUNS
    for name in example_names():
        for batch, shard, tokens, resets in RUNS:
            case, module = example_case(harness, folder, name, f"--batch={batch}", f"--shard={shard}")
            yield f"{name}, batch {batch}, S {shard}, T {tokens}{', resets' if resets else ''}", case.worst_error(module, batch, tokens, resets=resets)


def bf16(harness, folder):
    """Every example in bf16, on parameters that bf16 holds."""
    from bf16 import BOUND, rounded
    for name in example_names():
        case, module = example_case(harness, folder, name, "--dtype=bf16", "--batch=2", "--shard=64")
        harness.write_safetensors(case.params, {name: rounded(values) for name, values in harness.read_safetensors(case.params).items()})
        harness.recorded.every = 1
        case.worst_error(module, 2, 150, resets=True)
        harness.recorded[-1]["bound"] = BOUND
        yield f"{name}, batch 2, S 64, T 150, resets", None


def tiny(harness, folder):
    harness.recorded.every = 1
    for name, options in TINY.items():
        case, module = example_case(harness, folder, name, *options)
        yield f"{name}, T 40", case.worst_error(module, int(options[0].split("=")[1]), 40, resets=True)


def random_scans(harness, folder):
    from random_scans import FEATURES, RandomCase
    for seed in RANDOM_SEEDS:
        if not harness.recorded.wants_next():
            continue
        own = os.path.join(folder, str(seed))
        os.makedirs(own)
        case = RandomCase(seed, 8, FEATURES, own)
        try:
            options = case.make()
        except AssertionError as failed:
            if "bytes of scratch" not in str(failed): # docs/gpu.md: what a thread's own memory does not hold
                raise
            harness.recorded.append(dict(refused=str(failed).splitlines()[-1]))
            yield f"seed {seed}", None
            continue
        loss, _ = case.grad("reference", options)
        harness.recorded.append(dict(module=case.path("m.adjm"), params=case.path("p.safetensors"), options=options, loss=loss, reference=case.path("reference.safetensors")))
        yield f"seed {seed}: {case.describe()}", None


def groups(harness):
    import conformance
    import mlp
    small = {name: lambda folder, name=name: conformance.small(folder, name) for name in conformance.SMALL}
    return small | {"deep": lambda folder: conformance.deep(folder, None), "mlp": mlp.cases, "examples": lambda folder: examples(harness, folder), "bf16": lambda folder: bf16(harness, folder),
                    "random": lambda folder: random_scans(harness, folder), "tiny": lambda folder: tiny(harness, folder)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="made; it must not exist")
    parser.add_argument("groups", nargs="*", metavar="GROUP")
    parser.add_argument("--target", default="sm_90")
    parser.add_argument("--every", type=int, default=1, metavar="N")
    arguments = parser.parse_args()
    os.environ["ADJC_TEST_TARGET"] = arguments.target
    sys.path.insert(0, CONFORMANCE)
    import harness
    known = groups(harness)
    unknown = set(arguments.groups) - known.keys()
    if unknown:
        sys.exit(f"no group {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    os.makedirs(arguments.folder)
    cases, refused = [], []
    for name in arguments.groups or known:
        folder = os.path.join(arguments.folder, name)
        os.makedirs(folder)
        harness.recorded = harness.Recording(arguments.every)
        before = 0
        for what, _ in known[name](folder):
            if len(harness.recorded) == before:
                continue
            before = len(harness.recorded)
            case = harness.recorded[-1] | {"group": name, "what": what}
            if "refused" in case:
                print(f"{name}: {what}: not compiled for {arguments.target}: {case['refused']}", flush=True)
                refused.append(case)
                continue
            for key in ("module", "params", "reference"):
                case[key] = os.path.relpath(case[key], arguments.folder)
            case["options"] = [option if option.startswith("--") else os.path.relpath(option, arguments.folder) for option in case["options"]]
            cases.append(case)
            print(f"{name}: {what}", flush=True)
    # What no kept case names stays behind.
    kept = {case[key] for case in cases for key in ("module", "params", "reference")} | {option for case in cases for option in case["options"]}
    for folder, _, files in os.walk(arguments.folder):
        for file in files:
            path = os.path.join(folder, file)
            if os.path.relpath(path, arguments.folder) not in kept:
                os.remove(path)
    with open(os.path.join(arguments.folder, "cases.json"), "w") as file:
        json.dump(dict(target=arguments.target, bound=harness.BOUND, cases=cases, refused=refused), file, indent=1)
    print(f"{len(cases)} cases in {arguments.folder}, {len(refused)} not compiled")


if __name__ == "__main__":
    main()
