//===- SharedProducts.cpp - products of three factors, of which two are multiplied anyway -----------------------===//
#include "PointProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include <algorithm>

using namespace mlir;

namespace adjc::scan {

static bool isProduct(const PointNode *node) {
  return node->kind == PointNode::Kind::Value && isa_and_nonnull<arith::MulFOp>(node->op);
}

PointNode *PointProgram::findProduct(const PointNode *x, const PointNode *y, const PointNode *but) const {
  for (const std::unique_ptr<PointNode> &node : nodes)
    if (node.get() != but && isProduct(node.get()) &&
        ((node->operands[0] == x && node->operands[1] == y) || (node->operands[0] == y && node->operands[1] == x)))
      return node.get();
  return nullptr;
}

bool PointProgram::shareFactors(PointNode *product) {
  auto uses = [&](const PointNode *operand) {
    return llvm::count_if(nodes, [&](const auto &node) { return llvm::is_contained(node->operands, operand); });
  };
  for (unsigned place : {0, 1}) {
    PointNode *inner = product->operands[place], *z = product->operands[1 - place];
    // Of a square, the operation that is cloned has one operand.
    if (inner == z || !isProduct(inner) || uses(inner) > 1)
      continue;
    for (unsigned kept : {0, 1}) {
      PointNode *x = inner->operands[kept], *y = inner->operands[1 - kept];
      PointNode *shared = findProduct(x, z, inner);
      if (!shared || shared == product)
        continue;
      product->operands = {shared, y};
      return true;
    }
  }
  return false;
}

void PointProgram::shareProducts() {
  dropUnused();
  for (size_t i = 0; i < nodes.size(); ++i) {
    PointNode *product = nodes[i].get();
    if (!isProduct(product) || !shareFactors(product))
      continue;
    // Its factors are there before this product; where it comes later itself, it moves here.
    size_t place = product->operands[0]->number;
    if (place > i)
      std::rotate(nodes.begin() + i, nodes.begin() + place, nodes.begin() + place + 1);
    for (auto [number, node] : llvm::enumerate(nodes))
      node->number = number;
  }
  dropUnused();
}

} // namespace adjc::scan
