// Writing prices of one source. Private to this module's .cpp files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/price.hpp"
#include "common/registry/governed_sql.hpp"

namespace tokenrail::registry {

/// Whose prices they are. Names are bound.
struct PriceOwner {
  std::string model_id;
  std::string deployment_id{};  ///< empty: of the model, wherever it is served
  std::string_view source;      ///< override | provider
  std::string by_whom;
};
/// Makes these all the prices that the owner has. Those that end are kept with their time.
void write_prices(soci::session& sql, const PriceOwner& owner, const std::vector<Price>& prices);

/// The deployment of a model on a connection; empty: there is none.
std::string deployment_on(soci::session& sql, const std::string& model_id, const std::string& connection_id);

}  // namespace tokenrail::registry
