// A row as the registry stores it: facts and prices in the words of records. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/catalog/catalog.hpp"
#include "common/result.hpp"

namespace tokenrail::catalog {

/// Without provider and model name, which are columns of their own.
[[nodiscard]] std::string to_json(const Row& row);
/// As the member `prices` of a row has them.
[[nodiscard]] std::string to_json(const std::vector<Price>& prices);
/// Members that it does not know are passed over. Errors: invalid_input.
[[nodiscard]] Result<Row> parse_row(std::string_view provider, std::string_view model_name, std::string_view json);

/// `text` in quotes.
void append_quoted(std::string& out, std::string_view text);

}  // namespace tokenrail::catalog
