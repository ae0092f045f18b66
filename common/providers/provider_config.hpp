// `providerConfig.<provider>` of a request: fields of the provider's own API, laid over the body that an adapter
// makes. Included by .cpp files only. Pure.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/events/json_writer.hpp"
#include "common/result.hpp"

namespace tokenrail::providers {

class ProviderConfig {
 public:
  using Fields = std::map<std::string, std::string, std::less<>>;  ///< values as JSON text
  static constexpr std::string_view chat_fields[] = {"model", "messages", "stream", "tools"};
  /// Fields that any provider may have, and that are ignored with a warning: they name further models, which
  /// were not admitted, or buy further answers, which are not read.
  static constexpr std::string_view one_answer_fields[] = {"models", "preset", "n", "best_of"};
  struct Rules {
    /// Fields that are ignored with a warning: the request's own fields define them.
    std::span<const std::string_view> fixed = chat_fields;
    /// Objects of the body that are laid over field by field; see part().
    std::span<const std::string_view> parts{};
  };
  /// Errors: invalid_input, where the value, or one of the parts, is not a JSON object.
  [[nodiscard]] static Result<ProviderConfig> read(const events::ChatRequest& request, std::string_view provider,
                                                   std::vector<std::string>& warnings, const Rules& rules);

  [[nodiscard]] bool has(std::string_view name) const { return fields_.find(name) != fields_.end(); }
  /// The fields of a part; none where the request has none.
  [[nodiscard]] const Fields& part(std::string_view name) const;
  /// Takes a field out, for an adapter that does something else with it.
  [[nodiscard]] std::optional<std::string> take(std::string_view name);
  /// Writes all fields but the parts. An adapter leaves out its own field wherever has() is true.
  void write(events::JsonWriter& json) const;

 private:
  Fields fields_{};
  std::map<std::string, Fields, std::less<>> parts_{};
};

}  // namespace tokenrail::providers
