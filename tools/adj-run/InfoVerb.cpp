// adj-run info: what a module is and what it was planned for.
#include "ModuleParameters.h"
#include "Verbs.h"

#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

using namespace adjrt;
using namespace adjrun;
using Json = nlohmann::ordered_json;

namespace {
struct InfoOptions {
  std::string module;
  bool json = false;
};

std::string text(const flatbuffers::String *string) { return string ? string->str() : ""; }

Json describe(const Module &module) {
  const fb::Module &table = module.table();
  const fb::Plan &plan = module.plan();
  Json info;
  info["module"] = module.path();
  info["model"] = module.model().name()->str();
  info["producer"] = text(table.producer());
  info["target"] = table.target()->name()->str();
  info["cpu"] = text(table.target()->cpu());
  info["dtype"] = fb::EnumNameDType(table.dtype());
  info["batch"] = plan.batch();
  info["layers"] = plan.layers();
  info["vocabulary"] = plan.vocabulary();
  info["shard"] = plan.shard();
  info["mini_sequence"] = plan.mini_sequence();
  info["context"] = plan.context();
  info["boundaries"] = text(plan.boundaries());
  info["optimizer"] = text(plan.optimizer());
  info["parameters"] = countParameters(module);
  info["budget_bytes"] = plan.budget();
  info["predicted_peak_bytes"] = plan.predicted_peak_bytes();
  info["parameter_bytes"] = plan.parameter_bytes();
  info["fixed_bytes"] = plan.fixed_bytes();
  info["boundary_bytes"] = plan.boundary_bytes();
  info["process_bytes"] = plan.process_bytes();
  info["file_bytes"] = module.fileBytes();
  info["holdings"] = Json::array();
  if (plan.holdings())
    for (const fb::Holding *holding : *plan.holdings())
      info["holdings"].push_back({{"name", text(holding->name())}, {"bytes", holding->bytes()}});
  info["carries"] = Json::array();
  if (plan.carries())
    for (const fb::Carry *carry : *plan.carries()) {
      Json shape = Json::array();
      if (carry->shape())
        for (std::int64_t extent : *carry->shape())
          shape.push_back(extent);
      info["carries"].push_back({{"name", text(carry->name())}, {"shape", shape}, {"layers", carry->layers()}});
    }
  info["kernels"] = Json::array();
  if (table.kernels())
    for (const fb::Kernel *kernel : *table.kernels()) {
      Json entry = {{"name", kernel->name()->str()}, {"op", text(kernel->op())}};
      if (info["target"] != "cpu") {
        entry["threads"] = kernel->threads();
        entry["shared_bytes"] = kernel->shared_bytes();
      }
      info["kernels"].push_back(std::move(entry));
    }
  info["programs"] = Json::array();
  if (table.programs())
    for (const fb::Program *program : *table.programs()) {
      std::size_t commands = 0, blocks = program->blocks() ? program->blocks()->size() : 0;
      for (std::size_t i = 0; i != blocks; ++i)
        if (const auto *list = program->blocks()->Get(static_cast<flatbuffers::uoffset_t>(i))->commands())
          commands += list->size();
      info["programs"].push_back({{"name", program->name()->str()}, {"blocks", blocks}, {"commands", commands}});
    }
  return info;
}

/// "1.234 GB": three digits are what a person compares.
std::string printBytes(std::uint64_t bytes) {
  static constexpr std::pair<double, const char *> kUnits[] = {{1e9, " GB"}, {1e6, " MB"}, {1e3, " kB"}};
  std::ostringstream out;
  for (auto [unit, name] : kUnits)
    if (static_cast<double>(bytes) >= unit) {
      out << std::fixed << std::setprecision(3) << static_cast<double>(bytes) / unit << name;
      return out.str();
    }
  out << bytes << " B";
  return out.str();
}

void printTable(const Json &info, std::ostream &out) {
  auto line = [&](const std::string &name, const std::string &value) {
    if (!value.empty())
      out << "  " << std::left << std::setw(28) << name << value << "\n";
  };
  auto number = [&](const char *key) { return std::to_string(info[key].get<std::int64_t>()); };
  auto bytes = [&](const char *key) { return printBytes(info[key].get<std::uint64_t>()); };
  out << info["module"].get<std::string>() << "\n";
  line("model",
       info["model"].get<std::string>() + ", " + number("layers") + " layers, vocabulary " + number("vocabulary"));
  line("parameters", number("parameters"));
  std::string cpu = info["cpu"].get<std::string>();
  line("target", info["target"].get<std::string>() + (cpu.empty() ? "" : " (" + cpu + ")") + ", " +
                     info["dtype"].get<std::string>());
  line("compiled by", info["producer"].get<std::string>());
  line("batch", number("batch"));
  line("shard", number("shard") + " tokens");
  line("mini-sequence", number("mini_sequence") + " tokens");
  line("longest context", number("context") + " tokens");
  line("boundaries", info["boundaries"].get<std::string>() + ", " + bytes("boundary_bytes") + " each");
  line("optimizer", info["optimizer"].get<std::string>());
  out << "memory\n";
  for (const Json &holding : info["holdings"])
    line(holding["name"].get<std::string>(), printBytes(holding["bytes"].get<std::uint64_t>()));
  line("predicted peak", bytes("predicted_peak_bytes") + " at the longest context");
  line("budget", bytes("budget_bytes"));
  out << "programs\n";
  for (const Json &program : info["programs"])
    line(program["name"].get<std::string>(), std::to_string(program["commands"].get<std::int64_t>()) + " commands in " +
                                                 std::to_string(program["blocks"].get<std::int64_t>()) + " blocks");
  out << "kernels (" << info["kernels"].size() << ")\n";
  for (const Json &kernel : info["kernels"]) {
    std::string launch;
    if (kernel.contains("threads"))
      launch = ", " + std::to_string(kernel["threads"].get<std::uint32_t>()) + " threads, " +
               printBytes(kernel["shared_bytes"].get<std::uint32_t>()) + " shared";
    line(kernel["name"].get<std::string>(), kernel["op"].get<std::string>() + launch);
  }
}

Status runInfo(const InfoOptions &options, Console &console) {
  ADJ_ASSIGN_OR_RETURN(auto module, Module::load(options.module));
  Json info = describe(*module);
  if (options.json)
    console.out << info.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  else
    printTable(info, console.out);
  return {};
}
} // namespace

void adjrun::addInfoVerb(CLI::App &app, Action &action) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App *verb = addVerb(app, action, "info", "What a module is and what it was planned for", options, runInfo);
  verb->add_flag("--json", options->json, "As JSON");
}
