#include "common/events/json_document.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "common/events/json_scan.hpp"

namespace tokenrail::events {
namespace {

// A parser's tables are some ten times its capacity: what one large record made them must not stay for good.
constexpr std::size_t kept_bytes_max = 256 * 1024;

struct ThreadParser {
  simdjson::dom::parser parser;
  bool busy = false;
};
ThreadParser& thread_parser() {
  thread_local ThreadParser instance;
  return instance;
}

}  // namespace

JsonDocument::JsonDocument(std::string_view text, std::size_t depth_max) {
  auto& shared = thread_parser();
  if (shared.busy || text.size() > kept_bytes_max) {
    own_ = std::make_unique<simdjson::dom::parser>();
    parser_ = own_.get();
  } else {
    shared.busy = true;
    parser_ = &shared.parser;
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }

  // simdjson counts the document itself as a level.
  if (parser_->max_depth() != depth_max + 1) {
    error_ = parser_->allocate(std::max(text.size(), parser_->capacity()), depth_max + 1);
    if (error_ != simdjson::SUCCESS) {
      return;
    }
  }
  error_ = parser_->parse(text.data(), text.size()).get(root_);
  if (error_ == simdjson::STRING_ERROR) {
    const auto scan = scan_json(text);
    if (scan.valid && scan.lone_surrogates) {
      error_ = parser_->parse(repair_surrogates(text)).get(root_);
    }
  }
}

JsonDocument::~JsonDocument() {
  if (!own_) {
    thread_parser().busy = false;
  }
}

std::string_view kind_of(simdjson::dom::element element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE:
      return "a number";
    case element_type::STRING:
      return "a string";
    case element_type::BOOL:
      return "a boolean";
    case element_type::NULL_VALUE:
      return "null";
  }
  return "of another type";
}

std::optional<std::int64_t> integer_of(simdjson::dom::element element) {
  if (element.is_int64()) {
    return element.get_int64().value_unsafe();
  }
  if (!element.is_double()) {
    return std::nullopt;
  }
  // Beyond 2^53 a double no longer says which whole number was meant.
  constexpr double exact_max = 9007199254740992.0;
  const double value = element.get_double().value_unsafe();
  if (std::trunc(value) != value || std::abs(value) > exact_max) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(value);
}

std::optional<double> number_of(simdjson::dom::element element) {
  double value = 0;
  if (!element.is_number() || element.get_double().get(value) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::string_view> string_of(simdjson::dom::element element) {
  std::string_view text;
  if (element.get_string().get(text) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return text;
}

ObjectReader::ObjectReader(simdjson::dom::element element) {
  valid_ = element.get_object().get(object_) == simdjson::SUCCESS;
}

std::optional<simdjson::dom::element> ObjectReader::find(std::string_view name) const {
  if (!valid_) {
    return std::nullopt;
  }
  simdjson::dom::element element;
  if (object_.at_key(name).get(element) != simdjson::SUCCESS || element.is_null()) {
    return std::nullopt;
  }
  return element;
}

std::optional<std::string> ObjectReader::text_if(std::string_view name) const {
  const auto element = find(name);
  if (!element) {
    return std::nullopt;
  }
  const auto text = string_of(*element);
  return text ? std::optional<std::string>(std::string(*text)) : std::nullopt;
}

std::string ObjectReader::text(std::string_view name) const {
  return text_if(name).value_or(std::string());
}

std::optional<std::int64_t> ObjectReader::integer_if(std::string_view name) const {
  const auto element = find(name);
  return element ? integer_of(*element) : std::nullopt;
}

std::int64_t ObjectReader::integer(std::string_view name, std::int64_t otherwise) const {
  return integer_if(name).value_or(otherwise);
}

bool ObjectReader::flag(std::string_view name, bool otherwise) const {
  const auto element = find(name);
  bool value = otherwise;
  if (!element || element->get_bool().get(value) != simdjson::SUCCESS) {
    return otherwise;
  }
  return value;
}

Result<ObjectReader> read_object(const JsonDocument& document, std::string_view what) {
  if (document.error() != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid_input,
                fmt::format("{} is not JSON: {}", what, simdjson::error_message(document.error())));
  }
  ObjectReader reader(document.root());
  if (!reader.is_object()) {
    return fail(ErrorKind::invalid_input, fmt::format("{} is not a JSON object", what));
  }
  return reader;
}

}  // namespace tokenrail::events
