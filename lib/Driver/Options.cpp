#include "adjc/Driver/Options.h"

#include "adjc/Plan/Budget.h"
#include "adjrt/schedule/Schedule.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>

using adjrt::invalidInput;

namespace adjc {

namespace {

/// The options as text, before they are checked.
struct Texts {
  std::string target = "cpu", dtype = "f32", shard = "auto", budget, policy = "auto", boundaries = "auto",
              miniSequence = "auto", optimizer = "none", gradient = "exact", truncate = "none", distribute = "none",
              emit = "module", output, context = "65536", batch = "1";
  std::vector<std::string> keep;
};

bool isOneOf(llvm::StringRef text, std::initializer_list<llvm::StringRef> list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

adjrt::Expected<int64_t> parseCount(const std::string &option, const std::string &text, const char *also) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1)
    return invalidInput(option + "=" + text + " must be a whole number of at least 1" + also);
  return value;
}

/// `text` is one of `built`, or named in `planned` (not built yet), or wrong.
adjrt::Status check(const std::string &option, const std::string &text, std::initializer_list<llvm::StringRef> built,
                    bool planned, const std::string &advice) {
  if (isOneOf(text, built))
    return {};
  if (planned)
    return invalidInput(option + "=" + text + " is not built yet; " + advice);
  std::string all;
  for (llvm::StringRef name : built)
    all += (all.empty() ? "" : ", ") + name.str();
  return invalidInput(option + "=" + text + " is not known; give one of: " + all);
}

bool startsWith(const std::string &text, const char *prefix) { return llvm::StringRef(text).starts_with(prefix); }

/// What is not built, or not for the target.
adjrt::Status checkFeatures(const Texts &texts) {
  ADJ_RETURN_IF_ERROR(check("--target", texts.target, {"cpu", "sm_80", "sm_90", "sm_90a", "sm_100"}, false, ""));
  ADJ_RETURN_IF_ERROR(check("--dtype", texts.dtype, {"f32", "bf16"}, false, ""));
  ADJ_RETURN_IF_ERROR(check("--policy", texts.policy, {"auto", "store", "recompute", "offload"}, false, ""));
  ADJ_RETURN_IF_ERROR(check("--optimizer", texts.optimizer, {"none", "adamw"}, false, ""));
  ADJ_RETURN_IF_ERROR(
      check("--gradient", texts.gradient, {"exact"}, texts.gradient == "layer-local", "use --gradient=exact"));
  ADJ_RETURN_IF_ERROR(check("--truncate", texts.truncate, {"none"},
                            startsWith(texts.truncate, "window:") || startsWith(texts.truncate, "detach:"),
                            "use --truncate=none"));
  ADJ_RETURN_IF_ERROR(check("--distribute", texts.distribute, {"none"},
                            startsWith(texts.distribute, "tokens:") || startsWith(texts.distribute, "layers:") ||
                                startsWith(texts.distribute, "data:"),
                            "use --distribute=none"));
  if (texts.emit == "ptx" && texts.target == "cpu")
    return invalidInput("--emit=ptx is not for --target=cpu; use --emit=llvm");
  return check("--emit", texts.emit, {"module", "ssm", "adj", "llvm", "ptx", "plan", "report", "html"}, false, "");
}

adjrt::Expected<PlanOptions> makePlanOptions(const Texts &texts) {
  PlanOptions plan;
  ADJ_ASSIGN_OR_RETURN(plan.batch, parseCount("--batch", texts.batch, ""));
  ADJ_ASSIGN_OR_RETURN(plan.context, parseCount("--context", texts.context, " (tokens)"));
  if (texts.shard != "auto") {
    ADJ_ASSIGN_OR_RETURN(plan.shard, parseCount("--shard", texts.shard, " (tokens), or auto"));
  }
  if (texts.miniSequence == "off") {
    plan.miniSequence = PlanOptions::kOff;
  } else if (texts.miniSequence != "auto") {
    ADJ_ASSIGN_OR_RETURN(plan.miniSequence,
                         parseCount("--mini-sequence", texts.miniSequence, " (tokens), auto or off"));
  }
  plan.gpu = texts.target != "cpu";
  plan.machine = texts.target;
  if (plan.gpu) {
    plan.budget = 80'000'000'000;
    plan.budgetText = "80GB";
  }
  if (!texts.budget.empty()) {
    plan.budgetText = texts.budget;
    ADJ_ASSIGN_OR_RETURN(plan.budget, parseSize("--budget", texts.budget));
  }
  plan.policy = texts.policy;
  for (const std::string &text : texts.keep) {
    std::optional<TapeChoice> choice = TapeChoice::parse(text);
    if (!choice)
      return invalidInput("--keep=\"" + text +
                          "\" must be VALUE=store, VALUE=recompute or VALUE=offload, with a value that "
                          "--emit=plan lists under tape");
    if (llvm::any_of(plan.keep, [&](const TapeChoice &other) { return other.name == choice->name; }))
      return invalidInput("--keep names \"" + choice->name + "\" twice; say once what becomes of it");
    plan.keep.push_back(*choice);
  }
  plan.boundaries = texts.boundaries;
  if (texts.boundaries != "auto")
    if (auto policy = adjrt::BoundaryPolicy::parse(texts.boundaries); !policy)
      return tl::unexpected<adjrt::Error>(policy.error().in("--boundaries=" + texts.boundaries));
  plan.dtype = texts.dtype;
  plan.adamw = texts.optimizer == "adamw";
  constexpr int64_t mostTokens = int64_t(1) << 60; // of which byte offsets fit, in any type
  if (plan.context > mostTokens / plan.batch)
    return invalidInput("--context=" + texts.context + " with --batch=" + texts.batch +
                        " is more than 2^60 tokens; use a shorter --context");
  constexpr int64_t mostRows = (int64_t(1) << 31) - 1;
  if (int64_t shard = std::min(plan.shard, plan.context); shard > mostRows / plan.batch || plan.batch > mostRows)
    return invalidInput("--shard=" + texts.shard + " with --batch=" + texts.batch +
                        " is more than 2^31 - 1 tokens; use a shorter --shard");
  return plan;
}

} // namespace

