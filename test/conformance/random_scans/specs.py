"""Random language models made of random `ssm.scan`s: iteration spaces, maps, regions, and where inputs come from and outputs go."""
import math

from expressions import COMPLEX, Region, Value

CHANNELS, VOCABULARY = 6, 11
SIZES = [1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 24, 31, 33, 64, 65, 70, 96, 129]
NAMES = ["d", "n", "p", "q", "r", "s"]
# What a scan may have beyond a real diagonal state and outputs over state dimensions.
FEATURES = ("complex", "dense", "own")


class Dim:
    def __init__(self, name, size):
        self.name, self.size = name, size


class Scan:
    """One random scan: its text, the parameters it needs and the outputs it leaves."""

    def __init__(self, spec, number):
        self.spec, self.rng, self.number = spec, spec.rng, number
        self.choose_space()
        self.choose_inputs()
        self.write_regions()

    def chance(self, probability):
        return self.rng.random() < probability

    # -- The iteration space ----------------------------------------------------------------------------------------

    def choose_space(self):
        rng, features = self.rng, self.spec.features
        states = rng.choice([1, 2, 3], p=[0.35, 0.4, 0.25])
        self.complex = "complex" in features and self.chance(0.3)
        self.dense = "dense" in features and self.chance(0.25)
        self.own = "own" in features and self.chance(0.3)
        limit = 400 if self.dense else 1200
        kinds = ["state"] * states + ["contracted"] * self.dense + ["own"] * self.own
        while True:
            sizes = [int(s) for s in rng.choice(SIZES, len(kinds))]
            if self.dense:
                sizes[states] = sizes[0]
            if math.prod(sizes) <= limit:
                break
        order = rng.permutation(len(kinds))
        names = NAMES[: len(kinds)]
        self.dims = [Dim("b", None), Dim("t", None)] + [Dim(n, sizes[i]) for n, i in zip(names, order)]
        where = {int(i): 2 + at for at, i in enumerate(order)}
        self.state = [where[i] for i in rng.permutation(states)]
        self.contracts, self.contracted = (where[0], where[states]) if self.dense else (None, None)
        self.own_dim = where[len(kinds) - 1] if self.own else None
        self.sizes = {d: dim.size for d, dim in enumerate(self.dims)}

    def elements(self, dims):
        return math.prod(self.sizes[d] for d in dims if d > 1)

    def subset(self, dims, probability=0.5):
        chosen = [d for d in dims if self.chance(probability)]
        return [chosen[i] for i in self.rng.permutation(len(chosen))]

    # -- Inputs -----------------------------------------------------------------------------------------------------

    def choose_inputs(self):
        """Each input: a map, and a tensor that has its shape, from an embedding, a linear layer, an earlier scan or a parameter."""
        inner = list(range(2, len(self.dims)))
        self.inputs, self.shared = [], set() # shared: parts of a split
        wanted = [True] + [self.chance(0.5) for _ in range(self.rng.integers(1, 5))]
        pieces = {"table": [], "linear": []}
        for per_token in wanted:
            dims = self.subset(inner)
            while self.elements(dims) > (256 if per_token else 4096):
                dims.pop()
            self.add_input(([0, 1] if per_token else []) + dims, pieces)
        if self.dense and self.chance(0.7):
            pair = [self.contracts, self.contracted]
            per_token = self.chance(0.4) and self.elements(pair) <= 256
            self.add_input(([0, 1] if per_token else []) + [pair[i] for i in self.rng.permutation(2)], pieces)
        uncovered = [d for d in inner if all(d not in m for m, _, _ in self.inputs)]
        for d in uncovered:
            if d not in (self.contracts, self.contracted) or self.chance(0.5) or d == self.contracts:
                self.add_input([d], pieces)
        for kind, wants in pieces.items():
            if len(wants) > 1:
                self.shared |= {i for i, (_, name, _) in enumerate(self.inputs) if any(name == "%" + want for want, _ in wants)}
            self.spec.make_pieces(self.number, kind, wants, self.rng)

    def add_input(self, dims, pieces):
        spec, name = self.spec, f"s{self.number}_in{len(self.inputs)}"
        shape = [self.sizes[d] for d in dims if d > 1]
        if 1 not in dims:
            # Now and then one tensor is two inputs.
            same = [(m, n, r) for m, n, r in self.inputs if 1 not in m and [self.sizes[d] for d in m] == shape]
            if same and self.chance(0.3):
                self.inputs.append((dims, same[0][1], same[0][2]))
                return
            low, high = [(-1.0, 1.0), (0.2, 1.5), (-2.0, 2.0)][self.rng.integers(3)]
            spec.parameter(name, shape, low, high)
            self.inputs.append((dims, f"%{name}", (low, high, True)))
            return
        earlier = [o for o in spec.outputs if math.prod(o.shape) == math.prod(shape)]
        if earlier and self.chance(0.5):
            source = earlier[self.rng.integers(len(earlier))]
            spec.lines.append(f"%{name} = ssm.reshape %{source.name} : {spec.token_type(source.shape)} -> {spec.token_type(shape)}")
            self.inputs.append((dims, f"%{name}", (*source.interval, False)))
            return
        kind = "table" if self.chance(0.6) else "linear"
        pieces[kind].append((name, shape))
        self.inputs.append((dims, f"%{name}", (-1.0, 1.0, True) if kind == "table" else (-2.0, 2.0, False)))

    # -- Regions ----------------------------------------------------------------------------------------------------

    def region(self, read):
        leaves = [Value(f"%x{i}", "f32", m, (low, high), exact=exact) for i, (m, _, (low, high, exact)) in enumerate(self.inputs)]
        flag = Value("%reset", "i1", {0, 1}, exact=True)
        if read:
            kind, bound = (COMPLEX, self.bound) if self.complex else ("f32", self.bound)
            state = Value("%h", kind, {0, 1, *self.state}, (-bound, bound), (-bound, bound) if self.complex else (0.0, 0.0))
            # The state counts most in a read-out.
            leaves += [state] * 3
        complex_ops = "complex" in self.spec.features and (self.complex or self.chance(0.15))
        return Region(self.rng, self.sizes, flag, leaves, complex_ops)

    def write_regions(self):
        allowed = {0, 1, *self.state}
        everything = set(range(len(self.dims)))
        decay = float(self.rng.uniform(0.5, 0.97))
        kind = COMPLEX if self.complex else "f32"
        step = self.region(read=False)
        depth = int(self.rng.integers(1, 5))
        a = step.complex(depth) if self.complex else step.real(depth)
        a = step.without(a, everything - allowed - {self.contracted})
        bound = decay / (self.sizes[self.contracted] if self.dense else 1)
        a = step.complex_decay(a, bound) if self.complex else step.decay(a, bound)
        if a.dims - allowed - {self.contracted}: # a decay may bring in new values
            a = step.without(a, everything - allowed - {self.contracted})
            a = step.bounded(a, bound)
        u = step.complex(depth) if self.complex else step.real(depth)
        u = step.bounded(step.without(u, everything - allowed), 1.0)
        self.bound = u.largest() / (1 - decay)
        unreached = [leaf for i, leaf in enumerate(step.leaves) if i in self.shared and leaf.name not in step.reached([a, u])]
        self.step = step.lines + [f"ssm.yield {a.name}, {u.name} : {kind}, {kind}"]

        read = self.region(read=True)
        state = read.leaves[-1]
        self.maps, self.output_names, yields = [], [], []
        for i in range(1 + (self.chance(0.25))):
            y = read.real(int(self.rng.integers(0, 4)))
            if self.complex and y.dims == frozenset() or "%h" not in "".join(read.lines):
                part = read.emit(f"complex.re %h : {COMPLEX}", "f32", [state], state.re) if self.complex else state
                y = read.mul(read.bounded(y, 1.0), read.bounded(part, 2.0))
            if 1 not in y.dims: # an output is one of a token
                part = read.emit(f"complex.im %h : {COMPLEX}", "f32", [state], state.im) if self.complex else state
                y = read.add(y, read.bounded(part, 1.0))
            # Each part of a split must reach the loss.
            for leaf in unreached if i == 0 else []:
                y = read.add(y, leaf)
            y = read.without(y, [d for d in y.dims if d > 1 and self.chance(0.5)])
            y = read.bounded(y, 2.0)
            inner = [d for d in y.dims if d > 1]
            inner = [inner[j] for j in self.rng.permutation(len(inner))]
            self.maps.append([0, 1] + inner)
            yields.append(y)
            name = f"s{self.number}_out{i}"
            self.output_names.append(name)
        self.read = read.lines + [f"ssm.yield {', '.join(y.name for y in yields)} : {', '.join('f32' for _ in yields)}"]
        self.intervals = [y.re for y in yields]

    # -- Text -------------------------------------------------------------------------------------------------------

    def write(self):
        spec, names = self.spec, [d.name for d in self.dims]
        brackets = lambda dims: f"[{', '.join(names[d] for d in dims)}]"
        tensor = lambda dims: spec.token_type([self.sizes[d] for d in dims if d > 1]) if 1 in dims else spec.type([self.sizes[d] for d in dims])
        contracted = f" contracted {names[self.contracted]} of {names[self.contracts]}" if self.dense else ""
        state = COMPLEX if self.complex else "f32"
        arguments = [f"%x{i}: f32" for i in range(len(self.inputs))]
        lines = [f"{', '.join('%' + n for n in self.output_names)} = ssm.scan over {brackets(range(len(names)))} state {brackets(self.state)}{contracted} : {state}"]
        inputs = ", ".join(f"{n} as {brackets(m)}" for m, n, _ in self.inputs)
        lines.append(f"    ins({inputs} : {', '.join(tensor(m) for m, _, _ in self.inputs)})")
        lines.append(f"    outs({', '.join(brackets(m) for m in self.maps)} : {', '.join(tensor(m) for m in self.maps)}) step {{")
        lines.append(f"  ^bb0({', '.join(arguments + ['%reset: i1'])}):")
        lines += ["    " + line for line in self.step]
        lines.append("} read {")
        lines.append(f"  ^bb0({', '.join(arguments + [f'%h: {state}', '%reset: i1'])}):")
        lines += ["    " + line for line in self.read] + ["}"]
        spec.lines += lines
        for name, m, interval in zip(self.output_names, self.maps, self.intervals):
            spec.take_output(name, [self.sizes[d] for d in m if d > 1], interval)


