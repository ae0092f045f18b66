#include "workers/registry_api/web_page.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "workers/registry_api/query.hpp"

namespace tokenrail::registry_api {

namespace {

constexpr std::string_view root = "/ui/";
constexpr std::string_view assets = "assets/";
constexpr std::string_view allow = "GET, HEAD, OPTIONS";
// Styles are inline because the page's component library writes them at run time.
constexpr std::string_view content_security_policy =
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self'";

http::Reply with_page_headers(http::Reply reply) {
  reply.headers.push_back({.name = "Content-Security-Policy", .value = std::string(content_security_policy)});
  reply.headers.push_back({.name = "X-Content-Type-Options", .value = "nosniff"});
  reply.headers.push_back({.name = "Referrer-Policy", .value = "no-referrer"});
  return reply;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Calls `visit` with each element of a comma-separated header.
template <class Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    visit(trimmed(list.substr(0, comma)));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
}

/// Of "gzip;q=0.5": in thousandths. 1000 where there is none, 0 where it cannot be read.
int quality_of(std::string_view parameters) {
  const auto found = parameters.find("q=");
  if (found == std::string_view::npos) return 1000;
  double quality = 0;
  const auto number = trimmed(parameters.substr(found + 2));
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), quality);
  if (error != std::errc{} || !(quality >= 0 && quality <= 1)) return 0;
  return static_cast<int>(quality * 1000);
}

bool accepts_html(const http::ServerRequest& request) {
  return request.header("accept").value_or("").contains("text/html");
}

const WebFile* find_file(const WebFiles& files, const std::string& name, const http::ServerRequest& request) {
  if (const auto found = files.find(name.empty() ? "index.html" : name); found != files.end()) return &found->second;
  if (name.starts_with(assets)) return nullptr;
  const auto last = std::string_view(name).substr(name.rfind('/') + 1);
  if (last.contains('.') && !accepts_html(request)) return nullptr;
  const auto index = files.find("index.html");
  return index == files.end() ? nullptr : &index->second;
}

bool has_tag(std::string_view if_none_match, std::string_view tag) {
  bool found = false;
  for_each_element(if_none_match, [&](std::string_view element) {
    if (element.starts_with("W/")) element.remove_prefix(2);
    found = found || element == tag || element == "*";
  });
  return found;
}

http::Reply file_reply(const WebFile& file, bool immutable, const http::ServerRequest& request) {
  const auto coding =
      coding_for(request.header("accept-encoding").value_or(""), file.brotli.has_value(), file.gzip.has_value());
  const std::string_view suffix = coding == Coding::brotli ? "-br" : coding == Coding::gzip ? "-gz" : "";
  const auto tag = fmt::format("\"{}{}\"", file.tag, suffix);
  http::Reply reply{
      .headers = {{.name = "ETag", .value = tag},
                  {.name = "Vary", .value = "Accept-Encoding"},
                  {.name = "Cache-Control", .value = immutable ? "public, max-age=31536000, immutable" : "no-cache"}}};
  if (has_tag(request.header("if-none-match").value_or(""), tag)) {
    reply.status = 304;
    return reply;
  }
  reply.headers.push_back({.name = "Content-Type", .value = file.content_type});
  switch (coding) {
    case Coding::brotli:
      reply.headers.push_back({.name = "Content-Encoding", .value = "br"});
      reply.body = *file.brotli;
      break;
    case Coding::gzip:
      reply.headers.push_back({.name = "Content-Encoding", .value = "gzip"});
      reply.body = *file.gzip;
      break;
    case Coding::plain:
      reply.body = file.plain;
      break;
  }
  return reply;
}

http::Reply redirect_to_page() {
  return {.status = 302, .headers = {{.name = "Location", .value = std::string(root)}}};
}

Problem no_page() {
  return {.fault = Fault::not_found,
          .detail = "This server has no web page: api.web_dir is not set.",
          .hint = "Build the page with './dev build web' and set TOKENRAIL_API_WEB_DIR to its folder, build/web."};
}

Answer file_answer(const WebFiles& files, const http::ServerRequest& request) {
  if (!request.path.starts_with(root)) return redirect_to_page();
  const auto name = percent_decoded(std::string_view(request.path).substr(root.size()), false);
  if (!name) return refuse(Fault::invalid_path, "The path is not percent-encoded UTF-8.");
  const auto* const file = find_file(files, *name, request);
  if (file == nullptr) return refuse(Fault::not_found, "The web page has no such file.");
  return file_reply(*file, name->starts_with(assets), request);
}

}  // namespace

bool is_web_path(std::string_view path) {
  return path == "/" || path == "/ui" || path.starts_with(root);
}

const Route& web_route() {
  static const Route route{.method = "GET",
                           .pattern = "/ui/{file}",
                           .operation = "page.read",
                           .summary = "Reads a file of the web page.",
                           .access = Access::open};
  return route;
}

Coding coding_for(std::string_view accept_encoding, bool has_brotli, bool has_gzip) {
  std::optional<int> brotli;
  std::optional<int> gzip;
  std::optional<int> others;
  int plain = -1;
  for_each_element(accept_encoding, [&](std::string_view element) {
    const auto semicolon = element.find(';');
    const auto name = trimmed(element.substr(0, semicolon));
    const int quality = semicolon == std::string_view::npos ? 1000 : quality_of(element.substr(semicolon + 1));
    if (name == "br") brotli = quality;
    if (name == "gzip" || name == "x-gzip") gzip = quality;
    if (name == "identity") plain = quality;
    if (name == "*") others = quality;
  });
  const int of_brotli = has_brotli ? brotli.value_or(others.value_or(0)) : 0;
  const int of_gzip = has_gzip ? gzip.value_or(others.value_or(0)) : 0;
  // A client that does not name identity accepts it, and prefers what it does name.
  const int best = std::max({of_brotli, of_gzip, plain});
  if (of_brotli > 0 && of_brotli == best) return Coding::brotli;
  if (of_gzip > 0 && of_gzip == best) return Coding::gzip;
  return Coding::plain;
}

Answer web_answer(const std::optional<WebFiles>& files, const http::ServerRequest& request) {
  if (request.method == "OPTIONS")
    return with_page_headers({.status = 204, .headers = {{.name = "Allow", .value = std::string(allow)}}});
  Answer answer;
  if (!files) {
    answer = request.path == "/" ? refuse(Fault::not_found, "There is no /.") : std::unexpected(no_page());
  } else if (request.method != "GET" && request.method != "HEAD") {
    Problem problem{.fault = Fault::method_not_allowed, .detail = fmt::format("The web page takes {}.", allow)};
    problem.headers.push_back({.name = "Allow", .value = std::string(allow)});
    answer = std::unexpected(std::move(problem));
  } else {
    answer = file_answer(*files, request);
  }
  if (answer) return with_page_headers(std::move(*answer));
  answer.error().headers.push_back({.name = "Referrer-Policy", .value = "no-referrer"});
  return answer;
}

}  // namespace tokenrail::registry_api
