#include "common/catalog/json_tree.hpp"

#include <fmt/core.h>
#include <simdjson.h>

namespace tokenrail::catalog {

namespace {

namespace od = simdjson::ondemand;
using Kind = JsonTree::Kind;
constexpr int depth_max = 64;

std::string trimmed(std::string_view token) {
  const auto end = token.find_last_not_of(" \t\r\n");
  return std::string(token.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

/// Of a value that simdjson does not take, such as NaN.
void read_bad(od::value value, JsonTree& into) {
  into.kind = Kind::bad;
  std::string_view token;
  token = value.raw_json_token();
  into.text = trimmed(token);
}

simdjson::error_code read(od::value value, JsonTree& into, int depth) {
  if (depth > depth_max) return simdjson::DEPTH_ERROR;
  od::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) {
    read_bad(value, into);
    return simdjson::SUCCESS;
  }
  switch (type) {
    case od::json_type::object: {
      into.kind = Kind::object;
      od::object object;
      if (const auto error = value.get_object().get(object)) return error;
      for (auto field : object) {
        std::string_view name;
        if (const auto error = field.unescaped_key().get(name)) return error;
        auto& member = into.members.emplace_back(std::string(name), JsonTree{});
        od::value item;
        if (const auto error = field.value().get(item)) return error;
        if (const auto error = read(item, member.second, depth + 1)) return error;
      }
      return simdjson::SUCCESS;
    }
    case od::json_type::array: {
      into.kind = Kind::list;
      od::array array;
      if (const auto error = value.get_array().get(array)) return error;
      for (auto element : array) {
        od::value item;
        if (const auto error = element.get(item)) return error;
        if (const auto error = read(item, into.items.emplace_back(), depth + 1)) return error;
      }
      return simdjson::SUCCESS;
    }
    case od::json_type::string: {
      std::string_view text;
      if (value.get_string().get(text) != simdjson::SUCCESS) {
        read_bad(value, into);
        return simdjson::SUCCESS;
      }
      into.kind = Kind::text;
      into.text = std::string(text);
      return simdjson::SUCCESS;
    }
    case od::json_type::number:
      into.kind = Kind::number;
      into.text = trimmed(value.raw_json_token());
      return simdjson::SUCCESS;
    case od::json_type::boolean: {
      bool truth = false;
      if (value.get_bool().get(truth) != simdjson::SUCCESS) {
        read_bad(value, into);
        return simdjson::SUCCESS;
      }
      into.kind = Kind::truth;
      into.truth = truth;
      return simdjson::SUCCESS;
    }
    case od::json_type::null:
      if (trimmed(value.raw_json_token()) != "null") read_bad(value, into);
      return simdjson::SUCCESS;
  }
  return simdjson::INCORRECT_TYPE;
}

}  // namespace

const JsonTree* JsonTree::find(std::string_view name) const {
  for (auto member = members.rbegin(); member != members.rend(); ++member)
    if (member->first == name) return &member->second;
  return nullptr;
}

std::string_view JsonTree::text_of(std::string_view name) const {
  const auto* member = find(name);
  return member != nullptr && member->is(Kind::text) ? std::string_view(member->text) : std::string_view();
}

std::optional<bool> JsonTree::truth_of(std::string_view name) const {
  const auto* member = find(name);
  return member != nullptr && member->is(Kind::truth) ? std::optional(member->truth) : std::nullopt;
}

Result<JsonTree> read_json_tree(std::string_view text) {
  if (text.size() > file_bytes_max)
    return fail(ErrorKind::invalid_input,
                fmt::format("The file has {} bytes, more than {}.", text.size(), file_bytes_max));
  const simdjson::padded_string padded(text);
  od::parser parser;
  od::document document;
  JsonTree tree;
  auto error = parser.iterate(padded).get(document);
  od::value root;
  if (!error) error = document.get_value().get(root);
  if (!error) error = read(root, tree, 0);
  if (error)
    return fail(ErrorKind::invalid_input, fmt::format("The file is not JSON: {}.", simdjson::error_message(error)));
  return tree;
}

}  // namespace tokenrail::catalog
