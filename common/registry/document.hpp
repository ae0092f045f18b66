// What the governed part of the registry hands out: rows as JSON objects, as they are served. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tokenrail::registry {

/// As the version that a change expects: there is no such row yet. The versions of rows are above it.
inline constexpr std::int64_t no_row = 0;

struct Document {
  std::string id;
  std::int64_t version = 0;  ///< what an ETag says; grows with each change
  std::string json;          ///< one object; camelCase names; never a secret
};

struct DocumentPage {
  std::vector<Document> items{};
  std::int64_t total = 0;  ///< of all pages
  /// Where the next page begins; empty: this is the last one.
  std::string next{};
};

/// Which part of a list. `after`: the `next` of the page before; empty: the first page.
struct PageRequest {
  std::int64_t count_max = 50;
  std::string after{};
  bool counted = true;  ///< off: `total` is of no interest, and 0
};

}  // namespace tokenrail::registry
