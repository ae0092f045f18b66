// What a model's name implies where no source states it: family, size, quantisation, context size and likely
// capabilities, by a table of rules. It is the weakest source: a person, a provider and a catalogue override it.
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tokenrail::catalog {

struct Inferred {
  std::string family{};
  std::string parameter_size{};  ///< "8B", "8x7B"
  std::string quantization{};    ///< "Q4_K_M"
  std::optional<std::int64_t> context_window{};
  std::map<std::string, bool> capabilities{};  ///< never false: a name does not say what is missing
  std::map<std::string, std::string> rules{};  ///< by field ("contextWindow", "capabilities.vision"): the rule's name

  friend bool operator==(const Inferred&, const Inferred&) = default;
};

[[nodiscard]] Inferred infer(std::string_view model_name);

/// As the registry stores it; "{}": nothing follows from the name.
[[nodiscard]] std::string to_json(const Inferred& inferred);

}  // namespace tokenrail::catalog
