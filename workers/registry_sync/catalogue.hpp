// Asks a connection for its models: the list, and details of those whose details are not known yet. The failure of one
// model never fails the list. One thread: the loop's.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/http/fetcher.hpp"
#include "common/registry/sync_plan.hpp"
#include "common/registry/work_pool.hpp"
#include "workers/registry_sync/diff.hpp"
#include "workers/registry_sync/questions.hpp"
#include "workers/registry_sync/settings.hpp"

namespace tokenrail::registry_sync {

struct Catalogue {
  ProviderList list;
  std::string body{};  ///< the provider's answer, as it came
  std::string note{};  ///< which entries were left out, if any; for people
  std::size_t details_asked = 0;
  std::size_t details_failed = 0;  ///< not answered, and not asked because the provider answered too slowly
};

struct CatalogueFailure {
  std::string error_class;  ///< unreachable, timeout, not_json, …
  std::string detail;       ///< for people
};

/// Threads for work on whole lists; they hold nothing.
using ListThreads = registry::WorkPool<char>;

class CatalogueReader {
 public:
  /// `lists`: where long lists are read, since that takes longer than the loop may wait.
  CatalogueReader(boost::asio::io_context& loop, http::Fetcher& fetcher, const providers::Credentials& credentials,
                  const Options& options, ListThreads& lists)
      : loop_(loop), fetcher_(fetcher), credentials_(credentials), options_(options), lists_(lists) {}

  using Answer = std::expected<Catalogue, CatalogueFailure>;
  /// `stored` has to live until the answer is there, which takes at most Options::connection_time_max: what was got by
  /// then is what the answer holds.
  boost::asio::awaitable<Answer> read(registry::Connection connection,
                                      const std::vector<registry::StoredModel>* stored);

 private:
  using Details = providers::ModelDetails;
  using Clock = std::chrono::steady_clock;
  /// The questions of one run.
  struct Asking;

  [[nodiscard]] std::vector<std::string> models_by_hand(const registry::Connection& connection) const;
  [[nodiscard]] http::Clocks clocks_until(Clock::time_point deadline) const;
  /// The whole list, page after page, and its bytes.
  struct Pages {
    providers::ModelPage list{};
    std::string body{};
    std::string cut{};  ///< why pages are missing; empty: none is
  };
  boost::asio::awaitable<std::expected<Pages, CatalogueFailure>> read_pages(const providers::Provider* provider,
                                                                            const providers::Target* target,
                                                                            const http::AddressRule* address_allowed,
                                                                            Clock::time_point deadline);
  /// Asks for one model's details, and remembers them.
  boost::asio::awaitable<void> learn(Asking* asking, std::size_t index);
  void remember(const std::string& key, Details details);
  /// Keeps what a provider said of one model as it came, within bounds.
  static void keep_answer(Asking& asking, const std::string& key, std::string_view body);
  /// The version of the provider's software; where it does not answer, the one it reported last.
  boost::asio::awaitable<std::string> read_version(std::string connection_id, const Asking* asking);

  boost::asio::io_context& loop_;
  http::Fetcher& fetcher_;
  const providers::Credentials& credentials_;
  const Options& options_;
  ListThreads& lists_;
  struct Known {
    Details details{};
    std::int64_t asked_ms = 0;  ///< Unix time
  };
  std::map<std::string, Known> known_;           ///< by memory_key()
  std::map<std::string, std::string> versions_;  ///< of the providers' software, by connection id
  std::set<std::string> in_vain_;                ///< memory_key()s whose last question was not answered
};

}  // namespace tokenrail::registry_sync
