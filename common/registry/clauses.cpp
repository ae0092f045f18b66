#include "common/registry/clauses.hpp"

#include <utility>

#include <fmt/core.h>

namespace tokenrail::registry {

std::string_view name_of(ClauseName name) {
  switch (name) {
    case ClauseName::organization:
      return "organization";
    case ClauseName::found:
      return "found";
    case ClauseName::blocked:
      return "blocked";
    case ClauseName::lifecycle:
      return "lifecycle";
    case ClauseName::enabled:
      return "enabled";
    case ClauseName::maintenance:
      return "maintenance";
    case ClauseName::available:
      return "available";
    case ClauseName::allow_list:
      return "allow_list";
    case ClauseName::granted:
      return "granted";
    case ClauseName::kind:
      return "kind";
    case ClauseName::capability:
      return "capability";
    case ClauseName::context:
      return "context";
    case ClauseName::output:
      return "output";
    case ClauseName::selection:
      return "selection";
    case ClauseName::deployment:
      return "deployment";
  }
  return "unknown";
}

Refusal refusal_of(std::vector<Clause> clauses, std::string_view provider) {
  Refusal refusal;
  const auto& first = clauses.front();
  auto message = first.detail;
  if (!first.advice.empty()) message += ' ' + first.advice;
  for (std::size_t at = 1; at < clauses.size(); ++at) message += " Also: " + clauses[at].detail;
  static_cast<events::Failure&>(refusal) = events::Failure::of(first.code, std::move(message));
  refusal.provider = provider;
  refusal.clauses = std::move(clauses);
  return refusal;
}

std::string text_of(const events::ModelName& name) {
  return name.provider.empty() ? name.name : fmt::format("{}/{}", name.provider, name.name);
}

}  // namespace tokenrail::registry
