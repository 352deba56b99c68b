// adj-run check: certifies a module's gradients.
#include "FiniteDifferences.h"
#include "GradientCheck.h"
#include "Verbs.h"
#include "adjrt/io/Shape.h"

#include <algorithm>
#include <cmath>
#include <iomanip>

using namespace adjrt;
using namespace adjrun;

static void printTable(const CheckResult &result, std::ostream &out) {
  std::size_t width = 9;
  for (const ParameterCheck &parameter : result.parameters)
    width = std::max(width, parameter.name.size());
  auto row = [&](const std::string &name, const std::string &shape) -> std::ostream & {
    return out << std::left << std::setw(static_cast<int>(width) + 2) << name << std::setw(18) << shape << std::right;
  };
  row("parameter", "shape") << std::setw(12) << "|gradient|" << std::setw(12) << "rel. error" << std::setw(12)
                            << "fin. diff."
                            << "\n";
  out << std::scientific << std::setprecision(2);
  for (const ParameterCheck &parameter : result.parameters)
    row(parameter.name, printShape(parameter.shape))
        << std::setw(12) << parameter.norm << std::setw(12) << parameter.error << std::setw(12) << parameter.slopeError
        << (parameter.ok ? "  ok" : "  MISSED") << "\n";
  row("loss", "()") << std::setw(12) << result.referenceLoss << std::setw(12)
                    << std::abs(result.loss - result.referenceLoss) / std::abs(result.referenceLoss) << std::setw(12)
                    << "" << (result.lossOk ? "  ok" : "  MISSED") << "\n";
}

static Status runCheck(const CheckOptions &options, Console &console) {
  ADJ_ASSIGN_OR_RETURN(auto module, Module::load(options.module));
  ADJ_ASSIGN_OR_RETURN(CheckResult result, checkGradients(std::move(module), options));
  printTable(result, console.out);
  std::size_t missed = result.lossOk ? 0 : 1;
  double worst = 0, worstSlope = 0;
  for (const ParameterCheck &parameter : result.parameters) {
    missed += !parameter.ok;
    worst = std::max(worst, parameter.norm > 0 ? parameter.error : 0);
    worstSlope = std::max(worstSlope, parameter.slopeError);
  }
  std::ostream &out = console.out;
  out << (missed ? "NOT CERTIFIED" : "certified") << ": " << result.parameters.size() << " gradients on "
      << result.device << " at T = " << result.tokens << " within " << worst << " of the float64 reference (bound "
      << result.bound << "), the reference at T = " << result.slopeTokens << " within " << worstSlope
      << " of finite differences (bound "
      << kSlopeBound
      // A small gradient's slope is lost in the rounding of the losses.
      << (!missed && worstSlope > kSlopeBound ? ", or what rounding leaves of a difference of losses" : "") << ")\n";
  if (missed)
    return failed(options.module + ": " + std::to_string(missed) + " of " +
                  std::to_string(result.parameters.size() + 1) + " bounds were missed; see the table");
  return {};
}

void adjrun::addCheckVerb(CLI::App &app, Action &action) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App *verb =
      addVerb(app, action, "check", "Certify a module's gradients on random parameters and tokens", options, runCheck);
  verb->add_option("--tokens", options->tokens, "T; by default some shards, as many tokens as the reference can afford")
      ->check(atLeastOne());
  verb->add_flag("--resets", options->resets, "Let documents begin at random tokens");
  verb->add_option("--seed", options->seed, "Of parameters and tokens")->capture_default_str();
  verb->add_option("--device", options->device, "cpu, cuda:N or reference; the module's target by default");
  verb->add_option("--threads", options->threads, "Worker threads; one per core by default");
}
