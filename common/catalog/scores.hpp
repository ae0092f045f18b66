// Quality scores of models in a file: {"source", "date", "metric", "scores": [{"provider", "modelName", "score"}]}.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/catalog/catalog.hpp"
#include "common/result.hpp"

namespace tokenrail::catalog {

struct ModelScore {
  std::string provider;
  std::string model_name;
  std::string score;  ///< a decimal number from 0 to 1, with four digits behind the point
};

struct Scores {
  std::string source;  ///< who measured
  std::string date;    ///< when, YYYY-MM-DD
  std::string metric = "quality";
  std::vector<ModelScore> scores{};
  std::vector<Refused> refused{};
};

/// Errors: invalid_input, where source, date or the list is missing.
[[nodiscard]] Result<Scores> read_scores(std::string_view text);

}  // namespace tokenrail::catalog
