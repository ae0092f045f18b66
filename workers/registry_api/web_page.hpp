// What is answered below /ui/: a file, the page's own index.html where the path is one of the page's views, or a
// problem. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "common/http/server.hpp"
#include "workers/registry_api/routes.hpp"
#include "workers/registry_api/web_files.hpp"

namespace tokenrail::registry_api {

/// "/", "/ui" and everything below "/ui/".
[[nodiscard]] bool is_web_path(std::string_view path);

/// How requests for the page are counted and logged.
[[nodiscard]] const Route& web_route();

/// `files`: nothing where no folder is configured.
///
/// - "/" and "/ui" lead to "/ui/".
/// - A path that is no file is one of the page's views, unless it is below /ui/assets/, or the client wants no HTML
///   and the name has an extension: then it is not found.
/// - Files below /ui/assets/ have their content in their name and may be kept for a year; others are asked for again.
[[nodiscard]] Answer web_answer(const std::optional<WebFiles>& files, const http::ServerRequest& request);

enum class Coding { plain, gzip, brotli };
/// The content coding that a client with this Accept-Encoding gets (RFC 9110, section 12.5.3): of those that it likes
/// most the smallest. Plain where it accepts none of those that there are.
[[nodiscard]] Coding coding_for(std::string_view accept_encoding, bool has_brotli, bool has_gzip);

}  // namespace tokenrail::registry_api
