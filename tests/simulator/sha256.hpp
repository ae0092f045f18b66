#pragma once

#include <string>
#include <string_view>

namespace tokenrail::simulator {

/// Lower-case hexadecimal.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

}  // namespace tokenrail::simulator
