#include "common/http/server.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <set>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/telemetry/loop_turns.hpp"
#include "common/telemetry/text_escape.hpp"

namespace tokenrail::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr std::chrono::milliseconds accept_retry_delay{100};
// A client that still sends when it is refused would lose the refusal: the kernel resets a connection that is closed
// with unread bytes. So much of it is read and dropped, for so long.
constexpr std::chrono::seconds linger_time_max{2};
constexpr std::size_t linger_bytes_max = 256 * 1024;
// Of a body that is read, beside the head.
constexpr std::size_t read_ahead_bytes = 16 * 1024;

constexpr auto with_error = asio::as_tuple(asio::use_awaitable);

class Session;

/// What the sessions and the accepting side share; outlives the server object while a handler is still queued.
struct State {
  State(asio::io_context& io, std::shared_ptr<Service> answering, const ServerLimits& bounds)
      : service(std::move(answering)), limits(bounds), acceptor(io), retry(io) {}

  std::shared_ptr<Service> service;
  ServerLimits limits;
  tcp::acceptor acceptor;
  asio::steady_timer retry;
  std::set<Session*> sessions{};
  bool draining = false;
  bool stopped = false;
};

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

ServerRequest request_of(beast::http::request<beast::http::string_body>&& message, std::string client) {
  ServerRequest request{.method = std::string(message.method_string()), .path = "/", .client = std::move(client)};
  std::string_view target = view(message.target());
  // The absolute form, as proxies write it: the host is no part of the path.
  if (const auto scheme = target.find("://"); !target.starts_with('/') && scheme != std::string_view::npos) {
    const auto slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  const auto question = target.find('?');
  if (!target.substr(0, question).empty()) request.path = target.substr(0, question);
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  for (const auto& field : message) {
    request.headers.push_back({.name = lower(view(field.name_string())), .value = std::string(field.value())});
  }
  request.body = std::move(message.body());
  return request;
}

Reply refusal(int status, std::string text) {
  return {.status = status, .body = std::move(text)};
}

/// What is answered to bytes that are no request, or too much of one; nothing: the connection has ended.
std::optional<Reply> refusal_of(const error_code& error, const ServerLimits& limits) {
  using beast::http::error;
  if (error == error::header_limit || error == error::buffer_overflow) {
    return refusal(431, fmt::format("The request line and the headers may have {} bytes.\n", limits.header_bytes_max));
  }
  if (error == error::body_limit) {
    return refusal(413, fmt::format("The body may have {} bytes.\n", limits.body_bytes_max));
  }
  const bool connection = error == error::end_of_stream || error == error::partial_message ||
                          error.category() != beast::http::make_error_code(error::bad_method).category();
  if (connection) return std::nullopt;
  return refusal(400, fmt::format("This is not HTTP/1.1: {}.\n", error.message()));
}

class Session final : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<State> state, tcp::socket socket) : state_(std::move(state)), stream_(std::move(socket)) {
    state_->sessions.insert(this);
    error_code ignored;
    client_ = stream_.socket().remote_endpoint(ignored).address().to_string();
  }
  ~Session() { state_->sessions.erase(this); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  static asio::awaitable<void> run(std::shared_ptr<Session> self) {
    while (co_await self->serve_one()) {
    }
    self->close();
  }

  void close() { stream_.close(); }
  [[nodiscard]] bool waits_for_a_request() const { return waits_for_a_request_; }

 private:
  class Stream;

  [[nodiscard]] bool ending() const { return state_->stopped || state_->draining; }

  /// Reads a request and answers it. False: the connection is to be closed.
  asio::awaitable<bool> serve_one() {
    beast::http::request_parser<beast::http::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(state_->limits.header_bytes_max));
    parser.body_limit(state_->limits.body_bytes_max);
    stream_.expires_after(state_->limits.request_time_max);
    waits_for_a_request_ = true;
    auto [error, read] = co_await beast::http::async_read_header(stream_, buffer_, parser, with_error);
    waits_for_a_request_ = false;
    if (!error && view(parser.get()[beast::http::field::expect]) == "100-continue") {
      std::tie(error, read) = co_await asio::async_write(stream_, asio::buffer(continue_line), with_error);
    }
    if (!error) std::tie(error, read) = co_await beast::http::async_read(stream_, buffer_, parser, with_error);
    telemetry::loop_step("HTTP server");
    if (error) {
      if (auto reply = refusal_of(error, state_->limits); reply && !state_->stopped) {
        co_await send(state_->service->refuse(reply->status, std::move(reply->body)),
                      {.version = 11, .head_only = false, .keep_alive = false});
        co_await linger();
      }
      co_return false;
    }
    if (state_->stopped) co_return false;

    const Form form{.version = parser.get().version(),
                    .head_only = parser.get().method() == beast::http::verb::head,
                    .keep_alive = parser.get().keep_alive()};
    stream_.expires_never();
    Reply reply = co_await answer(request_of(parser.release(), client_));
    telemetry::loop_step("HTTP server");
    co_return !state_->stopped && co_await send(std::move(reply), form) && form.keep_alive && !ending();
  }

  asio::awaitable<Reply> answer(ServerRequest request) {
    const std::string what = fmt::format("{} {}", request.method, request.path);
    std::string failure;
    try {
      co_return co_await state_->service->handle(std::move(request));
    } catch (const std::exception& error) {
      failure = error.what();
    }
    spdlog::error("the service failed for {}: {}", telemetry::one_line(what), telemetry::one_line(failure));
    co_return state_->service->refuse(500, "The server failed to answer this request; its log has the reason.\n");
  }

  /// How a reply is written, as the request wants it.
  struct Form {
    unsigned version = 11;
    bool head_only = false;
    bool keep_alive = true;
  };

  template <class Message>
  void write_head(Message& message, const Reply& reply, const Form& form) const {
    message.version(form.version);
    message.result(static_cast<unsigned>(reply.status));
    message.keep_alive(form.keep_alive && !ending());
    message.set(beast::http::field::date, fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time(nullptr))));
    message.set(beast::http::field::content_type, "text/plain; charset=utf-8");
    message.set(beast::http::field::cache_control, "no-store");
    for (const auto& [name, value] : reply.headers) {
      // The one field that may be there several times and cannot be joined to one line (RFC 6265, section 3).
      if (name == "Set-Cookie") {
        message.insert(name, value);
      } else {
        message.set(name, value);
      }
    }
  }

  /// False: the connection cannot be used any more.
  asio::awaitable<bool> send(Reply reply, Form form) {
    if (reply.stream) co_return co_await send_stream(std::move(reply), form);
    beast::http::response<beast::http::string_body> message;
    write_head(message, reply, form);
    message.body() = std::move(reply.body);
    message.prepare_payload();
    // HEAD has the headers of GET, the length included, and nothing after them.
    if (form.head_only) message.body().clear();
    stream_.expires_after(state_->limits.write_time_max);
    const auto [error, written] = co_await beast::http::async_write(stream_, message, with_error);
    co_return !error;
  }

  asio::awaitable<bool> send_stream(Reply reply, Form form);

  /// Says that nothing more comes and reads what the client still sends, within bounds.
  asio::awaitable<void> linger() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(linger_time_max);
    std::array<char, 4096> dropped{};
    for (std::size_t total = 0; total < linger_bytes_max && !state_->stopped;) {
      const auto [error, read] = co_await stream_.async_read_some(asio::buffer(dropped), with_error);
      if (error) co_return;
      total += read;
    }
  }

  static constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

  std::shared_ptr<State> state_;
  beast::tcp_stream stream_;
  std::string client_;
  beast::flat_buffer buffer_{state_->limits.header_bytes_max + read_ahead_bytes};
  bool waits_for_a_request_ = true;
};

