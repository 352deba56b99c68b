// ssm.scan: the general recurrence, docs/model-section.md. Token by token, its regions as small programs. Carries the
// state.
#include "RegionProgram.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace adjrt::reference {
namespace {

/// How a tensor operand or output lies in memory, seen from the points of its register.
struct Layout {
  std::vector<std::int64_t> shape;
  std::int64_t batchStride = 0, tokenStride = 0;
  std::vector<std::size_t> tensor, lane; ///< per local point: offset in the tensor at (b, t) = 0, and in the register

  [[nodiscard]] std::size_t base(std::int64_t b, std::int64_t t) const { return b * batchStride + t * tokenStride; }
};

/// The attributes of the op, read.
struct Description {
  std::vector<std::int64_t> sizes; ///< per dimension, -1 for batch and tokens
  std::vector<int> state;
  int contracted = -1, contracts = -1;
  std::vector<std::vector<int>> maps; ///< inputs, then outputs
  std::size_t inputs = 0;
  bool isComplex = false, hasInitial = false;

  [[nodiscard]] std::size_t outputs() const { return maps.size() - inputs; }
};

Expected<std::vector<int>> parseMap(const std::string &text, std::size_t dims) {
  std::vector<int> map;
  for (std::size_t at = 0; at < text.size();) {
    int dim = -1;
    const char *end = text.data() + text.size();
    auto [stop, error] = std::from_chars(text.data() + at, end, dim);
    bool valid = error == std::errc() && (stop == end || (*stop == ',' && stop + 1 != end)) && dim >= 0 &&
                 static_cast<std::size_t>(dim) < dims && std::find(map.begin(), map.end(), dim) == map.end();
    if (!valid)
      return invalidInput("attribute 'maps': '" + text + "' is not a list of different dimensions below " +
                          std::to_string(dims));
    map.push_back(dim);
    at = stop - text.data() + (stop == end ? 0 : 1);
  }
  return map;
}

Expected<Description> describe(const fb::NodeT &node) {
  ADJ_RETURN_IF_ERROR(requireAttributes(node, {"dims", "sizes", "state", "maps", "inputs"}));
  Description scan;
  scan.sizes = findAttribute(node, "sizes")->integers;
  std::size_t dims = scan.sizes.size();
  if (dims < 2 || findAttribute(node, "dims")->texts.size() != dims)
    return invalidInput("attributes 'dims' and 'sizes' must be of one length, with batch and tokens first");
  constexpr std::int64_t kMost = 1 << 24;
  double points = 1;
  for (std::size_t dim = 2; dim < dims; ++dim) {
    if (scan.sizes[dim] < 1)
      return invalidInput("attribute 'sizes': dimension " + std::to_string(dim) + " has size " +
                          std::to_string(scan.sizes[dim]));
    points *= static_cast<double>(scan.sizes[dim]);
  }
  if (points > static_cast<double>(kMost))
    return invalidInput("attribute 'sizes': more points per token than the reference device handles, 2^24");
  auto isLocal = [&](std::int64_t dim) { return dim >= 2 && static_cast<std::size_t>(dim) < dims; };
  for (std::int64_t dim : findAttribute(node, "state")->integers) {
    if (!isLocal(dim) || std::find(scan.state.begin(), scan.state.end(), dim) != scan.state.end())
      return invalidInput("attribute 'state' names dimension " + std::to_string(dim));
    scan.state.push_back(static_cast<int>(dim));
  }
  auto inState = [&](std::int64_t dim) {
    return std::find(scan.state.begin(), scan.state.end(), dim) != scan.state.end();
  };
  if (findAttribute(node, "contracted")) {
    std::int64_t contracted = integerAttribute(node, "contracted"), contracts = integerAttribute(node, "contracts", -1);
    if (!isLocal(contracted) || inState(contracted) || !inState(contracts) ||
        scan.sizes[contracted] != scan.sizes[contracts])
      return invalidInput(
          "attributes 'contracted' and 'contracts' must name a dimension outside the state and the state "
          "dimension of the same size that it copies");
    scan.contracted = static_cast<int>(contracted), scan.contracts = static_cast<int>(contracts);
  }
  for (const std::string &text : findAttribute(node, "maps")->texts) {
    ADJ_ASSIGN_OR_RETURN(std::vector<int> map, parseMap(text, dims));
    scan.maps.push_back(std::move(map));
  }
  std::int64_t inputs = integerAttribute(node, "inputs");
  scan.isComplex = integerAttribute(node, "complex") != 0;
  scan.hasInitial = integerAttribute(node, "initial_state") != 0;
  if (inputs < 0 || static_cast<std::size_t>(inputs) + (scan.hasInitial ? 1 : 0) != node.operands.size() ||
      static_cast<std::size_t>(inputs) + node.results.size() != scan.maps.size() || node.results.empty())
    return invalidInput("attributes 'inputs', 'maps' and 'initial_state' don't fit the " +
                        std::to_string(node.operands.size()) + " operands and " + std::to_string(node.results.size()) +
                        " results");
  scan.inputs = static_cast<std::size_t>(inputs);
  for (std::size_t i = scan.inputs; i < scan.maps.size(); ++i)
    for (int dim : {0, 1})
      if (std::find(scan.maps[i].begin(), scan.maps[i].end(), dim) == scan.maps[i].end())
        return invalidInput("attribute 'maps': an output must vary over batch and tokens");
  if (node.regions.size() != 2 || !node.regions[0] || !node.regions[1])
    return invalidInput("needs two regions, step and read");
  return scan;
}

std::vector<int> localDims(const std::vector<int> &map) {
  std::vector<int> dims;
  std::copy_if(map.begin(), map.end(), std::back_inserter(dims), [](int dim) { return dim >= 2; });
  return dims;
}

bool isSubset(const std::vector<int> &dims, const std::vector<int> &of) {
  return std::all_of(dims.begin(), dims.end(), [&](int d) { return std::find(of.begin(), of.end(), d) != of.end(); });
}

struct Programs {
  RegionProgram step, read;
};

Expected<Programs> buildPrograms(const fb::NodeT &node, const Description &scan) {
  std::vector<RegisterType> arguments;
  for (std::size_t i = 0; i < scan.inputs; ++i)
    arguments.push_back({localDims(scan.maps[i]), false});
  arguments.push_back({{}, false}); // the reset flag
  auto step = RegionProgram::build(*node.regions[0], arguments, scan.sizes);
  if (!step)
    return tl::unexpected<Error>(step.error().in("step region"));
  arguments.insert(arguments.end() - 1, RegisterType{scan.state, scan.isComplex});
  auto read = RegionProgram::build(*node.regions[1], arguments, scan.sizes);
  if (!read)
    return tl::unexpected<Error>(read.error().in("read region"));

  if (step->resultCount() != 2 || read->resultCount() != scan.outputs())
    return invalidInput("the step region must yield transition and input term, the read region one value per output");
  std::vector<int> transitionDims = scan.state;
  if (scan.contracted >= 0)
    transitionDims.push_back(scan.contracted);
  if (!isSubset(step->type(step->result(0)).dims, transitionDims) ||
      !isSubset(step->type(step->result(1)).dims, scan.state))
    return invalidInput("the step region: transition and input term must vary over dimensions of the state only "
                        "(the transition also over its contracted copy); sum over others");
  for (std::size_t i = 0; i < 2; ++i)
    if (step->type(step->result(i)).isComplex && !scan.isComplex)
      return invalidInput("the step region yields a complex value, the state is real");
  for (std::size_t i = 0; i < scan.outputs(); ++i) {
    const RegisterType &type = read->type(read->result(i));
    if (type.isComplex)
      return invalidInput("output " + std::to_string(i) + " is complex: take its real part");
    if (!isSubset(type.dims, scan.maps[scan.inputs + i]))
      return invalidInput("output " + std::to_string(i) + " varies over a dimension that its map lacks");
  }
  return Programs{std::move(*step), std::move(*read)};
}

Status check(const fb::ModelT &, const fb::NodeT &node) {
  ADJ_ASSIGN_OR_RETURN(Description scan, describe(node));
  ADJ_ASSIGN_OR_RETURN(Programs programs, buildPrograms(node, scan));
  return {};
}

Layout layoutOf(const std::vector<int> &map, const std::vector<int> &laneDims, const Description &scan,
                const Frame &frame) {
  Layout layout;
  std::vector<std::int64_t> sizes = scan.sizes;
  sizes[0] = frame.batch(), sizes[1] = frame.tokens();
  std::int64_t stride = 1;
  for (auto dim = map.rbegin(); dim != map.rend(); stride *= sizes[*dim++]) {
    if (*dim == 0)
      layout.batchStride = stride;
    if (*dim == 1)
      layout.tokenStride = stride;
  }
  for (int dim : map)
    layout.shape.push_back(sizes[dim]);
  std::vector<int> dims = localDims(map);
  layout.tensor = offsetsWithin(dims, map, sizes);
  layout.lane = offsetsWithin(dims, laneDims, sizes);
  return layout;
}

/// One evaluation of the op: everything that forward and backward share.
struct Run {
  Description scan;
  Programs programs;
  std::vector<Layout> inputs, outputs;
  // h_t[to] = sum over points of a[transition] h_{t-1}[from]; u[term] is added once per state point.
  std::vector<std::size_t> transition, to, from, term;
  std::size_t states = 0;
  std::vector<std::int64_t> stateShape;

