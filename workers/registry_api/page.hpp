// Pages of lists: how many, where the next one begins, and the token between them. Pure.
//
// A token holds the position behind a page and a MAC over it and the list that it belongs to. It gives no right:
// its sender is authorised as for the first page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workers/registry_api/problem.hpp"
#include "workers/registry_api/query.hpp"

namespace tokenrail::registry_api {

inline constexpr std::int64_t page_size_default = 50;
inline constexpr std::int64_t page_size_max = 1000;

struct ListPage {
  std::int64_t size = page_size_default;
  std::string after{};  ///< position behind the last page; empty: from the start
  std::string list{};   ///< what the token of the next page is bound to
};

class PageTokens {
 public:
  /// `key`: secret; the same in all processes that serve one list.
  explicit PageTokens(std::string key) : key_(std::move(key)) {}

  [[nodiscard]] std::string issue(std::string_view list, std::string_view position) const;
  /// Nothing: the token is of another list or key, or was changed.
  [[nodiscard]] std::optional<std::string> position_of(std::string_view token, std::string_view list) const;

  /// `list`: operation and path. The filter of the query is added. Problems: invalid_query for a size below 1,
  /// invalid_page_token. A size above the maximum is the maximum.
  [[nodiscard]] std::expected<ListPage, Problem> request(const Query& query, std::string_view list) const;

 private:
  [[nodiscard]] std::string mac(std::string_view list, std::string_view position) const;
  std::string key_;
};

/// The body of a list: {"data":[...],"next_page_token":"...","total_size":N}. `items` are JSON texts.
[[nodiscard]] std::string page_body(const std::vector<std::string>& items, std::string_view next_page_token,
                                    std::optional<std::int64_t> total_size);

}  // namespace tokenrail::registry_api
