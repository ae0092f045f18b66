// What people have set of models in a history, and that every event has it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/events/model_event.hpp"
#include "tests/integration/registry_sync/price_oracle.hpp"

namespace tokenrail::registry_sync {

/// Of one model. Nothing: the person has left it to others.
struct Edits {
  std::optional<std::int64_t> context_window{};
  std::optional<std::int64_t> output_tokens_max{};
  std::optional<std::string> tag{};
  std::optional<std::string> display_name{};
  std::optional<events::Support> tools{};
  std::optional<bool> enabled{};
  std::map<std::string, Costs> prices{};  ///< by connection; empty: of the model
};

class EditLog {
 public:
  void clear() { edits_.clear(); }
  [[nodiscard]] Edits newest(const std::string& model) const;
  /// `version`: of the model after the edit.
  void add(const std::string& model, std::int64_t version, Edits edits);
  [[nodiscard]] bool made(const std::string& model, std::int64_t version) const;
  /// Expects what people had set when the event was written.
  void check(const events::ModelUpserted& event) const;

 private:
  std::map<std::string, std::map<std::int64_t, Edits>> edits_{};
};

}  // namespace tokenrail::registry_sync