  [[nodiscard]] std::size_t numbers() const { return states * (scan.isComplex ? 2 : 1); }

  void load(RegionProgram &program, const Frame &frame, std::int64_t b, std::int64_t t) const {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const double *from = &frame.operand(i).values[inputs[i].base(b, t)];
      Lanes &lanes = program.values[program.argument(i)];
      for (std::size_t p = 0; p < inputs[i].lane.size(); ++p)
        lanes.re[inputs[i].lane[p]] = from[inputs[i].tensor[p]];
    }
    bool isRead = &program == &programs.read;
    program.values[program.argument(inputs.size() + (isRead ? 1 : 0))].re[0] = frame.evaluation.reset(b, t) ? 1 : 0;
  }
  /// Adds the cotangents of the program's inputs to those of the op.
  void store(const RegionProgram &program, Frame &frame, std::int64_t b, std::int64_t t) const {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      double *to = &frame.operandCotangent(i).values[inputs[i].base(b, t)];
      const Lanes &lanes = program.cotangents[program.argument(i)];
      for (std::size_t p = 0; p < inputs[i].lane.size(); ++p)
        to[inputs[i].tensor[p]] += lanes.re[inputs[i].lane[p]];
    }
  }
  /// A state as a Lanes, from and to its interleaved form in a tensor.
  [[nodiscard]] Lanes unpack(const double *from) const {
    Lanes h;
    h.re.resize(states);
    h.im.resize(scan.isComplex ? states : 0);
    for (std::size_t i = 0; i < states; ++i) {
      h.re[i] = from[scan.isComplex ? 2 * i : i];
      if (scan.isComplex)
        h.im[i] = from[2 * i + 1];
    }
    return h;
  }
  void addTo(double *to, const Lanes &h) const {
    for (std::size_t i = 0; i < states; ++i) {
      to[scan.isComplex ? 2 * i : i] += h.re[i];
      if (scan.isComplex)
        to[2 * i + 1] += h.im[i];
    }
  }
  [[nodiscard]] Lanes zeroState() const {
    return {std::vector<double>(states, 0.0), std::vector<double>(scan.isComplex ? states : 0, 0.0)};
  }
};

