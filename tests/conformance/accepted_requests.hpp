// Which fields a provider is known to take in a request.
#pragma once

#include "tests/conformance/recorded_shapes.hpp"
#include "tests/conformance/speakers.hpp"

namespace tokenrail::conformance {

/// Those of recorded requests that were answered, and those that the API's documentation names. Mistral refuses fields
/// that it does not know, so only its own recordings count there; elsewhere those of each server of the same API.
[[nodiscard]] Paths accepted_requests(const Speaker& speaker);

}  // namespace tokenrail::conformance
