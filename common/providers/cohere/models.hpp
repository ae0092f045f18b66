// Cohere's list of models, of version 1. Private to this folder.
#pragma once

#include <string_view>

#include "common/providers/provider.hpp"

namespace tokenrail::providers::cohere {

[[nodiscard]] const ModelLister& lister();

}  // namespace tokenrail::providers::cohere
