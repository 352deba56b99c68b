#include "adjc/Plan/SpecPlace.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;

std::string adjc::placeOf(Location location) {
  std::string text;
  location->walk([&](Location part) {
    if (auto file = dyn_cast<FileLineColLoc>(part)) {
      text = (file.getFilename().getValue() + ":" + Twine(file.getLine()) + ":" + Twine(file.getColumn())).str();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return text;
}
