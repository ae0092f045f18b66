// The secret of a target, as a request carries it. Internal to the adapter.
#pragma once

#include "common/providers/provider.hpp"

namespace tokenrail::providers::ollama {

/// Ollama itself asks for none; what stands before it may.
inline void authorise(http::Request& request, const Target& target) {
  if (target.secret.empty()) return;
  request.headers.push_back({.name = "Authorization", .value = "Bearer " + target.secret, .secret = true});
}

}  // namespace tokenrail::providers::ollama
