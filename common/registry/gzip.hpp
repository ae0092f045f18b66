// gzip (RFC 1952). Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tokenrail::registry {

/// The same text gives the same bytes. Throws std::bad_alloc where there is no memory for it.
[[nodiscard]] std::string gzip(std::string_view text);
/// Nothing: it is not gzip, it is cut off, or its text has more than `bytes_max` bytes. Throws as gzip() does.
[[nodiscard]] std::optional<std::string> gunzip(std::string_view bytes, std::size_t bytes_max);

}  // namespace tokenrail::registry
