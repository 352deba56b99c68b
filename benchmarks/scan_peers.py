"""One peer of the selective scan, forward and all gradients: `scan_peers.py jax|torch TOKENS SECONDS INPUTS OUTPUTS MEMORY`.

Files as in ScanCommands.cpp. Prints one JSON line: the fastest of the runs that fit SECONDS (two at least, after one that compiles and warms up).
Fails when it needs more than MEMORY bytes.
"""
import json
import resource
import sys
import time

import numpy as np

CHANNELS, STATES = 1536, 16


def read(path, tokens):
    shapes = [(tokens, CHANNELS)] * 2 + [(tokens, STATES)] * 2 + [(CHANNELS, STATES), (CHANNELS,), (tokens, CHANNELS), (CHANNELS,), (tokens, CHANNELS)]
    values = np.fromfile(path, np.float32)
    return [part.reshape(shape) for part, shape in zip(np.split(values, np.cumsum([np.prod(s) for s in shapes])[:-1]), shapes)]


def jax_step():
    """The recurrence as pairs (a, u), composed by jax.lax.associative_scan; jitted, the gradients by jax.vjp."""
    import jax
    import jax.numpy as jnp

    def scan(x, dt, B, C, A, D, z, bias):
        dt = jax.nn.softplus(dt + bias)
        a = jnp.exp(dt[:, :, None] * A)
        u = (dt * x)[:, :, None] * B[:, None, :]
        _, h = jax.lax.associative_scan(lambda p, q: (p[0] * q[0], q[0] * p[1] + q[1]), (a, u))
        y = jnp.einsum("tdn,tn->td", h, C) + D * x
        return y * jax.nn.silu(z)

    @jax.jit
    def step(g, *inputs):
        y, back = jax.vjp(scan, *inputs)
        return (y, *back(g))

    def run(inputs, g):
        return jax.block_until_ready(step(g, *inputs))

    return run, jnp.asarray


def torch_step():
    """A loop over unbound tensors, the gradients by autograd."""
    import torch

    torch.set_num_threads(2)

    def run(inputs, g):
        inputs = [tensor.detach().requires_grad_() for tensor in inputs]
        x, dt, B, C, A, D, z, bias = inputs
        dt = torch.nn.functional.softplus(dt + bias)
        a = torch.exp(dt[:, :, None] * A)
        u = (dt * x)[:, :, None] * B[:, None, :]
        h, ys = torch.zeros(CHANNELS, STATES), []
        for a_t, u_t, C_t in zip(a.unbind(0), u.unbind(0), C.unbind(0)):
            h = a_t * h + u_t
            ys.append(h @ C_t)
        y = (torch.stack(ys) + D * x) * torch.nn.functional.silu(z)
        return [y.detach(), *torch.autograd.grad(y, inputs, g)]

    return run, torch.from_numpy


def main(peer, tokens, seconds, inputs, outputs, memory):
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory), int(memory)))
    run, convert = {"jax": jax_step, "torch": torch_step}[peer]()
    *arrays, g = map(convert, read(inputs, int(tokens)))
    results = run(arrays, g)
    times, end = [], time.monotonic() + float(seconds)
    while len(times) < 2 or time.monotonic() < end:
        start = time.monotonic()
        results = run(arrays, g)
        times.append(time.monotonic() - start)
    with open(outputs, "wb") as file:
        for result in results:
            file.write(np.ascontiguousarray(result, np.float32).tobytes())
    version = sys.modules[peer].__version__
    print(json.dumps({"seconds": min(times), "runs": len(times), "version": version, "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main(*sys.argv[1:])
