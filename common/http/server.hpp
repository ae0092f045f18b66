// An HTTP/1.1 server on the event loop (RFC 9112): requests in, replies out, whole or as a stream. It keeps the bounds
// and the time-outs, so that the service behind it never sees a request that is malformed, too large or unfinished.
// Boost.Beast stays behind the .cpp file.
//
// One thread: everything is called on the loop's thread. Nothing throws for what a client does.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "common/result.hpp"

namespace tokenrail::http {

struct Field {
  std::string name;
  std::string value;
};

struct ServerRequest {
  std::string method;            ///< "GET", as the client wrote it
  std::string path;              ///< of the target, percent-encoded as it came; "/" at least
  std::string query{};           ///< behind the "?", percent-encoded
  std::vector<Field> headers{};  ///< names in lower case
  std::string body{};
  std::string client{};  ///< IP address

  /// First header of that (lower-case) name.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

/// The body of a reply that is sent piece by piece.
class ReplyStream {
 public:
  virtual ~ReplyStream() = default;
  /// Sends a piece and returns when the kernel has taken it. False: the client has gone or is too slow, or the server
  /// stops; nothing more reaches it.
  virtual boost::asio::awaitable<bool> write(std::string_view piece) = 0;
};

struct Reply {
  int status = 200;
  /// Without a Content-Type a body is plain text; without a Cache-Control a reply is not stored.
  std::vector<Field> headers{};
  std::string body{};
  /// Instead of `body`: called once, after the head was sent; the reply ends when it returns. An exception cuts the
  /// reply off, which the client can see. Not called for HEAD. What the function captures lives until then.
  std::function<boost::asio::awaitable<void>(std::shared_ptr<ReplyStream>)> stream{};
};

/// Answers requests; those of different connections may run at the same time.
class Service {
 public:
  virtual ~Service() = default;
  /// An exception is logged and answered with status 500. The server does not bound the time that it takes.
  [[nodiscard]] virtual boost::asio::awaitable<Reply> handle(ServerRequest request) = 0;
  /// The reply where there is no request to handle (malformed, too large) or handle() threw. Plain text, unless a
  /// service has another form for it.
  [[nodiscard]] virtual Reply refuse(int status, std::string text) {
    return {.status = status, .body = std::move(text)};
  }
};

struct ServerLimits {
  std::size_t connections_max = 64;  ///< more are closed at once
  std::size_t header_bytes_max = 8 * 1024;
  std::size_t body_bytes_max = 1024;
  /// For a whole request to arrive, the quiet time of a kept-alive connection before it included.
  std::chrono::milliseconds request_time_max{30'000};
  /// For the client to take a reply, or one piece of a stream.
  std::chrono::milliseconds write_time_max{30'000};
};

class Server {
 public:
  /// Binds at once. `listen`: "127.0.0.1:9400", "[::1]:0" (0: any free port). The service lives as long as a request of
  /// it runs. Errors: invalid_input (not an address), unavailable (the port is taken).
  static Result<std::unique_ptr<Server>> start(boost::asio::io_context& loop, const std::string& listen,
                                               std::shared_ptr<Service> service, const ServerLimits& limits);
  virtual ~Server() = default;

  /// The port that is really bound.
  [[nodiscard]] virtual std::uint16_t port() const = 0;

  /// Open connections. After drain() it falls to 0 as the last replies are taken.
  [[nodiscard]] virtual std::size_t connections() const = 0;

  /// Accepts no more, closes connections that wait for a request, and the others after their reply.
  virtual void drain() = 0;

  /// Accepts no more and closes every connection, so that the loop can run out of work.
  virtual void stop() = 0;
};

}  // namespace tokenrail::http
