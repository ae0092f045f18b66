#include "common/providers/anthropic/content_part.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "common/providers/failure_text.hpp"

namespace tokenrail::providers::anthropic {

namespace {

using events::ContentPart;

constexpr std::array<std::string_view, 4> image_types = {"image/jpeg", "image/png", "image/gif", "image/webp"};
constexpr std::string_view pdf = "application/pdf";

/// How the base64 of a file begins whose type the sender did not name.
struct Beginning {
  std::string_view base64;
  std::string_view media_type;
};
constexpr Beginning beginnings[] = {{"/9j/", "image/jpeg"},
                                    {"iVBORw0KGgo", "image/png"},
                                    {"R0lGOD", "image/gif"},
                                    {"UklGR", "image/webp"},
                                    {"JVBERi", pdf}};

/// The type without parameters, in the spelling that Anthropic knows; empty: unknown.
std::string type_of(const ContentPart& part) {
  auto type = part.media_type.substr(0, part.media_type.find(';'));
  std::ranges::transform(type, type.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (type == "image/jpg") type = "image/jpeg";
  if (!type.empty()) return type;
  for (const auto& row : beginnings) {
    if (part.data.starts_with(row.base64)) return std::string(row.media_type);
  }
  return "";
}

std::unexpected<Error> invalid(std::string what) {
  return fail(ErrorKind::invalid_input, std::move(what));
}

void write_url(events::JsonWriter& json, std::string_view url) {
  json.begin_object("source");
  json.field("type", "url");
  json.field("url", url);
  json.end_object();
}

void write_base64(events::JsonWriter& json, std::string_view media_type, std::string_view data) {
  json.begin_object("source");
  json.field("type", "base64");
  json.field("media_type", media_type);
  json.field("data", data);
  json.end_object();
}

Result<std::string> decoded(const std::string& base64) {
  std::string text(base64.size() / 4 * 3, '\0');
  const auto bytes =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(base64.data()), static_cast<int>(base64.size()));
  if (bytes < 0 || base64.size() % 4 != 0) return invalid("the data of a file is not base64");
  const auto padding = base64.ends_with("==") ? 2U : base64.ends_with('=') ? 1U : 0U;
  text.resize(static_cast<std::size_t>(bytes) - padding);
  return text;
}

Result<void> write_image(events::JsonWriter& json, const ContentPart& part) {
  const auto type = type_of(part);
  if (part.url.empty() && std::ranges::find(image_types, type) == image_types.end()) {
    return invalid(
        fmt::format("Anthropic takes images of the types image/jpeg, image/png, image/gif and image/webp, "
                    "not \"{}\"; send one of these and name its mediaType",
                    quotable(type, 100)));
  }
  json.begin_object();
  json.field("type", "image");
  if (part.url.empty()) {
    write_base64(json, type, part.data);
  } else {
    write_url(json, part.url);
  }
  json.end_object();
  return {};
}

Result<void> write_file(events::JsonWriter& json, const ContentPart& part) {
  auto type = type_of(part);
  if (type.empty() && (part.filename.ends_with(".pdf") || !part.url.empty())) type = pdf;
  const bool text = type.starts_with("text/");
  if (type != pdf && !(text && part.url.empty())) {
    return invalid(
        fmt::format("Anthropic takes PDF files (application/pdf) and, inside the request, text files "
                    "(text/plain), not \"{}\"{}; convert the file and name its mediaType",
                    quotable(type, 100), part.url.empty() ? "" : " by URL"));
  }
  std::string content;
  if (text) {
    auto plain = decoded(part.data);
    if (!plain) return std::unexpected(std::move(plain.error()));
    content = std::move(*plain);
  }
  json.begin_object();
  json.field("type", "document");
  if (!part.url.empty()) {
    write_url(json, part.url);
  } else if (text) {
    json.begin_object("source");
    json.field("type", "text");
    json.field("media_type", "text/plain");
    json.field("data", content);
    json.end_object();
  } else {
    write_base64(json, type, part.data);
  }
  if (!part.filename.empty()) json.field("title", part.filename);
  json.end_object();
  return {};
}

}  // namespace

void write_text(events::JsonWriter& json, std::string_view text) {
  json.begin_object();
  json.field("type", "text");
  json.field("text", text);
  json.end_object();
}

Result<void> write_part(events::JsonWriter& json, const ContentPart& part) {
  if (part.type == "text") {
    write_text(json, part.text);
    return {};
  }
  if (part.type == "image" || part.type == "file") {
    if (part.url.empty() && part.data.empty()) return invalid(fmt::format("a part of type {} has no data", part.type));
    return part.type == "image" ? write_image(json, part) : write_file(json, part);
  }
  return invalid(fmt::format("Anthropic has no content part of type \"{}\"; it takes text, image and file",
                             quotable(part.type, 60)));
}

}  // namespace tokenrail::providers::anthropic
