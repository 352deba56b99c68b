#include "RegionProgram.h"

#include "Interpreter.h"

#include <algorithm>

namespace adjrt::reference {

std::size_t pointsOf(const std::vector<int> &dims, const std::vector<std::int64_t> &sizes) {
  std::size_t points = 1;
  for (int dim : dims)
    points *= static_cast<std::size_t>(sizes[dim]);
  return points;
}

std::vector<std::size_t> offsetsWithin(const std::vector<int> &outer, const std::vector<int> &inner,
                                       const std::vector<std::int64_t> &sizes, int from, int to) {
  std::vector<std::size_t> strides(outer.size(), 0);
  std::size_t stride = 1;
  for (auto dim = inner.rbegin(); dim != inner.rend(); stride *= sizes[*dim++])
    for (std::size_t i = 0; i < outer.size(); ++i)
      if (outer[i] == (*dim == from ? to : *dim))
        strides[i] = stride;
  std::vector<std::size_t> offsets = {0};
  for (std::size_t i = 0; i < outer.size(); ++i) {
    std::vector<std::size_t> next;
    next.reserve(offsets.size() * sizes[outer[i]]);
    for (std::size_t offset : offsets)
      for (std::int64_t j = 0; j < sizes[outer[i]]; ++j)
        next.push_back(offset + j * strides[i]);
    offsets = std::move(next);
  }
  return offsets;
}

int RegionProgram::newRegister(RegisterType type, const std::vector<std::int64_t> &sizes) {
  Lanes lanes;
  lanes.re.assign(pointsOf(type.dims, sizes), 0.0);
  if (type.isComplex)
    lanes.im = lanes.re;
  types.push_back(std::move(type));
  values.push_back(lanes);
  cotangents.push_back(std::move(lanes));
  return static_cast<int>(types.size()) - 1;
}

Expected<RegionProgram> RegionProgram::build(const fb::GraphT &graph, const std::vector<RegisterType> &arguments,
                                             const std::vector<std::int64_t> &sizes) {
  RegionProgram program;
  std::map<int, int> registerOf;
  if (graph.arguments.size() != arguments.size())
    return invalidInput("a region has " + std::to_string(graph.arguments.size()) + " arguments, expected " +
                        std::to_string(arguments.size()));
  for (std::size_t i = 0; i < arguments.size(); ++i)
    registerOf[graph.arguments[i]] = program.newRegister(arguments[i], sizes);
  for (const auto &node : graph.nodes) {
    if (!node)
      return invalidInput("a node is missing");
    if (Status status = program.append(*node, registerOf, sizes); !status)
      return tl::unexpected<Error>(status.error().in(placeOf(*node, -1)));
  }
  for (int result : graph.results) {
    auto found = registerOf.find(result);
    if (found == registerOf.end())
      return invalidInput("a region yields value " + std::to_string(result) + ", which it doesn't define");
    program.results.push_back(found->second);
  }
  return program;
}

Status RegionProgram::append(const fb::NodeT &node, std::map<int, int> &registerOf,
                             const std::vector<std::int64_t> &sizes) {
  struct Form {
    const char *name;
    Kind kind;
    std::size_t operands;
  };
  static constexpr Form kSpecial[] = {
      {"arith.cmpf", Kind::Compare, 2}, {"arith.select", Kind::Select, 3},   {"math.fma", Kind::Fma, 3},
      {"ssm.sum", Kind::Sum, 1},        {"complex.create", Kind::Create, 2}, {"complex.re", Kind::Re, 1},
      {"complex.im", Kind::Im, 1},      {"complex.conj", Kind::Conj, 1},     {"complex.abs", Kind::Abs, 1}};

  ADJ_RETURN_IF_ERROR(node.results.size() == 1 ? Status() : invalidInput("must have one result"));
  if (registerOf.contains(node.results[0]))
    return invalidInput("value " + std::to_string(node.results[0]) + " is defined twice");
  if (node.op == "arith.constant" || node.op == "complex.constant") {
    bool isComplex = node.op == "complex.constant";
    ADJ_RETURN_IF_ERROR(requireAttributes(node, {"value"}));
    if (isComplex)
      ADJ_RETURN_IF_ERROR(requireAttributes(node, {"imaginary"}));
    int reg = registerOf[node.results[0]] = newRegister({{}, isComplex}, sizes);
    values[reg].re[0] = findAttribute(node, "value")->real;
    if (isComplex)
      values[reg].im[0] = findAttribute(node, "imaginary")->real;
    return {};
  }

  Instruction instruction{};
  std::size_t count = 1;
  bool complexOperands = false, complexResult = false;
  const Form *special =
      std::find_if(std::begin(kSpecial), std::end(kSpecial), [&](const Form &f) { return f.name == node.op; });
  if (special != std::end(kSpecial)) {
    instruction.kind = special->kind, count = special->operands;
    complexOperands = special->kind == Kind::Re || special->kind == Kind::Im || special->kind == Kind::Conj ||
                      special->kind == Kind::Abs;
    complexResult = special->kind == Kind::Create || special->kind == Kind::Conj;
  } else if ((instruction.realUnary = findUnary<double>(node.op))) {
    instruction.kind = Kind::RealUnary;
  } else if ((instruction.realBinary = findBinary<double>(node.op))) {
    instruction.kind = Kind::RealBinary, count = 2;
  } else if ((instruction.complexUnary = findUnary<Complex>(node.op))) {
    instruction.kind = Kind::ComplexUnary, complexOperands = complexResult = true;
  } else if ((instruction.complexBinary = findBinary<Complex>(node.op))) {
    instruction.kind = Kind::ComplexBinary, count = 2, complexOperands = complexResult = true;
  } else {
    return invalidInput("the reference device doesn't know this op in a scan's region");
  }

  if (node.operands.size() != count)
    return invalidInput("has " + std::to_string(node.operands.size()) + " operands, expected " + std::to_string(count));
  RegisterType type;
  for (std::size_t i = 0; i < count; ++i) {
    auto found = registerOf.find(node.operands[i]);
    if (found == registerOf.end())
      return invalidInput("uses value " + std::to_string(node.operands[i]) + ", which its region doesn't define");
    instruction.operands[i] = found->second;
    const RegisterType &operand = types[found->second];
    bool eitherWay = instruction.kind == Kind::Sum || (instruction.kind == Kind::Select && i > 0);
    if (eitherWay)
      complexResult = operand.isComplex;
    else if (operand.isComplex != complexOperands)
      return invalidInput("operand " + std::to_string(i) + " must be " + (complexOperands ? "complex" : "real"));
    type.dims.insert(type.dims.end(), operand.dims.begin(), operand.dims.end());
  }
  if (instruction.kind == Kind::Select &&
      types[instruction.operands[1]].isComplex != types[instruction.operands[2]].isComplex)
    return invalidInput("selects between a real and a complex value");
  std::sort(type.dims.begin(), type.dims.end());
  type.dims.erase(std::unique(type.dims.begin(), type.dims.end()), type.dims.end());
  type.isComplex = complexResult;

  if (instruction.kind == Kind::Compare) {
    ADJ_RETURN_IF_ERROR(requireAttributes(node, {"predicate"}));
    const std::string &predicate = findAttribute(node, "predicate")->text;
    if (!(instruction.compare = findComparison(predicate)))
      return invalidInput("attribute 'predicate' is '" + predicate + "', which is none of arith.cmpf's");
  }
  if (instruction.kind == Kind::Sum) {
    ADJ_RETURN_IF_ERROR(requireAttributes(node, {"dims"}));
    for (std::int64_t dim : findAttribute(node, "dims")->integers)
      if (std::erase(type.dims, static_cast<int>(dim)) == 0)
        return invalidInput("sums over dimension " + std::to_string(dim) + ", which its operand doesn't vary over");
    instruction.offsets[0] = offsetsWithin(types[instruction.operands[0]].dims, type.dims, sizes);
  } else {
    for (std::size_t i = 0; i < count; ++i)
      instruction.offsets[i] = offsetsWithin(type.dims, types[instruction.operands[i]].dims, sizes);
  }
  instruction.result = registerOf[node.results[0]] = newRegister(std::move(type), sizes);
  instructions.push_back(std::move(instruction));
  return {};
}

void RegionProgram::run() {
  for (const Instruction &instruction : instructions) {
    Lanes &out = values[instruction.result];
    const auto &[o0, o1, o2] = instruction.offsets;
    static const Lanes kNone;
    auto lanes = [&](int i) -> const Lanes & {
      return instruction.operands[i] < 0 ? kNone : values[instruction.operands[i]];
    };
    const Lanes &x = lanes(0), &y = lanes(1), &z = lanes(2);
    auto real = [&](auto function) {
      for (std::size_t p = 0; p < out.re.size(); ++p)
        out.re[p] = function(p);
    };
    auto complex = [&](auto function) {
      for (std::size_t p = 0; p < out.re.size(); ++p) {
        Complex value = function(p);
        out.re[p] = value.real();
        if (!out.im.empty())
          out.im[p] = value.imag();
      }
    };
    switch (instruction.kind) {
    case Kind::RealUnary:
      real([&](auto p) { return instruction.realUnary->value(x.re[o0[p]]); });
      break;
    case Kind::RealBinary:
      real([&](auto p) { return instruction.realBinary->value(x.re[o0[p]], y.re[o1[p]]); });
      break;
    case Kind::ComplexUnary:
      complex([&](auto p) { return instruction.complexUnary->value(x.at(o0[p])); });
      break;
    case Kind::ComplexBinary:
      complex([&](auto p) { return instruction.complexBinary->value(x.at(o0[p]), y.at(o1[p])); });
      break;
    case Kind::Compare:
      real([&](auto p) { return instruction.compare(x.re[o0[p]], y.re[o1[p]]) ? 1.0 : 0.0; });
      break;
    case Kind::Select:
      complex([&](auto p) { return x.re[o0[p]] != 0 ? y.at(o1[p]) : z.at(o2[p]); });
      break;
    case Kind::Fma:
      real([&](auto p) { return x.re[o0[p]] * y.re[o1[p]] + z.re[o2[p]]; });
      break;
    case Kind::Create:
      complex([&](auto p) { return Complex(x.re[o0[p]], y.re[o1[p]]); });
      break;
    case Kind::Re:
      real([&](auto p) { return x.re[o0[p]]; });
      break;
    case Kind::Im:
      real([&](auto p) { return x.im[o0[p]]; });
      break;
    case Kind::Conj:
      complex([&](auto p) { return std::conj(x.at(o0[p])); });
      break;
    case Kind::Abs:
      real([&](auto p) { return std::abs(x.at(o0[p])); });
      break;
    case Kind::Sum:
      std::fill(out.re.begin(), out.re.end(), 0.0);
      std::fill(out.im.begin(), out.im.end(), 0.0);
      for (std::size_t p = 0; p < x.re.size(); ++p)
        out.add(o0[p], x.at(p));
      break;
    }
  }
}

void RegionProgram::clearCotangents() {
  for (Lanes &lanes : cotangents) {
    std::fill(lanes.re.begin(), lanes.re.end(), 0.0);
    std::fill(lanes.im.begin(), lanes.im.end(), 0.0);
  }
}

void RegionProgram::runBackward() {
  for (auto instruction = instructions.rbegin(); instruction != instructions.rend(); ++instruction) {
    const Lanes &r = values[instruction->result], &g = cotangents[instruction->result];
    const auto &[o0, o1, o2] = instruction->offsets;
    static const Lanes kNone;
    static Lanes kNowhere;
    auto lanes = [&](int i) -> const Lanes & {
      return instruction->operands[i] < 0 ? kNone : values[instruction->operands[i]];
    };
    auto cotangent = [&](int i) -> Lanes & {
      return instruction->operands[i] < 0 ? kNowhere : cotangents[instruction->operands[i]];
    };
    const Lanes &x = lanes(0), &y = lanes(1);
    Lanes &dx = cotangent(0), &dy = cotangent(1), &dz = cotangent(2);
    // A branch that arith.select didn't take has a zero cotangent and perhaps an infinite derivative: skip it.
    auto each = [&](auto function) {
      for (std::size_t p = 0; p < r.re.size(); ++p)
        if (g.at(p) != 0.0)
          function(p);
    };
    // Cotangents are (d/d re) + i (d/d im): through a holomorphic function they pick up the conjugate of its
    // derivative.
    switch (instruction->kind) {
    case Kind::RealUnary:
      each([&](auto p) { dx.re[o0[p]] += g.re[p] * instruction->realUnary->derivative(x.re[o0[p]], r.re[p]); });
      break;
    case Kind::RealBinary:
      each([&](auto p) {
        double a = x.re[o0[p]], b = y.re[o1[p]];
        dx.re[o0[p]] += g.re[p] * instruction->realBinary->byX(a, b, r.re[p]);
        dy.re[o1[p]] += g.re[p] * instruction->realBinary->byY(a, b, r.re[p]);
      });
      break;
    case Kind::ComplexUnary:
      each([&](auto p) {
        dx.add(o0[p], g.at(p) * std::conj(instruction->complexUnary->derivative(x.at(o0[p]), r.at(p))));
      });
      break;
    case Kind::ComplexBinary:
      each([&](auto p) {
        Complex a = x.at(o0[p]), b = y.at(o1[p]);
        dx.add(o0[p], g.at(p) * std::conj(instruction->complexBinary->byX(a, b, r.at(p))));
        dy.add(o1[p], g.at(p) * std::conj(instruction->complexBinary->byY(a, b, r.at(p))));
      });
      break;
    case Kind::Compare:
      break;
    case Kind::Select:
      each([&](auto p) { x.re[o0[p]] != 0 ? dy.add(o1[p], g.at(p)) : dz.add(o2[p], g.at(p)); });
      break;
    case Kind::Fma:
      each([&](auto p) {
        dx.re[o0[p]] += g.re[p] * y.re[o1[p]];
        dy.re[o1[p]] += g.re[p] * x.re[o0[p]];
        dz.re[o2[p]] += g.re[p];
      });
      break;
    case Kind::Create:
      each([&](auto p) { dx.re[o0[p]] += g.re[p], dy.re[o1[p]] += g.im[p]; });
      break;
    case Kind::Re:
      each([&](auto p) { dx.re[o0[p]] += g.re[p]; });
      break;
    case Kind::Im:
      each([&](auto p) { dx.im[o0[p]] += g.re[p]; });
      break;
    case Kind::Conj:
      each([&](auto p) { dx.add(o0[p], std::conj(g.at(p))); });
      break;
    case Kind::Abs:
      each([&](auto p) {
        if (r.re[p] != 0)
          dx.add(o0[p], g.re[p] / r.re[p] * x.at(o0[p]));
      });
      break;
    case Kind::Sum:
      for (std::size_t p = 0; p < x.re.size(); ++p)
        dx.add(p, g.at(o0[p]));
      break;
    }
  }
}

} // namespace adjrt::reference
