// OpenAI's list of models. Pure.
#pragma once

#include <string>
#include <vector>

namespace tokenrail::registry_api {

/// `models`: as the API serves them, JSON texts. {"object":"list","data":[{"id":slug,"object":"model",…}]}
[[nodiscard]] std::string openai_model_list(const std::vector<std::string>& models);

}  // namespace tokenrail::registry_api
