// The `usage` of an answer, in the forms that providers give it. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "common/events/chunk.hpp"

namespace tokenrail::events {
class ObjectReader;
}

namespace tokenrail::providers::openai {

/// Replaces `usage` where the object has counts; a field that is missing or no count is without.
void read_usage(const events::ObjectReader& object, std::optional<events::Usage>& usage);

}  // namespace tokenrail::providers::openai