Expected<Run> prepare(Frame &frame) {
  auto located = [&](const Error &error) { return frame.error(error.message); };
  auto scan = describe(frame.node());
  if (!scan)
    return located(scan.error());
  auto programs = buildPrograms(frame.node(), *scan);
  if (!programs)
    return located(programs.error());
  Run run{std::move(*scan), std::move(*programs), {}, {}, {}, {}, {}, {}, 0, {}};
  const Description &d = run.scan;
  for (std::size_t i = 0; i < d.inputs; ++i) {
    run.inputs.push_back(layoutOf(d.maps[i], localDims(d.maps[i]), d, frame));
    ADJ_RETURN_IF_ERROR(frame.expectShape(i, run.inputs[i].shape, "input " + std::to_string(i)));
  }
  const RegionProgram &read = run.programs.read, &step = run.programs.step;
  for (std::size_t i = 0; i < d.outputs(); ++i)
    run.outputs.push_back(layoutOf(d.maps[d.inputs + i], read.type(read.result(i)).dims, d, frame));
  run.states = pointsOf(d.state, d.sizes);
  std::vector<int> points = d.state;
  if (d.contracted >= 0)
    points.push_back(d.contracted);
  run.transition = offsetsWithin(points, step.type(step.result(0)).dims, d.sizes);
  run.to = offsetsWithin(points, d.state, d.sizes);
  run.from = offsetsWithin(points, d.state, d.sizes, d.contracts, d.contracted);
  run.term = offsetsWithin(d.state, step.type(step.result(1)).dims, d.sizes);
  run.stateShape = {frame.batch()};
  for (int dim : d.state)
    run.stateShape.push_back(d.sizes[dim]);
  if (d.isComplex)
    run.stateShape.push_back(2);
  if (d.hasInitial)
    ADJ_RETURN_IF_ERROR(frame.expectShape(d.inputs, run.stateShape, "the initial state"));
  return run;
}

