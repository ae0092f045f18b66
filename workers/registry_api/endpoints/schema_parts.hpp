// What several schemas of bodies have in common.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workers/registry_api/schema.hpp"

namespace tokenrail::registry_api::schemas {

/// Of tokens, dimensions and micro-dollars.
constexpr std::int64_t count_max = 1'000'000'000'000;

/// Of a member of an organisation.
[[nodiscard]] Schema role();
[[nodiscard]] Schema model_kind();
/// How a connection's calls carry its key.
[[nodiscard]] Schema auth_type();
/// What names a model in a request.
[[nodiscard]] Schema model_name();
[[nodiscard]] Schema any_text();
[[nodiscard]] Property version();
/// Of a reply. `text_names`: members that are a text or null.
[[nodiscard]] Schema reply_object(std::string name, std::vector<Property> properties,
                                  std::vector<std::string> text_names);

}  // namespace tokenrail::registry_api::schemas
