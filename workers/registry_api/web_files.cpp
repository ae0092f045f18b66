#include "workers/registry_api/web_files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fmt/format.h>

#include "common/crypto/bytes.hpp"

namespace tokenrail::registry_api {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t tag_digits = 32;
constexpr std::string_view how_to_build = "build the web page with './dev build web', or unset api.web_dir";

constexpr std::array<std::pair<std::string_view, std::string_view>, 20> types{{
    {"avif", "image/avif"},
    {"css", "text/css; charset=utf-8"},
    {"gif", "image/gif"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/x-icon"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"map", "application/json"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"png", "image/png"},
    {"svg", "image/svg+xml"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
}};

std::unexpected<Error> wrong(const std::string& folder, std::string_view what) {
  return fail(ErrorKind::invalid_input, fmt::format("api.web_dir '{}' {}; {}", folder, what, how_to_build));
}

/// Nothing: it cannot be read, or it has grown since its size was asked for.
std::optional<std::string> content_of(const fs::path& file, std::uintmax_t size) {
  std::ifstream in(file, std::ios::binary);
  std::string content(static_cast<std::size_t>(size), '\0');
  if (!in.read(content.data(), static_cast<std::streamsize>(size))) return std::nullopt;
  return content;
}

/// Takes NAME.br and NAME.gz into the file NAME, where there is one.
void join_compressed(WebFiles& files) {
  constexpr std::array<std::pair<std::string_view, std::optional<std::string> WebFile::*>, 2> forms{
      {{".br", &WebFile::brotli}, {".gz", &WebFile::gzip}}};
  for (const auto& [suffix, member] : forms) {
    for (auto it = files.begin(); it != files.end();) {
      const auto base = it->first.ends_with(suffix)
                            ? files.find(std::string_view(it->first).substr(0, it->first.size() - suffix.size()))
                            : files.end();
      if (base == files.end()) {
        ++it;
        continue;
      }
      base->second.*member = std::move(it->second.plain);
      it = files.erase(it);
    }
  }
}

}  // namespace

std::string_view content_type_of(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot != std::string_view::npos)
    for (const auto& [extension, type] : types)
      if (name.substr(dot + 1) == extension) return type;
  return "application/octet-stream";
}

Result<WebFiles> read_web_files(const std::string& folder, const WebFileLimits& limits) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return wrong(folder, "is not a folder");
  WebFiles files;
  std::size_t bytes = 0;
  fs::recursive_directory_iterator it(folder, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    const auto status = it->symlink_status(error);
    if (error) break;
    if (it->path().filename().string().starts_with('.')) {
      if (fs::is_directory(status)) it.disable_recursion_pending();
      continue;
    }
    if (!fs::is_regular_file(status)) continue;
    const auto size = it->file_size(error);
    if (error) break;
    bytes += size;
    if (size > limits.file_bytes_max || bytes > limits.bytes_max || files.size() == limits.files_max) {
      return wrong(folder, fmt::format("is too large at {}: {} files, {} bytes each and {} bytes together are allowed",
                                       it->path().filename().string(), limits.files_max, limits.file_bytes_max,
                                       limits.bytes_max));
    }
    auto content = content_of(it->path(), size);
    if (!content) return wrong(folder, fmt::format("has {}, which cannot be read", it->path().filename().string()));
    auto name = it->path().lexically_relative(folder).generic_string();
    WebFile file{.content_type = std::string(content_type_of(name)),
                 .tag = crypto::sha256_hex(*content).substr(0, tag_digits),
                 .plain = std::move(*content)};
    files.emplace(std::move(name), std::move(file));
  }
  if (error) return wrong(folder, "cannot be read: " + error.message());
  join_compressed(files);
  if (!files.contains("index.html")) return wrong(folder, "has no index.html");
  return files;
}

}  // namespace tokenrail::registry_api
