"""One selective scan of 4096 channels over a million tokens in a single shard, where channels times tokens pass 2^32, against float64.

    ADJC_BIN=build/bin python3 test/gpu/long_scan.py prepare FOLDER [--tokens 1048576] [--target sm_90]     (needs adjc; some minutes)
    ADJC_BIN=build/bin python3 test/gpu/long_scan.py run FOLDER [--device cuda:0]

Of the output, the loss sees only CHANNELS of the 4096 (the rest of `out` is zero), so that those channels alone make the same model: narrow enough for the
reference device's float64. Their gradients must be the wide model's, and the other channels' gradients exactly zero. bf16, on parameters that bf16 holds.
"""
import argparse
import json
import os
import pathlib
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conformance"))
from bf16 import BOUND, rounded  # noqa: E402
from harness import read_safetensors, relative_errors, run, write_safetensors  # noqa: E402

WIDE, STATES, HIDDEN = 4096, 16, 64
# The ends of the first, a middle and the last block of 64 lanes.
CHANNELS = [0, 1, 63, 64, 2047, 2048, 4032, 4095]
SPEC = """!hidden = tensor<?x?x{hidden}xf32>
!inner = tensor<?x?x{channels}xf32>
!state = tensor<?x?x{states}xf32>

ssm.model @long_scan(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {{
  %table = ssm.parameter "table" <normal, 0.0, 1.0> : tensor<{hidden}x{hidden}xf32>
  %h = ssm.embedding %tokens, %table : (tensor<?x?xi32>, tensor<{hidden}x{hidden}xf32>) -> !hidden
  %to_x = ssm.parameter "x" <uniform, -0.125, 0.125> : tensor<{channels}x{hidden}xf32>
  %x = ssm.linear %h, %to_x : (!hidden, tensor<{channels}x{hidden}xf32>) -> !inner
  %to_dt = ssm.parameter "dt" <uniform, -0.125, 0.125> : tensor<{channels}x{hidden}xf32>
  %dt = ssm.linear %h, %to_dt : (!hidden, tensor<{channels}x{hidden}xf32>) -> !inner
  %to_B = ssm.parameter "B" <uniform, -0.125, 0.125> : tensor<{states}x{hidden}xf32>
  %B = ssm.linear %h, %to_B : (!hidden, tensor<{states}x{hidden}xf32>) -> !state
  %to_C = ssm.parameter "C" <uniform, -0.125, 0.125> : tensor<{states}x{hidden}xf32>
  %C = ssm.linear %h, %to_C : (!hidden, tensor<{states}x{hidden}xf32>) -> !state
  %dt_bias = ssm.parameter "dt_bias" <dt_bias, 1.0e-3, 1.0e-1, 1.0e-4> : tensor<{channels}xf32>
  %A_log = ssm.parameter "A_log" <a_log> : tensor<{channels}x{states}xf32>
  %D = ssm.parameter "D" <ones> : tensor<{channels}xf32>
  // The gate is x again: with one of its own, what a single shard of a million tokens holds is more than 80 GB.
  %y = ssm.selective_scan %x, %dt, %A_log, %B, %C skip %D gate %x dt_bias %dt_bias
     : (!inner, !inner, tensor<{channels}x{states}xf32>, !state, !state, tensor<{channels}xf32>, !inner, tensor<{channels}xf32>) -> !inner
  %out = ssm.parameter "out" <uniform, -0.1, 0.1> : tensor<{hidden}x{channels}xf32>
  %o = ssm.linear %y, %out : (!inner, tensor<{hidden}x{channels}xf32>) -> !hidden
  %loss = ssm.lm_loss %o, %table, %targets : (!hidden, tensor<{hidden}x{hidden}xf32>, tensor<?x?xi32>) -> tensor<f32>
  ssm.return %loss : tensor<f32>
}}
"""
# The dimension of each parameter that is the channels'.
CHANNEL_DIM = {"x": 0, "dt": 0, "dt_bias": 0, "A_log": 0, "D": 0, "out": 1}


def narrowed(tensors):
    """Parameters or gradients of the wide model at CHANNELS."""
    return {name: np.take(values, CHANNELS, CHANNEL_DIM[name]) if name in CHANNEL_DIM else values for name, values in tensors.items()}


def prepare(folder, tokens, target):
    folder.mkdir(parents=True, exist_ok=True)
    for name, channels, options in (("narrow", len(CHANNELS), ["--shard=8192"]),
                                    ("wide", WIDE, [f"--target={target}", "--dtype=bf16", f"--shard={tokens}"])):
        spec = folder / f"{name}.mlir"
        spec.write_text(SPEC.format(channels=channels, states=STATES, hidden=HIDDEN))
        run("adjc", spec, "-o", folder / f"{name}.adjm", f"--context={tokens}", *options)
    run("adj-run", "init", folder / "wide.adjm", "--seed", 1, "--out", folder / "wide.safetensors")
    parameters = {name: rounded(values) for name, values in read_safetensors(folder / "wide.safetensors").items()}
    unseen = np.ones(WIDE, bool)
    unseen[CHANNELS] = False
    parameters["out"][:, unseen] = 0
    write_safetensors(folder / "wide.safetensors", parameters)
    write_safetensors(folder / "narrow.safetensors", narrowed(parameters))
    np.save(folder / "tokens.npy", np.random.default_rng(1).integers(0, HIDDEN, tokens + 1, dtype=np.int32))
    done = run("adj-run", "grad", folder / "narrow.adjm", "--params", folder / "narrow.safetensors", "--tokens", folder / "tokens.npy", "--out",
               folder / "truth.safetensors", "--device", "reference")
    (folder / "truth.json").write_text(done.stdout)
    print(done.stdout.strip())


def compare(folder, device):
    done = run("adj-run", "grad", folder / "wide.adjm", "--params", folder / "wide.safetensors", "--tokens", folder / "tokens.npy", "--out",
               folder / "found.safetensors", "--device", device)
    report, truth = json.loads(done.stdout), json.loads((folder / "truth.json").read_text())
    print(f"{report['tokens']} tokens in {report['seconds']:.3f} s, peak {report['peak_bytes'] / 1e9:.2f} GB (predicted {report['predicted_peak_bytes'] / 1e9:.2f}), {report['device']}")
    found = read_safetensors(folder / "found.safetensors")
    errors = relative_errors(narrowed(found), read_safetensors(folder / "truth.safetensors"))
    for name, error in errors.items():
        print(f"{'ok  ' if error <= BOUND else 'FAIL'} {error:.1e}  {name}")
    loss = abs(report["loss"] - truth["loss"]) / truth["loss"]
    print(f"{'ok  ' if loss <= 1e-3 else 'FAIL'} {loss:.1e}  loss {report['loss']}")
    # `out` sees every channel's output; all else of the channels that the loss does not see is zero.
    strays = [name for name, dim in CHANNEL_DIM.items() if name != "out" and np.any(np.delete(found[name], CHANNELS, dim))]
    print(f"FAIL not zero outside of the sampled channels: {', '.join(strays)}" if strays else "ok   zero outside of the sampled channels")
    return max(errors.values()) <= BOUND and loss <= 1e-3 and not strays


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["prepare", "run"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tokens", type=int, default=1 << 20)
    parser.add_argument("--target", default="sm_90")
    parser.add_argument("--device", default="cuda:0")
    options = parser.parse_args()
    if options.step == "prepare":
        prepare(options.folder, options.tokens, options.target)
    elif not compare(options.folder, options.device):
        sys.exit(1)


if __name__ == "__main__":
    main()
