// One attempt at a time a key, in the order of the log; keys side by side. Pure; one a partition.
//
// A request without a key is unordered and never waits. A request that ends uncalled while it waits leaves the line
// from where it stands.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/events/offsets.hpp"

namespace tokenrail::router {

class KeyOrder {
 public:
  /// Puts an offset into its key's line, which is in the order of the log. True: it is the first, and may run. One that
  /// stands there already stays.
  bool enter(const std::optional<std::string>& key, events::RequestOffset offset) {
    if (!key) return true;
    auto& line = lines_[*key];
    const auto at = line.empty() || line.back() < offset ? line.end() : std::ranges::lower_bound(line, offset);
    if (at == line.end() || *at != offset) line.insert(at, offset);
    return line.front() == offset;
  }

  /// Takes an offset out. Returns the one that is first now, if it was not so before: it may run.
  std::optional<events::RequestOffset> leave(const std::optional<std::string>& key, events::RequestOffset offset) {
    if (!key) return std::nullopt;
    const auto it = lines_.find(*key);
    if (it == lines_.end()) return std::nullopt;
    auto& line = it->second;
    const bool was_first = line.front() == offset;
    if (was_first) {
      line.pop_front();
    } else if (const auto at = std::ranges::lower_bound(line, offset); at != line.end() && *at == offset) {
      line.erase(at);
    }
    if (line.empty()) {
      lines_.erase(it);
      return std::nullopt;
    }
    return was_first ? std::optional(line.front()) : std::nullopt;
  }

  [[nodiscard]] bool is_first(const std::optional<std::string>& key, events::RequestOffset offset) const {
    if (!key) return true;
    const auto it = lines_.find(*key);
    return it != lines_.end() && it->second.front() == offset;
  }
  [[nodiscard]] std::size_t keys() const { return lines_.size(); }

 private:
  std::unordered_map<std::string, std::deque<events::RequestOffset>> lines_;
};

}  // namespace tokenrail::router
