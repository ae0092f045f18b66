// gzip (RFC 1952). Pure.
#pragma once

#include <string>
#include <string_view>

namespace tokenrail::registry {

/// The same text gives the same bytes. Throws std::bad_alloc where there is no memory for it.
[[nodiscard]] std::string gzip(std::string_view text);

}  // namespace tokenrail::registry
