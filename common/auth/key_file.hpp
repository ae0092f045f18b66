// The file with the key of dev mode: made once, read by several processes. For this module only.
#pragma once

#include <string>
#include <string_view>

#include "common/result.hpp"
#include "common/secret.hpp"

namespace tokenrail::auth {

/// Errors: not_found where there is no such file; invalid_input where it is no file of this user's alone, or is larger
/// than a key; unavailable where the system refuses.
[[nodiscard]] Result<Secret> read_key_file(const std::string& file);

/// Makes `file` with this content at once (it is never seen half written), readable by its owner only, and its folders.
/// A file that is there already is left alone, which is no error.
[[nodiscard]] Result<void> make_key_file(const std::string& file, std::string_view content);

}  // namespace tokenrail::auth
