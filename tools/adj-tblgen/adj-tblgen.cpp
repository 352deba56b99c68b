//===- adj-tblgen.cpp - turns the scalar rules (dialects/adj/ScalarRules.td) into C++ ---------------------------===//
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TableGen/Error.h"
#include "llvm/TableGen/Main.h"
#include "llvm/TableGen/Record.h"

using namespace llvm;

/// The C++ expression of a term: (mul g, x1) is `t.mul(g, x(1))`.
static std::string expression(const Init *init) {
  if (const auto *text = dyn_cast<StringInit>(init))
    return text->getValue().str();
  if (const auto *leaf = dyn_cast<DefInit>(init))
    return leaf->getDef()->getValueAsString("cpp").str();
  const auto *term = dyn_cast<DagInit>(init);
  if (!term)
    PrintFatalError("a rule's term is neither a leaf nor (function arguments...): " + init->getAsString());
  StringRef function = cast<DefInit>(term->getOperator())->getDef()->getValueAsString("cpp");
  if (function.empty())
    return expression(term->getArg(0));
  std::string code = ("t." + function + "(").str();
  for (unsigned i = 0; i < term->getNumArgs(); ++i)
    code += (i ? ", " : "") + expression(term->getArg(i));
  return code + ")";
}

static bool emitRules(raw_ostream &os, const RecordKeeper &records) {
  os << "// Generated from ScalarRules.td by adj-tblgen.\n";
  for (const Record *rule : records.getAllDerivedDefinitions("Rule")) {
    os << ".Case<" << rule->getValueAsString("operation") << ">([&](auto) {\n";
    for (auto [i, operand] : enumerate(*rule->getValueAsListInit("operands")))
      if (std::string code = expression(operand); !code.empty())
        os << "  add(" << i << ", " << code << ");\n";
    os << "  return success();\n})\n";
  }
  return false;
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv);
  return TableGenMain(argv[0], emitRules);
}
