// OpenAI's list of models. Pure.
#pragma once

#include <span>
#include <string>

#include "common/events/model_event.hpp"

namespace tokenrail::registry_api {

/// {"object":"list","data":[{"id":slug,"object":"model","created":…,"owned_by":provider}]}. When a model was created is
/// a part of its id (a UUID of version 7); seconds since 1970.
class OpenAiModelList {
 public:
  void add(std::span<const events::ModelState* const> models);
  /// The whole list.
  [[nodiscard]] std::string finish() &&;

 private:
  std::string items_{};
};

}  // namespace tokenrail::registry_api
