// Writing prices of one source. Private to this module's .cpp files.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/price.hpp"
#include "common/registry/governed_sql.hpp"

namespace tokenrail::registry {

/// All the prices that one source has of a model, or of one of its deployments.
struct OwnPrices {
  std::string model_id;
  std::string deployment_id{};  ///< empty: of the model, wherever it is served
  std::vector<Price> prices;
};
/// Makes these all the prices that `source` (override | provider) has there. Those that end are kept with their time.
void write_prices(soci::session& sql, std::string_view source, const std::string& by_whom,
                  std::span<const OwnPrices> all);

/// The deployment of a model on a connection; empty: there is none.
std::string deployment_on(soci::session& sql, const std::string& model_id, const std::string& connection_id);

}  // namespace tokenrail::registry