class Output:
    def __init__(self, name, shape, interval):
        self.name, self.shape, self.interval = name, shape, interval


class Spec:
    """A language model of `scans` random scans, each reading tokens (tables of its own), the stream so far or scans before, all added to the stream."""

    def __init__(self, rng, scans, features=FEATURES):
        self.rng, self.features = rng, set(features)
        self.lines, self.outputs, self.stream = [], [], "x"
        self.parameter("embedding", [VOCABULARY, CHANNELS], -1.0, 1.0)
        self.lines.append(f"%x = ssm.embedding %tokens, %embedding : (tensor<?x?xi32>, {self.type([VOCABULARY, CHANNELS])}) -> {self.token_type([CHANNELS])}")
        self.scans = []
        for number in range(scans):
            self.scans.append(Scan(self, number))
            self.scans[-1].write()
        self.parameter("head", [VOCABULARY, CHANNELS], -0.5, 0.5)
        x = self.token_type([CHANNELS])
        self.lines += [f"%loss = ssm.lm_loss %{self.stream}, %head, %targets : ({x}, {self.type([VOCABULARY, CHANNELS])}, tensor<?x?xi32>) -> tensor<f32>",
                       "ssm.return %loss : tensor<f32>"]

    @staticmethod
    def type(shape):
        return f"tensor<{''.join(f'{s}x' for s in shape)}f32>"

    @staticmethod
    def token_type(shape):
        return f"tensor<?x?x{''.join(f'{s}x' for s in shape)}f32>"

    def parameter(self, name, shape, low, high):
        self.lines.append(f'%{name} = ssm.parameter "{name}" <uniform, {low:.6e}, {high:.6e}> : {self.type(shape)}')

    def make_pieces(self, number, kind, wants, rng):
        """One embedding or linear layer for several inputs of a scan, split and reshaped."""
        if not wants:
            return
        sizes = [math.prod(shape) for _, shape in wants]
        total, name = sum(sizes), f"s{number}_{kind}"
        whole = self.token_type([total])
        if kind == "table":
            self.parameter(name, [VOCABULARY, total], -1.0, 1.0)
            self.lines.append(f"%{name}_all = ssm.embedding %tokens, %{name} : (tensor<?x?xi32>, {self.type([VOCABULARY, total])}) -> {whole}")
        else:
            # A norm's channels lie within the root of their number; the weights bring what is made of them to [-2, 2].
            bound = 2.0 / (CHANNELS * math.sqrt(CHANNELS))
            x = self.token_type([CHANNELS])
            self.parameter(f"{name}_norm", [CHANNELS], 0.5, 1.0)
            self.parameter(name, [total, CHANNELS], -bound, bound)
            self.lines.append(f"%{name}_normed = ssm.rms_norm %{self.stream}, %{name}_norm eps 1.0e-5 : ({x}, {self.type([CHANNELS])}) -> {x}")
            self.lines.append(f"%{name}_all = ssm.linear %{name}_normed, %{name} : ({x}, {self.type([total, CHANNELS])}) -> {whole}")
        flat = [f"%{n}_flat" for n, _ in wants]
        if len(wants) > 1:
            self.lines.append(f"{', '.join(flat)} = ssm.split %{name}_all : {whole} -> {', '.join(self.token_type([s]) for s in sizes)}")
        else:
            flat = [f"%{name}_all"]
        for (want, shape), source, size in zip(wants, flat, sizes):
            self.lines.append(f"%{want} = ssm.reshape {source} : {self.token_type([size])} -> {self.token_type(shape)}")

    def take_output(self, name, shape, interval):
        """Adds what a scan yields to the stream, through a linear layer."""
        size, x = math.prod(shape), self.token_type([CHANNELS])
        bound = 1.0 / math.sqrt(size)
        self.parameter(f"{name}_weight", [CHANNELS, size], -bound, bound)
        self.lines += [f"%{name}_flat = ssm.reshape %{name} : {self.token_type(shape)} -> {self.token_type([size])}",
                       f"%{name}_linear = ssm.linear %{name}_flat, %{name}_weight : ({self.token_type([size])}, {self.type([CHANNELS, size])}) -> {x}",
                       f"%{name}_next = ssm.residual %{self.stream}, %{name}_linear : {x}"]
        self.stream = f"{name}_next"
        self.outputs.append(Output(name, shape, interval))

    def text(self):
        body = "\n".join("  " + line for line in self.lines)
        return f"ssm.model @random(%tokens: tensor<?x?xi32>, %targets: tensor<?x?xi32>) {{\n{body}\n}}\n"
