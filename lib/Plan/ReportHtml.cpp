//===- ReportHtml.cpp - --emit=html -------------------------------------------------------------------------------===//
#include "ReportPage.h"
#include "adjc/Plan/Report.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace adjc {

std::string reportAsHtml(const PlanReport &report) {
  // In a script element nothing ends the text but "</" and "<!--".
  std::string data;
  for (char c : reportAsJson(report))
    data += c == '<' ? std::string("\\u003c") : std::string(1, c);
  std::string page(kReportPage);
  constexpr StringLiteral mark = "@PLAN@";
  page.replace(page.find(mark.str()), mark.size(), data);
  return page;
}

} // namespace adjc