/// Pieces of a reply: chunks, or bare bytes for a client of HTTP/1.0, which knows the end by the connection's.
class Session::Stream final : public ReplyStream {
 public:
  Stream(Session& session, bool chunked) : session_(session), chunked_(chunked) {}

  asio::awaitable<bool> write(std::string_view piece) override {
    if (failed_ || session_.state_->stopped) co_return false;
    if (piece.empty()) co_return true;  // an empty chunk would be the last one
    session_.stream_.expires_after(session_.state_->limits.write_time_max);
    error_code error;
    if (chunked_) {
      error = std::get<0>(co_await asio::async_write(
          session_.stream_, beast::http::make_chunk(asio::const_buffer(piece.data(), piece.size())), with_error));
    } else {
      error = std::get<0>(co_await asio::async_write(session_.stream_, asio::buffer(piece), with_error));
    }
    session_.stream_.expires_never();
    failed_ = static_cast<bool>(error);
    co_return !failed_;
  }

  asio::awaitable<bool> finish() {
    if (failed_ || !chunked_) co_return false;
    session_.stream_.expires_after(session_.state_->limits.write_time_max);
    const auto [error, written] =
        co_await asio::async_write(session_.stream_, beast::http::make_chunk_last(), with_error);
    co_return !error;
  }

 private:
  Session& session_;
  bool chunked_;
  bool failed_ = false;
};

