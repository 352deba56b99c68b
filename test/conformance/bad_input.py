"""Bad input, from outside: each ends with the right exit code, a message that names the file and the place, and nothing written.

    ADJC_BIN=build/bin python3 test/conformance/bad_input.py
"""
import json
import os
import struct
import sys
import tempfile

import numpy as np

from harness import BIN, mamba_config, read_safetensors, run


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + 4 * array.size]}
        offset += 4 * array.size
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            file.write(array.astype("<f4").tobytes())


class Cases:
    def __init__(self, folder):
        self.folder = folder
        self.failures = 0
        self.config, _ = mamba_config(folder, "config")
        self.module, self.params = self.path("m.adjm"), self.path("p.safetensors")
        run("adjc", self.config, "-o", self.module, "--context=64", "--shard=16")
        run("adj-run", "init", self.module, "--seed", 1, "--out", self.params)
        self.good = np.random.default_rng(0).integers(0, 97, 41, dtype=np.int32)

    def path(self, name):
        return os.path.join(self.folder, name)

    def expect(self, what, command, *needles, code=2):
        before = sorted(os.listdir(self.folder))
        try:
            done = run(*command, expect=code)
            missing = [n for n in needles if n not in done.stderr]
            written = sorted(set(os.listdir(self.folder)) - set(before))
            problem = (f"the message lacks {missing}: {done.stderr}" if missing else f"wrote {written}" if written
                       else f"printed {done.stdout}" if done.stdout else "")
        except AssertionError as error:
            problem = str(error)
        self.failures += bool(problem)
        print(f"{'FAIL' if problem else 'ok  '} {what}{': ' + problem if problem else ''}", flush=True)

    def grad(self, what, *needles, module=None, params=None, tokens=None, targets=None, out=None, code=2):
        command = ["adj-run", "grad", module or self.module, "--params", params or self.params, "--out", out or self.path("g.safetensors")]
        for option, value in (("--tokens", self.good if tokens is None else tokens), ("--targets", targets)):
            if isinstance(value, str):
                command += [option, value]
            elif value is not None:
                file = self.path(option.strip("-") + ".npy")
                np.save(file, value)
                command += [option, file]
        self.expect(what, command, *needles, code=code)

    def tokens(self):
        bad = self.good.copy()
        bad[7] = 97
        self.grad("a token outside the vocabulary", "97", "7", tokens=bad)
        bad[7] = -3
        self.grad("a negative token", "-3", "7", tokens=bad)
        self.grad("an empty token file", "tokens.npy", tokens=np.zeros((0,), np.int32))
        self.grad("one token and no target", "tokens.npy", tokens=self.good[:1])
        self.grad("tokens of a wrong type", "tokens.npy", "int32", tokens=self.good.astype(np.int64))
        self.grad("tokens of a wrong batch", "tokens.npy", tokens=np.stack([self.good, self.good]))
        self.grad("a context above the planned one", "--context", tokens=np.zeros(80, np.int32))
        self.grad("targets of another shape", "targets.npy", tokens=self.good[:-1], targets=self.good[:-2])
        self.grad("no counted target", "-100", tokens=self.good[:-1], targets=np.full(40, -100, np.int32))
        open(self.path("garbage.npy"), "wb").write(b"not an array")
        self.grad("a token file that is no array", "garbage.npy", tokens=self.path("garbage.npy"))
        open(self.path("empty.npy"), "wb").close()
        self.grad("a token file of no bytes", "empty.npy", tokens=self.path("empty.npy"))
        self.grad("a token file that is not there", "none.npy", tokens=self.path("none.npy"))

    def parameters(self):
        tensors = {name: array for name, array in read_safetensors(self.params).items()}
        name = "backbone.layers.1.mixer.A_log"
        changed = self.path("changed.safetensors")
        write_safetensors(changed, {n: a for n, a in tensors.items() if n != name})
        self.grad("a missing parameter", "changed.safetensors", name, params=changed)
        write_safetensors(changed, tensors | {"backbone.layers.9.extra": np.zeros(3)})
        self.grad("an extra parameter", "changed.safetensors", "backbone.layers.9.extra", params=changed)
        write_safetensors(changed, tensors | {name: np.zeros((80, 6))})
        self.grad("a misshaped parameter", "changed.safetensors", name, "80", "6", params=changed)
        data = open(self.params, "rb").read()
        for what, damaged in (("truncated", data[: len(data) // 2]), ("cut in its header", data[:20]), ("empty", b""),
                              ("with a broken header", data[:8] + b"x" + data[9:]), ("with trailing bytes", data + b"123")):
            open(changed, "wb").write(damaged)
            self.grad(f"a safetensors file {what}", "changed.safetensors", params=changed)
        self.grad("a safetensors file that is not there", "none.safetensors", params=self.path("none.safetensors"))
        nan = {n: a.copy() for n, a in tensors.items()}
        nan["backbone.norm_f.weight"][3] = np.inf
        write_safetensors(changed, nan)
        self.grad("a loss that is not finite", "token 0", params=changed, code=1)

    def modules(self):
        data = open(self.module, "rb").read()
        damaged = self.path("damaged.adjm")
        flipped = bytearray(data)
        flipped[len(data) // 2] ^= 1
        version = bytearray(data)
        version[8] ^= 0x40
        for what, bytes_ in (("truncated", data[: len(data) - 100]), ("cut in its header", data[:30]), ("empty", b""), ("with one bit flipped", flipped),
                             ("of another version", version), ("that is something else", b"#!/bin/sh\n" * 100)):
            open(damaged, "wb").write(bytes_)
            self.grad(f"a module {what}", "damaged.adjm", module=damaged)
        self.grad("a module that is not there", "none.adjm", module=self.path("none.adjm"))

    def outputs(self):
        self.grad("an output in a folder that is not there", "nowhere", out=self.path("nowhere/g.safetensors"))
        self.expect("a module in a folder that is not there", ["adjc", self.config, "-o", self.path("nowhere/m.adjm")], "nowhere")
        self.expect("a budget that is too small", ["adjc", self.config, "-o", self.path("x.adjm"), "--budget=1MB"], "--budget=", "smallest")
        self.expect("a device that this module is not for", ["adj-run", "grad", self.module, "--params", self.params, "--tokens", self.path("tokens.npy"),
                                                   "--out", self.path("g.safetensors"), "--device", "cuda:0"], "cuda:0")
        self.expect("more threads than a device starts", ["adj-run", "grad", self.module, "--params", self.params, "--tokens", self.path("tokens.npy"),
                                                          "--out", self.path("g.safetensors"), "--threads", "5000"], "threads: 5000 is more than 4096")
        self.expect("an unknown verb", ["adj-run", "dance"], "dance")

    def configs(self):
        for what, fields, needle in (("an activation that is not built", dict(hidden_act="gelu"), "hidden_act"),
                                     ("an unknown field", dict(hidden_sise=3), "hidden_sise"),
                                     ("another model", dict(model_type="llama"), "model_type"),
                                     ("a field of a wrong type", dict(hidden_size="forty"), "hidden_size"),
                                     ("a size of zero", dict(state_size=0), "state_size")):
            config, _ = mamba_config(self.folder, "bad", **fields)
            self.expect(f"a config with {what}", ["adjc", config, "-o", self.path("x.adjm")], "bad.json", needle)


def main():
    assert os.path.exists(os.path.join(BIN, "adjc")), "set ADJC_BIN to the folder of the tools"
    with tempfile.TemporaryDirectory() as folder:
        cases = Cases(folder)
        for group in (cases.tokens, cases.parameters, cases.modules, cases.outputs, cases.configs):
            group()
    return 1 if cases.failures else 0


if __name__ == "__main__":
    sys.exit(main())
