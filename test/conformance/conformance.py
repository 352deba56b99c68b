"""A device against the reference device: every parameter's gradient within the harness's bound, whatever the shard length.

    ADJC_BIN=build/bin python3 test/conformance/conformance.py GROUP     (tied, untied, biased, tied-biased, deep, wide, levels, brief)
"""
import sys
import tempfile

from harness import BOUND, Case, run

# Options of a Mamba model with odd sizes everywhere.
SMALL = {
    "tied": dict(tie_word_embeddings=True, use_bias=False, use_conv_bias=True),
    "untied": dict(tie_word_embeddings=False, use_bias=False, use_conv_bias=False),
    "biased": dict(tie_word_embeddings=False, use_bias=True, use_conv_bias=True),
    "tied-biased": dict(tie_word_embeddings=True, use_bias=True, use_conv_bias=False),
}


def small(folder, group):
    case = Case(folder, group, **SMALL[group])
    for batch in (1, 3):
        for shard in (1, 2, 37, 64, 150):
            lengths = {1: (1, 5, 12), 2: (1, 3, 17)}.get(shard, (1, 36, 37, 64, 101))
            module = case.compile(f"--batch={batch}", f"--shard={shard}", "--context=256")
            for length in lengths:
                yield f"batch {batch}, S {shard}, T {length}", case.worst_error(module, batch, length)
    module = case.compile("--batch=3", "--shard=37", "--context=256")
    yield "ignored targets", case.worst_error(module, 3, 101, ignored=True)
    yield "packed documents", case.worst_error(module, 3, 101, resets=True)
    module = case.compile("--batch=3", "--shard=2", "--context=256")
    yield "packed documents, shards shorter than the convolution", case.worst_error(module, 3, 17, resets=True)
    module = case.compile("--shard=16", "--context=256", "--boundaries=binomial:2")
    yield "binomial boundaries", case.worst_error(module, 1, 101)
    module = case.compile("--shard=64", "--context=256", "--mini-sequence=5")
    yield "mini-sequences of 5", case.worst_error(module, 1, 101)
    module = case.compile("--shard=64", "--context=256", "--mini-sequence=off")
    yield "no mini-sequences", case.worst_error(module, 1, 101)


def brief(folder, _):
    """Each kind of run of `small` once: for builds that are slow, under sanitizers."""
    case = Case(folder, "brief", **SMALL["biased"])
    module = case.compile("--batch=3", "--shard=37", "--context=256")
    for kinds in (dict(), dict(ignored=True), dict(resets=True)):
        yield f"batch 3, S 37, T 101{''.join(f', {kind}' for kind in kinds)}", case.worst_error(module, 3, 101, **kinds)
    yield "batch 3, S 37, T 1", case.worst_error(module, 3, 1)
    module = case.compile("--batch=3", "--shard=2", "--context=256")
    yield "packed documents, shards shorter than the convolution", case.worst_error(module, 3, 17, resets=True)
    module = case.compile("--shard=16", "--context=256", "--boundaries=binomial:2", "--mini-sequence=5")
    yield "binomial boundaries, mini-sequences of 5", case.worst_error(module, 1, 101)


def deep(folder, _):
    case = Case(folder, "deep", num_hidden_layers=24)
    for shard in (7, 64):
        module = case.compile(f"--shard={shard}", "--context=256")
        yield f"24 layers, S {shard}", case.worst_error(module, 1, 40)


def wide(folder, _):
    case = Case(folder, "wide", vocab_size=50280, hidden_size=768, state_size=16, num_hidden_layers=2, time_step_rank=48)
    module = case.compile("--shard=16", "--context=64")
    yield "130m's width, S 16", case.worst_error(module, 1, 24)


def levels(folder, _):
    """Each --cpu level runs where the processor has it, and is refused, naming what is missing, where it has not."""
    case = Case(folder, "levels", hidden_size=72)
    with open("/proc/cpuinfo") as file:
        flags = set(next(line for line in file if line.startswith("flags")).split())
    for level, needs in (("v2", {"sse4_2"}), ("v3", {"avx2", "fma"}), ("v4", {"avx512f", "avx512vl"})):
        module = case.compile(f"--cpu=x86-64-{level}", "--batch=2", "--shard=37", "--context=256", "--mini-sequence=10")
        if not needs <= flags:
            options, _ = case.tokens(2, 101, resets=True)
            refusal = run("adj-run", "grad", module, "--params", case.params, *options, "--out", case.file("g"), expect=2).stderr
            assert f"x86-64-{level}" in refusal and "lacks" in refusal, refusal
            print(f"ok   {level}: refused, since this processor lacks it")
            continue
        yield f"{level}, packed documents", case.worst_error(module, 2, 101, resets=True)
        yield f"{level}, one token", case.worst_error(module, 2, 1)


def main(group):
    worst = (0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        cases = {"deep": deep, "wide": wide, "levels": levels, "brief": brief}.get(group, small)
        for what, (error, name) in cases(folder, group):
            print(f"{'ok  ' if error <= BOUND else 'FAIL'} {error:.2e}  {what}  ({name})", flush=True)
            worst = max(worst, (error, f"{what}: {name}"))
    print(f"worst: {worst[0]:.2e}, {worst[1]}; bound {BOUND:g}")
    return 0 if worst[0] <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
