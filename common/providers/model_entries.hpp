// A provider's list of models, and its entries, each parsed by itself, so that a bad one affects no other. Included by
// .cpp files only. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_scan.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/provider.hpp"

namespace tokenrail::providers {

/// The body of a list, to be read on demand. Reading on behind a mistake is undefined, so the whole is checked first.
/// Strings are repaired (events::repair_strings).
class ListDocument {
 public:
  explicit ListDocument(std::string_view body)
      : text_(events::repair_strings(body)),
        valid_(events::scan_json(text_).valid && parser_.iterate(text_).get(document_) == simdjson::SUCCESS) {}
  ListDocument(const ListDocument&) = delete;
  ListDocument& operator=(const ListDocument&) = delete;

  /// False: it is not JSON, and the document must not be read.
  [[nodiscard]] bool valid() const { return valid_; }
  [[nodiscard]] simdjson::ondemand::document& document() { return document_; }
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  const simdjson::padded_string text_;
  simdjson::ondemand::parser parser_{};
  simdjson::ondemand::document document_{};
  const bool valid_;
};

/// Adds the models of `array` to the page; entries that cannot be read, or that repeat a name of `names`, are counted.
/// `Read`: std::string(std::string_view json, ListedModel&), what is wrong with the entry, or nothing. `key`: what the
/// provider calls a model's name. False where the JSON itself is broken.
template <class Read>
[[nodiscard]] bool read_model_entries(simdjson::ondemand::array array, ModelPage& page, std::set<std::string>& names,
                                      Read&& read, std::string_view key = "name") {
  int entry = 0;
  for (auto element : array) {
    ++entry;
    simdjson::ondemand::value value;
    std::string_view json;
    if (std::move(element).get(value) != simdjson::SUCCESS ||
        simdjson::to_json_string(value).get(json) != simdjson::SUCCESS) {
      return false;
    }
    ListedModel model;
    std::string problem = read(json, model);
    if (problem.empty() && !names.insert(model.name).second) {
      problem = fmt::format("has the {} of another, \"{}\"", key, quotable(model.name, 100));
    }
    if (problem.empty()) {
      if (json.size() <= raw_bytes_max) model.raw = json;
      page.models.push_back(std::move(model));
    } else if (++page.skipped == 1) {
      page.first_skipped = fmt::format("entry {} {}", entry, problem);
    }
  }
  return true;
}

}  // namespace tokenrail::providers