adjrt::Expected<uint64_t> parseSize(const std::string &option, const std::string &text) {
  size_t digits = text.find_first_not_of("0123456789.");
  std::string number = text.substr(0, digits);
  std::string unit = digits == std::string::npos ? "" : text.substr(digits);
  uint64_t scale = bytesPerUnit(unit);
  double value = 0;
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  double bytes = std::floor(value * static_cast<double>(scale));
  if (number.empty() || error != std::errc() || end != number.data() + number.size() || scale == 0 || !(bytes >= 1) ||
      bytes >= 9e18)
    return invalidInput(option + "=" + text + " must be a size such as 80GB, 75GiB or 1.5GB");
  return static_cast<uint64_t>(bytes);
}

adjrt::Expected<DriverOptions> parseOptions(int argc, const char *const *argv, std::string &printed) {
  Texts texts;
  DriverOptions options;
  CLI::App app("adjc compiles a model spec to a module that computes its exact gradients, token shard by token shard.",
               "adjc");
  app.set_version_flag("--version", "adjc " ADJC_VERSION);
  app.add_option("SPEC", options.spec, "The model: .mlir (ssm dialect) or a Hugging Face config.json")->required();
  app.add_option("-o", texts.output, "Where to write; - is standard output for all but --emit=module");
  app.add_option("--target", texts.target, "cpu, sm_80, sm_90, sm_90a or sm_100")->capture_default_str();
  app.add_option("--cpu", options.cpu, "native, x86-64-v2, x86-64-v3 or x86-64-v4")->capture_default_str();
  app.add_option("--dtype", texts.dtype, "f32 or bf16: what is computed in")->capture_default_str();
  app.add_option("--batch", texts.batch, "Sequences per rank")->capture_default_str();
  app.add_option("--shard", texts.shard, "Tokens per shard, or auto")->capture_default_str();
  app.add_option("--context", texts.context, "The longest context planned for, in tokens")->capture_default_str();
  app.add_option("--budget", texts.budget, "Memory for everything: 80GB, 75GiB, 1.5GB (default 8GB, on a GPU 80GB)");
  app.add_option("--policy", texts.policy, "auto, store, recompute or offload")->capture_default_str();
  app.add_option("--keep", texts.keep,
                 "VALUE=store, recompute or offload: what becomes of one value of the tape, whatever the policy says")
      ->allow_extra_args(false);
  app.add_option("--boundaries", texts.boundaries, "auto, device, host or binomial:N")->capture_default_str();
  app.add_option("--mini-sequence", texts.miniSequence, "auto, off or tokens")->capture_default_str();
  app.add_option("--optimizer", texts.optimizer, "none or adamw: its state is resident and planned for")
      ->capture_default_str();
  app.add_option("--gradient", texts.gradient, "exact or layer-local")->capture_default_str();
  app.add_option("--truncate", texts.truncate, "none, window:W or detach:S")->capture_default_str();
  app.add_option("--distribute", texts.distribute, "none, tokens:R, layers:R, data:R or a product")
      ->capture_default_str();
  app.add_option("--emit", texts.emit, "module, ssm, adj, llvm, ptx, plan, report or html")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp &) {
    printed = app.help();
    return options;
  } catch (const CLI::CallForVersion &) {
    printed = "adjc " ADJC_VERSION "\n";
    return options;
  } catch (const CLI::ParseError &error) {
    return invalidInput(std::string(error.what()) + "; adjc --help lists the options");
  }

  ADJ_RETURN_IF_ERROR(checkFeatures(texts));
  if (!isOneOf(options.cpu, {"native", "x86-64-v2", "x86-64-v3", "x86-64-v4"}))
    return invalidInput("--cpu=" + options.cpu + " is not known; give one of: native, x86-64-v2, x86-64-v3, x86-64-v4");
  ADJ_ASSIGN_OR_RETURN(options.plan, makePlanOptions(texts));
  const std::pair<const char *, Emit> emits[] = {{"module", Emit::Module}, {"ssm", Emit::Ssm},  {"adj", Emit::Adj},
                                                 {"llvm", Emit::Llvm},     {"ptx", Emit::Ptx},  {"plan", Emit::Plan},
                                                 {"report", Emit::Report}, {"html", Emit::Html}};
  for (auto [name, emit] : emits)
    if (texts.emit == name)
      options.emit = emit;
  options.target = texts.target;
  if (!texts.output.empty())
    options.output = texts.output;
  if (options.emit == Emit::Module && options.output == "-")
    return invalidInput(
        "a module is not written to standard output; name a file with -o OUT.adjm, or choose another --emit");
  return options;
}

} // namespace adjc
