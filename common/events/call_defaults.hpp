// Default parameters of a deployment, used where a request has none of its own. A JSON object, in the registry's
// database and in its events alike: temperature, topP, topK, maxTokens and stop with the bounds of a request's fields;
// numCtx and keepAlive for Ollama; providerConfig, fields of the provider's own API. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/json_writer.hpp"

namespace tokenrail::events {

struct CallDefaults {
  std::optional<double> temperature{};
  std::optional<double> top_p{};
  std::optional<std::int64_t> top_k{};
  std::optional<std::int64_t> tokens_max{};
  std::vector<std::string> stop{};
  std::optional<std::int64_t> num_ctx{};  ///< tokens of context that Ollama allocates
  std::string keep_alive{};       ///< how long Ollama keeps the model loaded; JSON text: seconds, or a duration "10m"
  std::string provider_config{};  ///< a JSON object as text

  bool operator==(const CallDefaults&) const = default;
  [[nodiscard]] bool empty() const { return *this == CallDefaults{}; }
};

/// A value that was left out of the defaults.
struct InvalidDefault {
  std::string key;  ///< "temperature", "providerConfig.model"; empty: the whole
  std::string reason;
  bool operator==(const InvalidDefault&) const = default;
};

inline constexpr std::size_t call_defaults_bytes_max = 16 * 1024;

/// An invalid value costs this value only; null is the same as leaving it out.
[[nodiscard]] CallDefaults read_call_defaults(std::string_view json, std::vector<InvalidDefault>& invalid);
/// "temperature must be a number from 0 to 2"
[[nodiscard]] std::string to_text(const InvalidDefault& invalid);

[[nodiscard]] std::string to_json(const CallDefaults& defaults);

}  // namespace tokenrail::events
