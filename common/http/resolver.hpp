// Looks host names up on the event loop, by c-ares: no thread and no call that waits.
//
// It reads what getaddrinfo() reads: /etc/nsswitch.conf (`files` and `dns`), /etc/hosts, and /etc/resolv.conf with its
// search domains; modules of nsswitch other than these two are passed over. A changed /etc/resolv.conf is read again
// before the next look-up. Answers, failures included, are cached: see name_cache.hpp for times and bounds.
//
// One thread: the loop's. Waiters are called from the loop, never from inside look_up().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "common/http/name_cache.hpp"
#include "common/telemetry/metrics.hpp"

namespace tokenrail::http {

struct ResolverOptions {
  std::string resolv_conf = "/etc/resolv.conf";
  std::uint16_t port = 53;  ///< of the name servers that it names
  /// ADDRESS:PORT or [ADDRESS]:PORT; asked instead of those that resolv_conf names. Empty: those.
  std::vector<std::string> servers{};
  std::chrono::milliseconds first_try{1'000};  ///< a name server's time for its first answer; doubled each round
  int tries = 3;                               ///< a name server
  NameCacheOptions cache{};
};

class Resolver {
 public:
  using LookupId = std::uint64_t;
  using Waiter = std::function<void(const NameAnswer&)>;

  virtual ~Resolver() = default;

  /// The answer that is known without asking; null where there is none. Valid until the next call.
  [[nodiscard]] virtual const NameAnswer* known(std::string_view name) = 0;

  /// Calls `waiter` once, however long the name servers take.
  virtual LookupId look_up(const std::string& name, Waiter waiter) = 0;

  /// The waiter is not called any more. One that has been called is ignored.
  virtual void forget(LookupId id) = 0;
};

/// Destroying it is done at once, whatever is being looked up; no waiter is called then.
[[nodiscard]] std::unique_ptr<Resolver> make_resolver(boost::asio::io_context& loop, const ResolverOptions& options,
                                                      telemetry::Metrics& metrics);

}  // namespace tokenrail::http
