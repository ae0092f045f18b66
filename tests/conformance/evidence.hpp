// What this run shows of each provider: which exchanges were read, and which of the provider's features were in them.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tokenrail::conformance {

enum class Feature {
  stream,
  whole,
  tools,
  parallel_tools,
  vision,
  files,
  json_schema,
  reasoning,
  usage,
  cached_tokens,
  embeddings,
  list,
  test,
};
inline constexpr std::array<std::string_view, 13> feature_names = {
    "stream",    "non-stream", "tools",         "parallel tools", "vision", "files", "JSON schema",
    "reasoning", "usage",      "cached tokens", "embeddings",     "list",   "test"};

struct Evidence {
  std::map<Feature, std::vector<std::string>> recorded{};  ///< the exchanges that show it
  std::set<Feature> written{};                             ///< shown only by an exchange that a test writes
  std::size_t exchanges = 0;                               ///< recorded ones that were read
};

/// The providers that the recordings know, in the order of a page.
[[nodiscard]] std::vector<std::string> providers_with_evidence();
/// Reads every recorded exchange of the provider, and those that tests write for it.
[[nodiscard]] Evidence evidence_of(const std::string& provider);

}  // namespace tokenrail::conformance
