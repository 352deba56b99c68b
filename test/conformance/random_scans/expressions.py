"""Random scalar expressions for a scan's regions, well-conditioned by construction.

Every value carries the interval that it lies in (of a complex one: both parts), so that whatever meets a singularity (a logarithm, a quotient) is moved
away from it first, and nothing grows. Where a derivative jumps (maximumf, absf, cmpf) only values that both devices hold exactly are compared, or ones whose
intervals are apart: else rounding would decide which side a gradient is taken on.
"""
import math


class Value:
    """One SSA value of a region: its kind ("f32", "i1", "complex<f32>"), the dimensions it varies over, where it lies, and whether every device has it exactly."""

    def __init__(self, name, kind, dims, re=(0.0, 1.0), im=(0.0, 0.0), exact=False):
        self.name, self.kind, self.dims, self.re, self.im, self.exact = name, kind, frozenset(dims), re, im, exact

    def largest(self):
        """An upper bound of the absolute value."""
        return math.hypot(*(max(abs(part[0]), abs(part[1])) for part in (self.re, self.im)))

    def smallest(self):
        """A lower bound of it."""
        return math.hypot(*(0.0 if part[0] <= 0 <= part[1] else min(abs(part[0]), abs(part[1])) for part in (self.re, self.im)))


def products(x, y):
    corners = [a * b for a in x for b in y]
    return min(corners), max(corners)


def images(function, *intervals):
    """The interval of a function that is monotone in each argument."""
    corners = [()]
    for interval in intervals:
        corners = [c + (end,) for c in corners for end in interval]
    values = [function(*c) for c in corners]
    return min(values), max(values)


def hull(x, y):
    return min(x[0], y[0]), max(x[1], y[1])


# Unary functions: where their argument must lie, and where the value does then (None: in [-1, 1]).
UNARY = {
    "math.exp": ((-3.0, 1.0), math.exp), "math.exp2": ((-3.0, 1.5), lambda v: 2.0**v), "math.expm1": ((-2.0, 1.0), math.expm1),
    "math.log": ((0.4, 3.0), math.log), "math.log2": ((0.4, 3.0), math.log2), "math.log1p": ((-0.5, 2.0), math.log1p),
    "math.sqrt": ((0.3, 3.0), math.sqrt), "math.rsqrt": ((0.3, 3.0), lambda v: 1 / math.sqrt(v)), "math.tanh": ((-2.0, 2.0), math.tanh),
    "math.sin": ((-3.0, 3.0), None), "math.cos": ((-3.0, 3.0), None), "math.erf": ((-1.5, 1.5), math.erf),
}
EXTREMA = {"arith.maximumf": max, "arith.maxnumf": max, "arith.minimumf": min, "arith.minnumf": min}
PREDICATES = ["oeq", "one", "olt", "ole", "ogt", "oge", "ord", "ueq", "une", "ult", "ule", "ugt", "uge", "uno"]
FLAGS = ["arith.andi", "arith.ori", "arith.xori"]
COMPLEX = "complex<f32>"


