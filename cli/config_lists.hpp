// The prices of a model and the targets of an alias, as a configuration file has them: checked, and in one notation.
// Pure.
#pragma once

#include <string>

#include "cli/config_tree.hpp"
#include "common/price.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

/// Checks a list of prices and leaves out what has its default. `where`: names the model. Errors (invalid_input) name
/// the price: a field that there is not, one that is missing or cannot be read, a price that is there twice.
Result<void> settle_prices(ConfigValue& prices, const std::string& where);

/// The same for the targets of an alias. Each has its weight then.
Result<void> settle_targets(ConfigValue& targets, const std::string& where);

/// One settled price. Errors are those of settle_prices().
[[nodiscard]] Result<Price> price_of(const ConfigValue& item, const std::string& where);

}  // namespace tokenrail::cli
