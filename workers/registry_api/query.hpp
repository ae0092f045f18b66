// The query of a request: decoded, and checked against the parameters that the operation declares. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workers/registry_api/problem.hpp"

namespace tokenrail::registry_api {

struct QueryParameter {
  enum class Type { text, integer, boolean, choice };
  std::string_view name;
  Type type = Type::text;
  std::string_view description{};
  std::string_view choices{};  ///< "a|b|c"
  bool repeated = false;       ///< may be given several times; all have to hold
  bool required = false;
};

/// Those of every list: page_size, page_token.
[[nodiscard]] std::span<const QueryParameter> paging_parameters();
/// That of every change that can be tried.
[[nodiscard]] const QueryParameter& dry_run_parameter();

class Query {
 public:
  /// Values in the order of the request. Errors: invalid_query, naming the parameter: an unknown one (with the nearest
  /// known name), one that may not be repeated, a value that does not fit, broken percent-encoding, or too many.
  /// `ignore_unknown`: unknown ones are left out.
  static std::expected<Query, Problem> parse(std::string_view text, std::span<const QueryParameter> known,
                                             bool ignore_unknown = false);

  [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view name) const;

  /// The parameters that decide what a list holds and in which order, the same text for the same list: without those
  /// of paging and without `fields`.
  [[nodiscard]] std::string filter() const;

 private:
  std::vector<std::pair<std::string, std::string>> values_{};
};

/// Percent-decoding (RFC 3986); with `plus_is_space`, as in a query. Nothing: the encoding is broken, or what it
/// encodes is not UTF-8 or holds control characters.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);
/// Everything but unreserved characters is encoded.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace tokenrail::registry_api
