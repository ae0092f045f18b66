// HTTP requests whose answers arrive piece by piece, on the event loop. libcurl's multi interface, woken through
// socket and timer callbacks; connections are kept alive and easy handles are pooled. Knows nothing of LLMs.
//
// One thread: everything here is called on the loop's thread, and listeners are called there, never from inside
// start(). Nothing throws for what a network does; on_end() reports it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

#include "common/http/certificates.hpp"
#include "common/http/resolver.hpp"
#include "common/telemetry/metrics.hpp"

namespace tokenrail::http {

struct Header {
  std::string name;
  std::string value;
  bool secret = false;  ///< value is never logged, printed or kept longer than the transfer
};

/// Whether a connection to this address may be opened. Called on the loop's thread; must not throw.
using AddressRule = std::function<bool(const boost::asio::ip::address&)>;

struct Request {
  std::string method = "GET";
  std::string url{};
  std::vector<Header> headers{};
  std::string body{};
  /// Beside the client's rule. It also holds for a kept connection, which another request may have opened.
  AddressRule address_allowed{};
};

/// Two of the four clocks of a call; the other two (first token, idle) count tokens, which only the caller can see.
struct Clocks {
  std::chrono::milliseconds connect{5'000};  ///< name look-up, TCP and TLS
  std::chrono::milliseconds total{0};        ///< of the whole transfer; 0: no limit
};

struct Limits {
  std::size_t body_bytes_max = 0;  ///< 0: no limit; more ends the transfer as `too_large`
  std::size_t header_bytes_max = 64 * 1024;
};

struct ResponseHead {
  int status = 0;
  std::vector<Header> headers{};  ///< names in lower case

  /// First header of that (lower-case) name.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

enum class Ending {
  complete,        ///< the response arrived whole (whatever its status)
  connect_failed,  ///< no connection: refused, no such host, TLS; nothing was sent
  connect_timeout,
  total_timeout,
  broken,  ///< the connection ended in the middle
  too_large,
  cancelled,        ///< cancel() was called
  invalid_request,  ///< libcurl would not take it (an unusable URL)
};

/// The steps of a transfer, in their order.
enum class Step : std::uint8_t { name, connection, tls, exchange };

/// How long each step took that ended well. Nothing: it did not; or there was no such step (an address needs no name
/// server, http no TLS, a kept connection neither); or libcurl did not report it (a connection whose TLS failed).
struct StepTimes {
  std::optional<std::chrono::milliseconds> name{};
  std::optional<std::chrono::milliseconds> connection{};
  std::optional<std::chrono::milliseconds> tls{};
};

struct End {
  Ending ending = Ending::complete;
  std::string detail;            ///< for people; holds no secret and no credentials of a URL
  Step step = Step::exchange;    ///< that it ended in
  bool address_refused = false;  ///< connect_failed, because an address rule does not allow the host's addresses
  StepTimes times{};
};

/// Receives one transfer. Must outlive it (until on_end returned, or cancel() did).
class Listener {
 public:
  virtual ~Listener() = default;
  /// Once, before the first body bytes; not called where no response arrived.
  virtual void on_head(const ResponseHead& head) = 0;
  /// Returns false to take no more for now: these bytes count as taken, later ones wait (in the kernel, and then at the
  /// sender) until resume(). The view dies with the call.
  virtual bool on_body(std::string_view bytes) = 0;
  /// Once and last. The transfer no longer exists.
  virtual void on_end(const End& end) = 0;
};

enum class TransferId : std::uint64_t {};

class Client {
 public:
  virtual ~Client() = default;

  virtual TransferId start(Request request, Clocks clocks, Limits limits, Listener& listener) = 0;

  /// Ends the transfer and closes its connection; the listener hears nothing more. An id that has ended is ignored.
  /// May be called from within the listener's own calls.
  virtual void cancel(TransferId id) = 0;

  /// Goes on after on_body() returned false. An id that has ended is ignored.
  virtual void resume(TransferId id) = 0;

  [[nodiscard]] virtual std::size_t transfers() const = 0;
};

struct ClientOptions {
  /// Transfers at a time, over all hosts; one more ends at once as `connect_failed`.
  std::size_t connections_max = 20'000;
  std::size_t idle_connections_max = 1'000;  ///< kept alive for the next transfer
  std::string user_agent = "tokenrail";
  ResolverOptions names{};
  /// Asked for the addresses of a name and again for each socket, so that no form of a URL gets around it. Empty: all
  /// addresses are allowed.
  AddressRule address_allowed{};
  Certificates certificates{};
};

/// The libcurl client. Host names are looked up by a resolver on the loop (resolver.hpp); libcurl gets addresses and
/// never looks up a name itself, which would block the loop. Redirects, proxies and HTTP/2 are off (the last because a
/// paused stream would be buffered without a bound of ours), only http and https, certificates are verified against the
/// system's. Sets SIGPIPE to be ignored where it has no handler. A request whose kept-alive connection turns out dead
/// before any byte of an answer came is sent once more on a fresh one. Destroy it outside of listeners' calls;
/// transfers that still run are dropped in silence.
[[nodiscard]] std::unique_ptr<Client> make_client(boost::asio::io_context& loop, const ClientOptions& options,
                                                  telemetry::Metrics& metrics);

}  // namespace tokenrail::http
