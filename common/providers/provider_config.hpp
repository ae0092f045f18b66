// `providerConfig.<provider>` of a request: fields of the provider's own API, laid over the body that an adapter
// makes. Included by .cpp files only. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/events/json_writer.hpp"
#include "common/result.hpp"

namespace tokenrail::providers {

class ProviderConfig {
 public:
  /// The fields `model`, `messages`, `stream` and `tools` are ignored with a warning: the request's own fields define
  /// them. Errors: invalid_input, where the value is not a JSON object.
  [[nodiscard]] static Result<ProviderConfig> read(const events::ChatRequest& request, std::string_view provider,
                                                   std::vector<std::string>& warnings);

  [[nodiscard]] bool has(std::string_view name) const { return fields_.find(name) != fields_.end(); }
  /// Writes all fields. An adapter leaves out its own field wherever has() is true.
  void write(events::JsonWriter& json) const;

 private:
  std::map<std::string, std::string, std::less<>> fields_{};  ///< values as JSON text
};

}  // namespace tokenrail::providers
