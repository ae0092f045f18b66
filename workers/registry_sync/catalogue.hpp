// Asks a connection for its models: the list, and details of those whose details are not known yet. The failure of one
// model never fails the list. One thread: the loop's.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/registry/sync_plan.hpp"
#include "workers/registry_sync/diff.hpp"
#include "workers/registry_sync/fetcher.hpp"
#include "workers/registry_sync/settings.hpp"

namespace tokenrail::registry_sync {

struct Catalogue {
  ProviderList list;
  std::string body{};  ///< the provider's answer, as it came
  std::size_t details_asked = 0;
  std::size_t details_failed = 0;
};

struct CatalogueFailure {
  std::string error_class;  ///< unreachable, timeout, not_json, …
  std::string detail;       ///< for people
};

class CatalogueReader {
 public:
  CatalogueReader(boost::asio::io_context& loop, Fetcher& fetcher, const Options& options)
      : loop_(loop), fetcher_(fetcher), options_(options) {}

  using Answer = std::expected<Catalogue, CatalogueFailure>;
  /// `stored` has to live until the answer is there.
  boost::asio::awaitable<Answer> read(registry::Connection connection,
                                      const std::vector<registry::StoredModel>* stored);

 private:
  using Details = providers::ollama::ModelDetails;
  /// Asks for one model's details. Nothing: not answered.
  boost::asio::awaitable<std::optional<Details>> details(providers::Target target);
  /// Asks and remembers; counts a failure in `failed`.
  boost::asio::awaitable<void> learn(std::string key, providers::Target target, std::size_t* failed);
  void remember(const std::string& key, Details details);

  boost::asio::io_context& loop_;
  Fetcher& fetcher_;
  const Options& options_;
  /// By connection and details key: the same build under several names of one connection is asked for once.
  std::map<std::string, Details> known_;
};

}  // namespace tokenrail::registry_sync