/// The state before the first token of sequence b.
Lanes initialOf(const Run &run, const Frame &frame, const Tensor *given, std::int64_t b) {
  if (!given && run.scan.hasInitial)
    given = &frame.operand(run.scan.inputs);
  return given ? run.unpack(&given->values[b * run.numbers()]) : run.zeroState();
}

Status forward(Frame &frame) {
  ADJ_ASSIGN_OR_RETURN(Run run, prepare(frame));
  ADJ_ASSIGN_OR_RETURN(const Tensor *given, frame.initialState(run.stateShape));
  RegionProgram &step = run.programs.step, &read = run.programs.read;
  std::vector<Tensor *> outputs;
  for (std::size_t i = 0; i < run.outputs.size(); ++i)
    outputs.push_back(&frame.makeResult(i, run.outputs[i].shape));
  Tensor finalState(run.stateShape);
  // All states, the initial one first: what the reverse sweep needs.
  std::vector<std::int64_t> history = {frame.batch(), frame.tokens() + 1, static_cast<std::int64_t>(run.numbers())};
  if (frame.evaluation.keep)
    frame.step.saved.emplace_back(history);
  for (std::int64_t b = 0; b < frame.batch(); ++b) {
    Lanes h = initialOf(run, frame, given, b);
    auto save = [&](std::int64_t row) {
      if (frame.evaluation.keep)
        run.addTo(&frame.step.saved[0].values[(b * history[1] + row) * run.numbers()], h);
    };
    save(0);
    for (std::int64_t t = 0; t < frame.tokens(); ++t) {
      run.load(step, frame, b, t);
      step.run();
      const Lanes &a = step.values[step.result(0)], &u = step.values[step.result(1)];
      Lanes next = run.zeroState();
      for (std::size_t i = 0; i < run.states; ++i)
        next.add(i, u.at(run.term[i]));
      if (!frame.evaluation.reset(b, t))
        for (std::size_t p = 0; p < run.to.size(); ++p)
          next.add(run.to[p], a.at(run.transition[p]) * h.at(run.from[p]));
      h = std::move(next);
      save(t + 1);
      run.load(read, frame, b, t);
      read.values[read.argument(run.inputs.size())] = h;
      read.run();
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        const Layout &layout = run.outputs[i];
        const Lanes &value = read.values[read.result(i)];
        for (std::size_t p = 0; p < layout.lane.size(); ++p)
          outputs[i]->values[layout.base(b, t) + layout.tensor[p]] = value.re[layout.lane[p]];
      }
    }
    run.addTo(&finalState.values[b * run.numbers()], h);
  }
  frame.finalState() = std::move(finalState);
  return {};
}

