// The registry as a router holds it: what the compacted `model_registry` topic says, kept in memory. Pure: records in,
// models out; no clock, no I/O. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/events/model_event.hpp"

namespace tokenrail::registry {

class Projection {
 public:
  enum class Applied {
    changed,
    unchanged,  ///< an older version than the one held, or the same
    removed,    ///< a tombstone
    mark,       ///< `_registry`
    ignored,    ///< a key of a kind that this version does not know
    malformed,  ///< the value could not be read; what was held stays
  };
  Applied apply(std::string_view key, std::optional<std::string_view> value);

  /// The mark has been seen: what is held is a whole registry.
  [[nodiscard]] bool complete() const { return mark_.has_value(); }
  [[nodiscard]] std::size_t size() const { return models_.size(); }

  /// By exact scope; empty org and user mean the platform's. Valid until the next apply().
  [[nodiscard]] const events::ModelState* find(std::string_view org_id, std::string_view user_id,
                                               std::string_view provider, std::string_view model_name) const;
  [[nodiscard]] const std::map<std::string, events::ModelState, std::less<>>& models() const { return models_; }

 private:
  std::map<std::string, events::ModelState, std::less<>> models_;  ///< by record key
  std::optional<events::RegistryMark> mark_;
};

}  // namespace tokenrail::registry
