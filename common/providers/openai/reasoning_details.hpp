// `reasoning_details`, which OpenRouter sends beside the reasoning's text: signatures and encrypted reasoning, in
// fragments, to be sent back unchanged. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace simdjson::dom {
class element;  // NOLINT(readability-identifier-naming): the library's name
}

namespace tokenrail::providers::openai {

class ReasoningDetails {
 public:
  /// One entry of the list. Entries of text or summary with one index are one detail; encrypted ones come whole.
  /// Returns how many bytes it added; what is not an object adds nothing.
  std::size_t add(const simdjson::dom::element& entry);

  [[nodiscard]] bool empty() const { return details_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The details as a JSON array. Nothing is left here.
  [[nodiscard]] std::string take();

 private:
  struct Detail {
    std::string type{};
    std::optional<std::int64_t> index{};
    std::string text{};
    std::string summary{};
    bool has_text = false;
    bool has_summary = false;
    std::vector<std::pair<std::string, std::string>> others{};  ///< values as JSON text
    std::map<std::string, std::size_t, std::less<>> places{};   ///< of the others: an entry may have many fields
  };
  static constexpr std::size_t other_bytes = 192;  ///< what a field takes beside its text

  std::vector<Detail> details_{};
  std::size_t bytes_ = 0;
};

}  // namespace tokenrail::providers::openai