Status backward(Frame &frame) {
  ADJ_ASSIGN_OR_RETURN(Run run, prepare(frame));
  ADJ_ASSIGN_OR_RETURN(const Tensor *given, frame.initialState(run.stateShape));
  ADJ_ASSIGN_OR_RETURN(const Tensor *dFinal, frame.finalStateCotangent(run.stateShape));
  RegionProgram &step = run.programs.step, &read = run.programs.read;
  Tensor dInitial(run.stateShape);
  const std::vector<double> &history = frame.step.saved[0].values;
  for (std::int64_t b = 0; b < frame.batch(); ++b) {
    auto state = [&](std::int64_t row) {
      return run.unpack(&history[(b * (frame.tokens() + 1) + row) * run.numbers()]);
    };
    Lanes carried = dFinal ? run.unpack(&dFinal->values[b * run.numbers()]) : run.zeroState();
    for (std::int64_t t = frame.tokens() - 1; t >= 0; --t) {
      run.load(read, frame, b, t);
      int stateRegister = read.argument(run.inputs.size());
      read.values[stateRegister] = state(t + 1);
      read.run();
      read.clearCotangents();
      for (std::size_t i = 0; i < run.outputs.size(); ++i)
        if (const Tensor *g = frame.resultCotangent(i)) {
          const Layout &layout = run.outputs[i];
          Lanes &cotangent = read.cotangents[read.result(i)];
          for (std::size_t p = 0; p < layout.lane.size(); ++p)
            cotangent.re[layout.lane[p]] += g->values[layout.base(b, t) + layout.tensor[p]];
        }
      read.runBackward();
      run.store(read, frame, b, t);

      // p = dL/dh_t, from the outputs of this token and from the tokens after it.
      Lanes p = read.cotangents[stateRegister];
      for (std::size_t i = 0; i < run.states; ++i)
        p.add(i, carried.at(i));
      carried = run.zeroState();
      run.load(step, frame, b, t);
      step.run();
      step.clearCotangents();
      const Lanes &a = step.values[step.result(0)];
      for (std::size_t i = 0; i < run.states; ++i)
        step.cotangents[step.result(1)].add(run.term[i], p.at(i));
      if (!frame.evaluation.reset(b, t)) {
        Lanes before = state(t);
        for (std::size_t i = 0; i < run.to.size(); ++i) {
          step.cotangents[step.result(0)].add(run.transition[i], p.at(run.to[i]) * std::conj(before.at(run.from[i])));
          carried.add(run.from[i], std::conj(a.at(run.transition[i])) * p.at(run.to[i]));
        }
      }
      step.runBackward();
      run.store(step, frame, b, t);
    }
    run.addTo(&dInitial.values[b * run.numbers()], carried);
    if (!given && run.scan.hasInitial)
      run.addTo(&frame.operandCotangent(run.scan.inputs).values[b * run.numbers()], carried);
  }
  frame.initialStateCotangent() = std::move(dInitial);
  return {};
}

} // namespace

// As many operands as the scan has inputs: `check` compares them with its attributes.
const Operation kScan = {"ssm.scan", 0, 1 << 16, IntegerOperand::None, true, check, forward, backward};

} // namespace adjrt::reference