class Region:
    """Writes one region: `lines` of MLIR, and the values to build on."""

    def __init__(self, rng, sizes, flag, leaves, complex_ops):
        self.rng, self.sizes, self.complex_ops = rng, sizes, complex_ops
        self.lines, self.pool, self.flag, self.count = [], list(leaves), flag, 0
        self.leaves = list(leaves)
        self.operands = {} # name -> values; none of an i1's, through which no cotangent goes

    # -- Writing ----------------------------------------------------------------------------------------------------

    def emit(self, text, kind, operands, re, im=(0.0, 0.0), exact=False, dims=None):
        self.count += 1
        name = f"%v{self.count}"
        self.lines.append(f"{name} = {text}")
        dims = frozenset().union(*(v.dims for v in operands)) if dims is None else dims
        value = Value(name, kind, dims, re, im, exact and all(v.exact for v in operands))
        self.operands[name] = operands if kind != "i1" else []
        if operands:
            self.pool.append(value)
        return value

    def constant(self, number):
        number = float(f"{number:.6g}")
        return self.emit(f"arith.constant {number:.6e} : f32", "f32", [], (number, number), exact=True)

    def complex_constant(self, re, im):
        return self.emit(f"complex.constant [{re:.6e} : f32, {im:.6e} : f32] : {COMPLEX}", COMPLEX, [], (re, re), (im, im), exact=True)

    def unary(self, op, v, re, im=(0.0, 0.0), exact=False):
        return self.emit(f"{op} {v.name} : {v.kind}", v.kind, [v], re, im, exact)

    def binary(self, op, a, b, re, im=(0.0, 0.0), exact=False):
        return self.emit(f"{op} {a.name}, {b.name} : {a.kind}", a.kind, [a, b], re, im, exact)

    def add(self, a, b):
        op = "complex.add" if a.kind == COMPLEX else "arith.addf"
        return self.binary(op, a, b, (a.re[0] + b.re[0], a.re[1] + b.re[1]), (a.im[0] + b.im[0], a.im[1] + b.im[1]))

    def sub(self, a, b):
        op = "complex.sub" if a.kind == COMPLEX else "arith.subf"
        return self.binary(op, a, b, (a.re[0] - b.re[1], a.re[1] - b.re[0]), (a.im[0] - b.im[1], a.im[1] - b.im[0]))

    def mul(self, a, b):
        if a.kind != COMPLEX:
            return self.binary("arith.mulf", a, b, products(a.re, b.re))
        x, y = products(a.re, b.re), products(a.im, b.im)
        u, v = products(a.re, b.im), products(a.im, b.re)
        return self.binary("complex.mul", a, b, (x[0] - y[1], x[1] - y[0]), (u[0] + v[0], u[1] + v[1]))

    def scaled(self, v, factor):
        return self.mul(v, self.constant(factor) if v.kind == "f32" else self.complex_constant(float(f"{factor:.6g}"), 0.0))

    def into(self, v, low, high):
        """A real value moved into [low, high] by a linear map, if it isn't there."""
        if low <= v.re[0] and v.re[1] <= high:
            return v
        width = v.re[1] - v.re[0]
        if 0 < width <= high - low and self.rng.random() < 0.5:
            return self.add(v, self.constant((low + high - v.re[0] - v.re[1]) / 2))
        factor = (high - low) * 0.999 / width if width > 0 else 1.0
        factor *= self.rng.choice([-1, 1])
        moved = self.scaled(v, factor)
        return self.add(moved, self.constant((low + high - moved.re[0] - moved.re[1]) / 2))

    def bounded(self, v, bound):
        """A value scaled down to an absolute value of at most `bound`."""
        return v if v.largest() <= bound else self.scaled(v, bound * 0.999 / v.largest())

    def sum(self, v, dims, average=True):
        """The sum over dimensions, or what that is divided by their sizes."""
        points = math.prod(self.sizes[d] for d in dims)
        text = ", ".join(str(d) for d in sorted(dims, key=lambda _: self.rng.random()))
        total = self.emit(f"ssm.sum [{text}] {v.name} : {v.kind}", v.kind, [v], (v.re[0] * points, v.re[1] * points),
                          (v.im[0] * points, v.im[1] * points), dims=v.dims - set(dims))
        # What is added up varies in sign: the root keeps it of order one, the bound takes care of the rest.
        return self.bounded(self.scaled(total, 1 / math.sqrt(points)) if points > 1 else total, 2.0 if average else 4.0)

    # -- Choosing ---------------------------------------------------------------------------------------------------

    def pick(self, things):
        return things[self.rng.integers(len(things))]

    def leaf(self, kind="f32", exact=False):
        """A value that is there already, rather an argument than one made on the way."""
        pool = self.leaves if self.rng.random() < 0.75 else self.pool
        fits = [v for v in pool if v.kind == kind and (v.exact or not exact)]
        if not fits or self.rng.random() < 0.04:
            if kind == "f32":
                return self.constant(self.rng.uniform(-1, 1))
            return self.complex_constant(*(float(f"{p:.6g}") for p in self.rng.uniform(-1, 1, 2)))
        return self.pick(fits)

    def condition(self, depth):
        """An i1: comparisons of values that every device has exactly, the reset flag, and what is made of those."""
        roll = self.rng.random()
        if roll < 0.25:
            return self.flag
        if roll < 0.35 and depth > 0:
            a, b = self.condition(depth - 1), self.condition(depth - 1)
            return self.binary(self.pick(FLAGS), a, b, (0, 1), exact=True)
        if roll < 0.4:
            return self.emit(f"arith.constant {self.pick(['true', 'false'])}", "i1", [], (0, 1), exact=True)
        a, b = self.leaf(exact=True), self.leaf(exact=True)
        return self.emit(f"arith.cmpf {self.pick(PREDICATES)}, {a.name}, {b.name} : f32", "i1", [a, b], (0, 1), exact=True)

    def real(self, depth):
        """A random f32 of absolute value at most 2."""
        return self.bounded(self.real_unbounded(depth), 2.0)

    def real_unbounded(self, depth):
        if depth <= 0 or self.rng.random() < 0.05:
            return self.leaf()
        choices = [self.smooth_unary] * 5 + [self.arithmetic] * 6 + [self.jumping] * 3 + [self.ternary] * 2 + [self.reduction]
        if self.complex_ops:
            choices += [self.part] * 3
        return self.pick(choices)(depth - 1)

    def smooth_unary(self, depth):
        v = self.real(depth)
        if self.rng.random() < 0.1:
            return self.unary("arith.negf", v, (-v.re[1], -v.re[0]), exact=True)
        op = self.pick(sorted(UNARY))
        (low, high), function = UNARY[op]
        v = self.into(v, low, high)
        return self.unary(op, v, images(function, v.re) if function else (-1.0, 1.0))

    def arithmetic(self, depth):
        op = self.pick(["add", "sub", "mul", "mul", "div", "pow"])
        a, b = self.real(depth), self.real(self.rng.integers(depth + 1))
        if op == "div":
            b = self.into(b, 0.5, 2.0)
            return self.binary("arith.divf", a, b, products(a.re, (1 / b.re[1], 1 / b.re[0])))
        if op == "pow":
            a, b = self.into(a, 0.4, 2.0), self.into(b, -1.5, 2.0)
            return self.binary("math.powf", a, b, images(math.pow, a.re, b.re))
        return getattr(self, op)(a, b)

    def jumping(self, depth):
        """Operations whose derivative jumps: on exact values, or on such as lie apart."""
        if self.rng.random() < 0.3:
            a = self.leaf(exact=True) if self.rng.random() < 0.6 else self.into(self.real(depth), 0.2, 2.0)
            low = 0.0 if a.re[0] <= 0 <= a.re[1] else min(abs(a.re[0]), abs(a.re[1]))
            return self.unary("math.absf", a, (low, a.largest()), exact=True)
        op = self.pick(sorted(EXTREMA))
        if self.rng.random() < 0.7:
            a, b = self.leaf(exact=True), self.leaf(exact=True)
        else:
            a, b = self.into(self.real(depth), -2.0, -0.1), self.into(self.real(depth), 0.1, 2.0)
            a, b = (a, b) if self.rng.random() < 0.5 else (b, a)
        return self.binary(op, a, b, images(EXTREMA[op], a.re, b.re), exact=True)

    def ternary(self, depth):
        if self.rng.random() < 0.15:
            c = self.condition(min(depth, 2))
            return self.emit(f"arith.uitofp {c.name} : i1 to f32", "f32", [c], (0.0, 1.0), exact=True)
        if self.rng.random() < 0.4:
            a, b, c = (self.real(self.rng.integers(depth + 1)) for _ in range(3))
            re = products(a.re, b.re)
            return self.emit(f"math.fma {a.name}, {b.name}, {c.name} : f32", "f32", [a, b, c], (re[0] + c.re[0], re[1] + c.re[1]))
        return self.select(self.real(depth), self.real(self.rng.integers(depth + 1)), depth)

    def select(self, a, b, depth):
        c = self.condition(min(depth, 2))
        return self.emit(f"arith.select {c.name}, {a.name}, {b.name} : {a.kind}", a.kind, [c, a, b], hull(a.re, b.re), hull(a.im, b.im), exact=True)

    def reduction(self, depth):
        v = self.real(depth)
        dims = sorted(self.summable(v))
        return self.sum(v, [d for d in dims if self.rng.random() < 0.5] or [self.pick(dims)]) if dims else v

    def summable(self, v):
        return {d for d in v.dims if d > 1}

    # -- Complex values ---------------------------------------------------------------------------------------------

    def part(self, depth):
        z = self.complex(depth)
        op = self.pick(["re", "im", "abs"])
        if op == "abs":
            if z.smallest() < 0.2:
                z = self.add(self.bounded(z, 1.0), self.complex_constant(1.5, 0.0))
            return self.emit(f"complex.abs {z.name} : {COMPLEX}", "f32", [z], (z.smallest(), z.largest()))
        return self.emit(f"complex.{op} {z.name} : {COMPLEX}", "f32", [z], getattr(z, op), exact=True)

    def complex(self, depth):
        """A random complex value of modulus at most 2."""
        return self.bounded(self.complex_unbounded(depth), 2.0)

    def complex_unbounded(self, depth):
        fits = [v for v in self.leaves if v.kind == COMPLEX]
        if fits and (depth <= 0 or self.rng.random() < 0.15):
            return self.pick(fits)
        if depth <= 0 and self.rng.random() < 0.1:
            return self.leaf(COMPLEX)
        if depth <= 0 or self.rng.random() < 0.3:
            a, b = self.real(depth - 1), self.real(depth - 1)
            return self.emit(f"complex.create {a.name}, {b.name} : {COMPLEX}", COMPLEX, [a, b], a.re, b.re, exact=True)
        z = self.complex(depth - 1)
        op = self.pick(["add", "sub", "mul", "mul", "div", "neg", "conj", "exp", "expm1", "select", "sum"])
        if op == "neg":
            return self.unary("complex.neg", z, (-z.re[1], -z.re[0]), (-z.im[1], -z.im[0]), exact=True)
        if op == "conj":
            return self.unary("complex.conj", z, z.re, (-z.im[1], -z.im[0]), exact=True)
        if op in ("exp", "expm1"):
            z = self.bounded(z, 1.5)
            size = math.exp(z.re[1]) + (op == "expm1")
            return self.unary(f"complex.{op}", z, (-size, size), (-size, size))
        if op == "sum":
            dims = sorted(self.summable(z))
            return self.sum(z, [self.pick(dims)]) if dims else z
        w = self.complex(self.rng.integers(depth))
        if op == "select":
            return self.select(z, w, depth - 1)
        if op == "div":
            w = self.add(self.bounded(w, 1.0), self.complex_constant(0.0, 1.6))
            size = z.largest() / w.smallest()
            return self.binary("complex.div", z, w, (-size, size), (-size, size))
        return getattr(self, op)(z, w)

    def reached(self, values):
        """The names of what `values` have a derivative by."""
        names, todo = set(), list(values)
        while todo:
            v = todo.pop()
            if v.name not in names:
                names.add(v.name)
                todo += self.operands.get(v.name, [])
        return names

    # -- What regions yield -----------------------------------------------------------------------------------------

    def without(self, v, dims):
        """`v` summed over those of `dims` that it varies over."""
        over = v.dims & frozenset(dims)
        return self.sum(v, over) if over else v

    def decay(self, v, bound):
        """A transition: a random function of `v` into (0, bound), now and then of either sign."""
        form = self.pick(["sigmoid", "exp", "gauss", "tanh", "scale"])
        if form == "sigmoid":
            v = self.into(v, -2.0, 2.0)
            e = self.unary("math.exp", v, images(math.exp, v.re))
            one = self.constant(1.0)
            d = self.add(one, e)
            v = self.binary("arith.divf", one, d, (1 / d.re[1], 1 / d.re[0]))
        elif form == "exp":
            v = self.into(v, -2.0, -0.05)
            v = self.unary("math.exp", v, images(math.exp, v.re))
        elif form == "gauss":
            v = self.bounded(v, 1.5)
            square = self.binary("arith.mulf", v, v, (0.0, v.largest() ** 2))
            minus = self.sub(self.constant(-0.05), square)
            v = self.unary("math.exp", minus, images(math.exp, minus.re))
        elif form == "tanh":
            v = self.unary("math.tanh", v, images(math.tanh, v.re))
        return self.bounded(v, bound)

    def complex_decay(self, z, bound):
        """A complex transition of modulus at most `bound`: exp(-a + i b) half of the time."""
        if self.rng.random() < 0.5:
            return self.bounded(z, bound)
        a, b = self.into(self.real(1), -1.5, -0.05), self.real(1)
        z = self.emit(f"complex.create {a.name}, {b.name} : {COMPLEX}", COMPLEX, [a, b], a.re, b.re)
        size = math.exp(a.re[1])
        z = self.unary("complex.exp", z, (-size, size), (-size, size))
        return self.scaled(z, bound) if bound < 0.95 else z
