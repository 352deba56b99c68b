// Do the tensors of a file fit a module? One error that lists all differences.
#include "adjrt/io/Parameters.h"
#include "adjrt/io/Shape.h"

#include <algorithm>

using namespace adjrt;

static constexpr std::size_t kListed = 8;

Status ParameterSource::match(const std::vector<TensorSpec> &expected, const std::vector<std::string> &ignored) const {
  std::size_t missing = 0, extra = 0, misshaped = 0, unreadable = 0;
  std::vector<std::string> lines;
  std::map<std::string, bool> wanted;
  for (const TensorSpec &tensor : expected) {
    wanted[tensor.name] = true;
    auto place = places.find(tensor.name);
    if (place == places.end()) {
      ++missing;
      lines.push_back("missing: " + tensor.name + ", expected shape " + printShape(tensor.shape));
      continue;
    }
    const SafetensorsEntry &entry = files[place->second.file].entries()[place->second.entry];
    if (entry.tensor.shape != tensor.shape) {
      ++misshaped;
      lines.push_back("misshaped: " + tensor.name + ", expected shape " + printShape(tensor.shape) + ", found " +
                      printShape(entry.tensor.shape));
    } else if (entry.dtype != "F32" && entry.dtype != "BF16" && entry.dtype != "F16") {
      ++unreadable;
      lines.push_back("dtype not read: " + tensor.name + " is " + entry.dtype + ", expected F32, BF16 or F16");
    }
  }
  for (const auto &[tensor, place] : places) {
    if (wanted.contains(tensor) || std::find(ignored.begin(), ignored.end(), tensor) != ignored.end())
      continue;
    ++extra;
    lines.push_back("extra: " + tensor + ", found shape " +
                    printShape(files[place.file].entries()[place.entry].tensor.shape));
  }
  if (lines.empty())
    return {};
  std::string message = name + ": the parameters do not fit the module: ";
  std::string counts;
  for (auto [count, what] : {std::pair{missing, " missing"},
                             {extra, " extra"},
                             {misshaped, " misshaped"},
                             {unreadable, " of a dtype that is not read"}})
    if (count)
      counts += (counts.empty() ? "" : ", ") + std::to_string(count) + what;
  message += counts + "; give the parameters of the model that the module was compiled from";
  for (std::size_t i = 0; i != std::min(lines.size(), kListed); ++i)
    message += "\n  " + lines[i];
  if (lines.size() > kListed)
    message += "\n  and " + std::to_string(lines.size() - kListed) + " more";
  return invalidInput(message);
}
