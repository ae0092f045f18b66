// The names of the topics, in one place. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tokenrail::topics {

/// Whole names. By default those without a prefix.
struct Names {
  std::string requests = "chat.requests";
  std::string chunks = "chat.chunks";
  std::string audit = "llm.audit";
  std::string dlq = "chat.requests.dlq";
  std::string cancellations = "chat.cancellations";
  std::string registry = "model_registry";
  std::string registry_events = "model_registry.events";
  std::string credentials = "model_registry.credentials";

  /// `prefix`: the setting topic.prefix.
  [[nodiscard]] static Names with_prefix(std::string_view prefix);
  [[nodiscard]] std::vector<std::string> all() const;
};

}  // namespace tokenrail::topics
