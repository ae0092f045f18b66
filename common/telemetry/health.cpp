#include "common/telemetry/health.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>

#include "common/telemetry/loop_turns.hpp"
#include "common/telemetry/text_escape.hpp"

namespace tokenrail::telemetry {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

// Probes and scrapers are few; whoever opens more than this is not one of them.
constexpr std::size_t connections_max = 64;
constexpr std::uint32_t request_header_bytes_max = 8 * 1024;
constexpr std::uint64_t request_body_bytes_max = 1024;
// For a whole request, the quiet time of a kept-alive connection before it included.
constexpr std::chrono::seconds request_time_max{30};
constexpr std::chrono::milliseconds accept_retry_delay{100};

using Response = http::response<http::string_body>;

class Session;

/// What the sessions and the accepting side share; outlives the server object while a handler is still queued.
struct State {
  State(asio::io_context& io, const Metrics& all_metrics, std::function<std::vector<Condition>()> ask)
      : loop(io), metrics(&all_metrics), conditions(std::move(ask)), acceptor(io), retry(io) {}

  asio::io_context& loop;
  const Metrics* metrics;
  std::function<std::vector<Condition>()> conditions;
  tcp::acceptor acceptor;
  asio::steady_timer retry;
  std::set<Session*> sessions{};
  bool stopped = false;
};

Response answer(const State& state, const http::request<http::string_body>& request) {
  Response response;
  response.version(request.version());
  response.keep_alive(request.keep_alive());
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.set(http::field::cache_control, "no-store");

  const std::string_view target(request.target().data(), request.target().size());
  const std::string_view path = target.substr(0, target.find('?'));
  const bool known = path == "/livez" || path == "/readyz" || path == "/metrics";
  if (!known) {
    response.result(http::status::not_found);
    response.body() = "Not found. There are /livez, /readyz and /metrics.\n";
  } else if (request.method() != http::verb::get && request.method() != http::verb::head) {
    response.result(http::status::method_not_allowed);
    response.set(http::field::allow, "GET, HEAD");
    response.body() = "Only GET and HEAD.\n";
  } else if (path == "/livez") {
    response.body() = "ok\n";
  } else if (path == "/readyz") {
    ReadyAnswer ready = ready_answer(state.conditions());
    response.result(static_cast<unsigned>(ready.status));
    response.set(http::field::content_type, "application/json");
    response.body() = std::move(ready.body);
  } else {
    response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    response.body() = state.metrics->text();
  }
  response.prepare_payload();
  // HEAD has the headers of GET, the length included, and nothing after them.
  if (request.method() == http::verb::head) response.body().clear();
  return response;
}

class Session final : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<State> state, tcp::socket socket) : state_(std::move(state)), stream_(std::move(socket)) {
    state_->sessions.insert(this);
  }
  ~Session() { state_->sessions.erase(this); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read() {
    parser_.emplace();
    parser_->header_limit(request_header_bytes_max);
    parser_->body_limit(request_body_bytes_max);
    stream_.expires_after(request_time_max);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, std::size_t) { self->on_read(error); });
  }

  void close() { stream_.close(); }

 private:
  void on_read(error_code error) {
    if (error || state_->stopped) return close();
    loop_step("health checks and metrics");
    response_ = answer(*state_, parser_->get());
    http::async_write(stream_, response_, [self = shared_from_this()](error_code write_error, std::size_t) {
      const bool again = !write_error && !self->state_->stopped && self->response_.keep_alive();
      if (again) {
        self->read();
      } else {
        self->close();
      }
    });
  }

  std::shared_ptr<State> state_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_{request_header_bytes_max + request_body_bytes_max};
  std::optional<http::request_parser<http::string_body>> parser_;
  Response response_;
};

void accept(const std::shared_ptr<State>& state) {
  state->acceptor.async_accept([state](error_code error, tcp::socket socket) {
    if (state->stopped) return;
    if (error) {
      // Out of descriptors, most likely: the connection stays in the backlog, so asking again at once would spin.
      state->retry.expires_after(accept_retry_delay);
      state->retry.async_wait([state](error_code timer_error) {
        if (!timer_error && !state->stopped) accept(state);
      });
      return;
    }
    if (state->sessions.size() < connections_max) std::make_shared<Session>(state, std::move(socket))->read();
    accept(state);
  });
}

Result<tcp::endpoint> parse_endpoint(const std::string& listen) {
  const auto wrong = [&] {
    return fail(ErrorKind::invalid_input,
                fmt::format("'{}' is not an address to listen on; use HOST:PORT with an IP address, such as "
                            "127.0.0.1:9464, [::1]:9464 or 0.0.0.0:9464 (port 0: any free one)",
                            one_line(listen)));
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

class BeastHealthServer final : public HealthServer {
 public:
  explicit BeastHealthServer(std::shared_ptr<State> state, std::uint16_t port)
      : state_(std::move(state)), port_(port) {}
  ~BeastHealthServer() override { shut_down(); }
  BeastHealthServer(const BeastHealthServer&) = delete;
  BeastHealthServer& operator=(const BeastHealthServer&) = delete;

  [[nodiscard]] std::uint16_t port() const override { return port_; }
  void stop() override { shut_down(); }

 private:
  void shut_down() {
    state_->stopped = true;
    error_code ignored;
    state_->acceptor.close(ignored);
    state_->retry.cancel();
    // Closing makes the pending operations complete with an error, which frees the sessions, from the loop.
    for (Session* const session : state_->sessions) session->close();
    state_->conditions = [] { return std::vector<Condition>{}; };
  }

  std::shared_ptr<State> state_;
  std::uint16_t port_;
};

}  // namespace

Result<std::unique_ptr<HealthServer>> HealthServer::start(asio::io_context& loop, const std::string& listen,
                                                          const Metrics& metrics,
                                                          std::function<std::vector<Condition>()> conditions) {
  const auto endpoint = parse_endpoint(listen);
  if (!endpoint) return std::unexpected(endpoint.error());

  auto state = std::make_shared<State>(loop, metrics, std::move(conditions));
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
  return std::make_unique<BeastHealthServer>(std::move(state), port);
}

ReadyAnswer ready_answer(const std::vector<Condition>& conditions) {
  const bool ready = std::ranges::all_of(conditions, [](const Condition& c) { return c.problem.empty(); });
  ReadyAnswer out{.status = ready ? 200 : 503, .body = fmt::format(R"({{"ready":{},"conditions":[)", ready)};
  bool first = true;
  for (const Condition& condition : conditions) {
    if (!first) out.body += ',';
    first = false;
    out.body += fmt::format(R"({{"name":"{}","ok":{})", json_string(condition.name), condition.problem.empty());
    if (!condition.problem.empty()) out.body += fmt::format(R"(,"problem":"{}")", json_string(condition.problem));
    if (!condition.note.empty()) out.body += fmt::format(R"(,"note":"{}")", json_string(condition.note));
    out.body += '}';
  }
  out.body += "]}\n";
  return out;
}

}  // namespace tokenrail::telemetry
