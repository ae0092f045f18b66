#include <fmt/format.h>
#include <simdjson.h>

#include "tests/simulator/hub.hpp"

namespace tokenrail::simulator {

namespace {

namespace dom = simdjson::dom;

Result<Script::Rule> rule_from(const dom::element& element) {
  dom::object object;
  if (element.get_object().get(object) != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid_input, "simulator: a rule is an object {model?, path?, contains?, behaviour}");
  }
  Script::Rule rule;
  std::string_view text;
  if (object["model"].get_string().get(text) == simdjson::SUCCESS) rule.model = text;
  if (object["path"].get_string().get(text) == simdjson::SUCCESS) rule.path = text;
  if (object["contains"].get_string().get(text) == simdjson::SUCCESS) rule.contains = text;
  dom::element behaviour;
  if (object["behaviour"].get(behaviour) != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid_input, "simulator: a rule needs a behaviour");
  }
  rule.behaviour = simdjson::minify(behaviour);
  Behaviour tried;
  if (const auto set = tried.set_all(rule.behaviour); !set) return std::unexpected(set.error());
  return rule;
}

Result<void> set_behaviour(Script& script, std::string_view path, const dom::element& element) {
  Behaviour behaviour;
  if (auto set = behaviour.set_all(std::string(simdjson::minify(element))); !set) return set;
  script.behaviours.insert_or_assign(std::string(path), std::move(behaviour));
  return {};
}

}  // namespace

Result<Script> Script::from_json(std::string_view json) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(json.data(), json.size()).get_object().get(object) != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid_input, "simulator: a script is a JSON object");
  }
  Script script;
  for (const auto& [key, value] : object) {
    if (key == "models") {
      auto models = models_from_json(std::string(simdjson::minify(value)));
      if (!models) return std::unexpected(models.error());
      script.models = std::move(*models);
    } else if (key == "version") {
      std::string_view version;
      if (value.get_string().get(version) != simdjson::SUCCESS)
        return fail(ErrorKind::invalid_input, "simulator: version is a text");
      script.version = version;
    } else if (key == "behaviour") {
      if (auto set = set_behaviour(script, "/api/chat", value); !set) return std::unexpected(set.error());
    } else if (key == "behaviours") {
      dom::object paths;
      if (value.get_object().get(paths) != simdjson::SUCCESS) {
        return fail(ErrorKind::invalid_input, "simulator: behaviours is an object of paths");
      }
      for (const auto& [path, behaviour] : paths) {
        if (auto set = set_behaviour(script, path, behaviour); !set) return std::unexpected(set.error());
      }
    } else if (key == "rules") {
      dom::array rules;
      if (value.get_array().get(rules) != simdjson::SUCCESS) {
        return fail(ErrorKind::invalid_input, "simulator: rules is an array");
      }
      for (const auto element : rules) {
        auto rule = rule_from(element);
        if (!rule) return std::unexpected(rule.error());
        script.rules.push_back(std::move(*rule));
      }
    } else {
      return fail(ErrorKind::invalid_input, fmt::format("simulator: a script has no key {}", key));
    }
  }
  return script;
}

}  // namespace tokenrail::simulator
