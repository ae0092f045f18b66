// Which models a list or a saved view shows. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"

namespace tokenrail::registry {

struct ModelFilter {
  std::string kind{};
  std::string provider{};
  std::string status{};  ///< active | disabled | blocked | maintenance | retired | missing | unserved
  std::vector<std::string> capabilities{};    ///< all of them are supported
  std::vector<std::string> tags{};            ///< all of them
  std::string scope{};                        ///< platform | organization (a row of its own, an override included)
  std::string search{};                       ///< part of the slug or the display name, whatever the case
  bool hidden = true;                         ///< off: without those that are hidden
  std::optional<bool> free{};                 ///< on: every price is known and 0; off: one is above 0
  std::optional<std::int64_t> context_min{};  ///< tokens; a model of unknown context is not shown
  std::string view{};                         ///< name of a saved view: only what that shows too

  [[nodiscard]] bool empty() const { return *this == ModelFilter(); }
  bool operator==(const ModelFilter&) const = default;
};

/// The JSON object of a view's filter: kind, provider, status, capabilities, tags, scope, q, hidden, free, contextMin;
/// what it lacks filters nothing. Error: invalid_input, naming the member that is unknown or has another type.
[[nodiscard]] Result<ModelFilter> model_filter_from_json(std::string_view text);
/// The same object, without what filters nothing.
[[nodiscard]] std::string model_filter_json(const ModelFilter& filter);

/// A LIKE pattern that every text matches which contains `search`, whatever is put between its words: of its longest
/// word, for an index of trigrams. Empty where no word is long enough for one.
[[nodiscard]] std::string search_pattern(std::string_view search);

}  // namespace tokenrail::registry