asio::awaitable<bool> Session::send_stream(Reply reply, Form form) {
  const bool chunked = form.version >= 11;
  form.keep_alive = form.keep_alive && chunked;
  beast::http::response<beast::http::empty_body> message;
  write_head(message, reply, form);
  message.chunked(chunked);
  beast::http::response_serializer<beast::http::empty_body> head(message);
  stream_.expires_after(state_->limits.write_time_max);
  const auto [error, written] = co_await beast::http::async_write_header(stream_, head, with_error);
  if (error) co_return false;
  if (form.head_only) co_return form.keep_alive;

  const auto stream = std::make_shared<Stream>(*this, chunked);
  std::string failure;
  try {
    co_await reply.stream(stream);
    co_return co_await stream->finish();
  } catch (const std::exception& thrown) {
    failure = thrown.what();
  }
  spdlog::error("the service failed in the middle of a reply: {}", telemetry::one_line(failure));
  co_return false;
}

void accept(const std::shared_ptr<State>& state) {
  state->acceptor.async_accept([state](error_code error, tcp::socket socket) {
    if (state->stopped || state->draining) return;
    if (error) {
      // Out of descriptors, most likely: the connection stays in the backlog, so asking again at once would spin.
      state->retry.expires_after(accept_retry_delay);
      state->retry.async_wait([state](error_code timer_error) {
        if (!timer_error && !state->stopped && !state->draining) accept(state);
      });
      return;
    }
    if (state->sessions.size() < state->limits.connections_max) {
      const auto session = std::make_shared<Session>(state, std::move(socket));
      asio::co_spawn(state->acceptor.get_executor(), Session::run(session), asio::detached);
    }
    accept(state);
  });
}

Result<tcp::endpoint> parse_endpoint(const std::string& listen) {
  const auto wrong = [&] {
    return fail(ErrorKind::invalid_input,
                fmt::format("'{}' is not an address to listen on; use HOST:PORT with an IP address, such as "
                            "127.0.0.1:9464, [::1]:9464 or 0.0.0.0:9464 (port 0: any free one)",
                            telemetry::one_line(listen)));
  };
  const auto colon = listen.rfind(':');
  if (colon == std::string::npos) return wrong();
  std::string host = listen.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);

  std::uint16_t port = 0;
  const char* const first = listen.data() + colon + 1;
  const char* const last = listen.data() + listen.size();
  const auto [end, status] = std::from_chars(first, last, port);
  if (first == last || end != last || status != std::errc{}) return wrong();

  error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error || address.is_v6() != bracketed) return wrong();
  return tcp::endpoint(address, port);
}

class BeastServer final : public Server {
 public:
  BeastServer(std::shared_ptr<State> state, std::uint16_t port) : state_(std::move(state)), port_(port) {}
  ~BeastServer() override { shut_down(); }
  BeastServer(const BeastServer&) = delete;
  BeastServer& operator=(const BeastServer&) = delete;

  [[nodiscard]] std::uint16_t port() const override { return port_; }
  [[nodiscard]] std::size_t connections() const override { return state_->sessions.size(); }

  void drain() override {
    state_->draining = true;
    close_acceptor();
    for (Session* const session : state_->sessions) {
      if (session->waits_for_a_request()) session->close();
    }
  }

  void stop() override { shut_down(); }

 private:
  void close_acceptor() {
    error_code ignored;
    state_->acceptor.close(ignored);
    state_->retry.cancel();
  }

  void shut_down() {
    state_->stopped = true;
    close_acceptor();
    // Closing makes the pending operations complete with an error, which frees the sessions, from the loop.
    for (Session* const session : state_->sessions) session->close();
  }

  std::shared_ptr<State> state_;
  std::uint16_t port_;
};

}  // namespace

std::optional<std::string_view> ServerRequest::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &Field::name);
  if (found == headers.end()) return std::nullopt;
  return found->value;
}

Result<std::unique_ptr<Server>> Server::start(asio::io_context& loop, const std::string& listen,
                                              std::shared_ptr<Service> service, const ServerLimits& limits) {
  const auto endpoint = parse_endpoint(listen);
  if (!endpoint) return std::unexpected(endpoint.error());

  auto state = std::make_shared<State>(loop, std::move(service), limits);
  error_code error;
  state->acceptor.open(endpoint->protocol(), error);
  if (!error) state->acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) state->acceptor.bind(*endpoint, error);
  if (!error) state->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return fail(ErrorKind::unavailable,
                fmt::format("cannot listen on {}: {}; choose another address or port", listen, error.message()));
  }
  const std::uint16_t port = state->acceptor.local_endpoint(error).port();
  accept(state);
  return std::make_unique<BeastServer>(std::move(state), port);
}

}  // namespace tokenrail::http
