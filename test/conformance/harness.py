"""Runs adjc and adj-run as a user would, and compares a device's gradients with the reference device's.

Everything goes through the fixed command lines: what passes here passes for anyone. ADJC_TEST_TARGET and ADJC_TEST_DEVICE say what modules are compiled for
and run on: cpu and cpu, or for instance sm_90 and cuda:0.
"""
import hashlib
import json
import os
import struct
import subprocess

import numpy as np

BIN = os.environ["ADJC_BIN"]
TARGET = os.environ.get("ADJC_TEST_TARGET", "cpu")
DEVICE = os.environ.get("ADJC_TEST_DEVICE", "cpu" if TARGET == "cpu" else "cuda:0")
# A gradient's relative error, and the loss's.
BOUND = 1e-5 if TARGET == "cpu" else 5e-5
TOOLS = {"adj-run": os.environ.get("ADJ_RUN", os.path.join(BIN, "adj-run"))}
# glibc overwrites what adjc frees: an operation used after it was erased then ends it, where it mostly seems to work otherwise.
VARIABLES = {"adjc": {"MALLOC_PERTURB_": "90"}}


class Recording(list):
    """Takes, for each comparison, the files that make it up (test/gpu/prepare.py); of `every` comparisons the first one only."""

    def __init__(self, every=1):
        super().__init__()
        self.every, self.asked = every, 0

    def wants_next(self):
        self.asked += 1
        return (self.asked - 1) % self.every == 0


# With a Recording here nothing is run on the device.
recorded = None


def target_options(*options):
    """What adjc is told of the target, unless `options` say it."""
    if TARGET != "cpu":
        return [f"--target={TARGET}"]
    return [] if any(option.startswith("--cpu=") for option in options) else ["--cpu=x86-64-v3"]


def attempt(*command, env=None):
    """Runs a tool, with more variables in its environment, however it ends."""
    return subprocess.run([TOOLS.get(command[0], os.path.join(BIN, command[0])), *map(str, command[1:])], capture_output=True, text=True,
                          env={**os.environ, **VARIABLES.get(command[0], {}), **(env or {})})


def run(*command, expect=0, env=None):
    """attempt; raises with the tool's output when it does not exit with `expect`."""
    done = attempt(*command, env=env)
    if done.returncode != expect:
        raise AssertionError(f"{' '.join(map(str, command))}\nexited {done.returncode}, not {expect}\n{done.stdout}{done.stderr}")
    return done


def read_safetensors(path):
    """name -> float64 array."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "F32", entry
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"]).astype(np.float64)
    return tensors


def write_safetensors(path, tensors):
    """Writes name -> f32 array."""
    header, offset = {}, 0
    for name, values in tensors.items():
        header[name] = dict(dtype="F32", shape=list(values.shape), data_offsets=[offset, offset + 4 * values.size])
        offset += 4 * values.size
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(np.ascontiguousarray(values, "<f4").tobytes())


def relative_errors(found, expected):
    """name -> |found - expected| / |expected|; where the reference is exactly zero, anything else is infinitely wrong."""
    assert found.keys() == expected.keys(), (sorted(found.keys() ^ expected.keys()))
    errors = {}
    for name, e in expected.items():
        difference, norm = np.linalg.norm(found[name] - e), np.linalg.norm(e)
        errors[name] = difference / norm if norm > 0 else (0.0 if difference == 0 else np.inf)
    return errors


def mamba_config(folder, name, **fields):
    """A Hugging Face config.json of a Mamba model."""
    config = dict(model_type="mamba", vocab_size=97, hidden_size=40, state_size=5, num_hidden_layers=3, time_step_rank=7, conv_kernel=4, expand=2,
                  use_bias=False, use_conv_bias=True, tie_word_embeddings=True, hidden_act="silu", layer_norm_epsilon=1e-5)
    config.update(fields)
    path = os.path.join(folder, f"{name}.json")
    with open(path, "w") as file:
        json.dump(config, file)
    return path, config


class Case:
    """One model: its parameters, and the reference's gradients for the batches asked for."""

    def __init__(self, folder, name, seed=1, spec=None, vocabulary=None, **fields):
        """A Mamba of these config fields, or the spec in a file, of this vocabulary."""
        self.folder, self.name, self.seed = folder, name, seed
        if spec is not None:
            self.config, self.vocabulary = spec, vocabulary
        else:
            self.config, fields = mamba_config(folder, name, **fields)
            self.vocabulary = fields["vocab_size"]
        self.params = None
        self.references = {}

    def file(self, suffix):
        return os.path.join(self.folder, f"{self.name}-{suffix}")

    def compile(self, *options):
        words = "-".join(o.strip("-").replace("=", "") for o in options)
        module = self.file((words if len(words) < 150 else hashlib.sha256(words.encode()).hexdigest()) + ".adjm")
        if not os.path.exists(module):
            run("adjc", self.config, "-o", module, *target_options(*options), *options)
        if self.params is None:
            self.params = self.file("params.safetensors")
            run("adj-run", "init", module, "--seed", self.seed, "--out", self.params)
        return module

    def tokens(self, batch, length, ignored=False, resets=False):
        """Files for a random batch: (options for adj-run, a key that identifies them)."""
        key = f"{batch}x{length}{'i' if ignored else ''}{'r' if resets else ''}"
        rng = np.random.default_rng([self.seed, batch, length])
        data = rng.integers(0, self.vocabulary, (batch, length + 1), dtype=np.int32)
        path = self.file(f"tokens-{key}.npy")
        options = ["--tokens", path]
        if ignored:
            targets = data[:, 1:].copy()
            targets[rng.random(targets.shape) < 0.3] = -100
            targets[0, 0] = data[0, 1]
            np.save(path, np.ascontiguousarray(data[:, :-1]))
            np.save(self.file(f"targets-{key}.npy"), targets)
            options += ["--targets", self.file(f"targets-{key}.npy")]
        else:
            np.save(path, data)
        if resets:
            np.save(self.file(f"resets-{key}.npy"), (rng.random((batch, length)) < 0.15).astype(np.uint8))
            options += ["--resets", self.file(f"resets-{key}.npy")]
        return options, key

    def grad(self, module, device, options, key):
        out = self.file(f"{device}-{key}.safetensors")
        report = json.loads(run("adj-run", "grad", module, "--params", self.params, *options, "--out", out, "--device", device).stdout)
        return report, read_safetensors(out)

    def worst_error(self, module, batch, length, **kinds):
        """The largest relative error of a parameter's gradient, and whose it is; the loss's error is judged on the way."""
        if recorded is not None and not recorded.wants_next():
            return 0.0, "not recorded"
        options, key = self.tokens(batch, length, **kinds)
        if key not in self.references:
            self.references[key] = self.grad(module, "reference", options, key)
        reference, expected = self.references[key]
        if recorded is not None:
            recorded.append(dict(module=module, params=self.params, options=options, loss=reference["loss"], reference=self.file(f"reference-{key}.safetensors")))
            return 0.0, "not run"
        report, found = self.grad(module, DEVICE, options, key)
        assert abs(report["loss"] - reference["loss"]) <= BOUND * abs(reference["loss"]), (report["loss"], reference["loss"])
        errors = relative_errors(found, expected)
        name = max(errors, key=errors.get)
        return errors[name], name
