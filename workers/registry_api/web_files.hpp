// The files of the web page, in memory. A folder is read once, at the start; after that a path is only ever compared
// with the names that were found there, so that no path leads out of it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace tokenrail::registry_api {

struct WebFile {
  std::string content_type{};
  std::string tag{};  ///< of the plain content: 32 hexadecimal digits
  std::string plain{};
  std::optional<std::string> brotli{};  ///< of the file beside it that is called NAME.br
  std::optional<std::string> gzip{};    ///< likewise NAME.gz
};

/// By path relative to the folder: "index.html", "assets/app.js".
using WebFiles = std::map<std::string, WebFile, std::less<>>;

struct WebFileLimits {
  std::size_t files_max = 4'096;
  std::size_t file_bytes_max = 16UL * 1024 * 1024;
  std::size_t bytes_max = 64UL * 1024 * 1024;  ///< of all files together
};

/// Reads regular files; names that begin with a dot and symbolic links are left out. Errors (invalid_input) name the
/// folder and what to do: it is not there, has no index.html, or exceeds a limit.
[[nodiscard]] Result<WebFiles> read_web_files(const std::string& folder, const WebFileLimits& limits = {});

/// By the extension of the name; application/octet-stream where it is not known. Pure.
[[nodiscard]] std::string_view content_type_of(std::string_view name);

}  // namespace tokenrail::registry_api
