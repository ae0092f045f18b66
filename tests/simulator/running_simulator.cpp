#include "tests/simulator/running_simulator.hpp"

#include <array>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "tests/simulator/server.hpp"

namespace tokenrail::simulator {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

tcp::socket connected(asio::io_context& loop, std::uint16_t port) {
  tcp::socket socket(loop);
  socket.connect({asio::ip::make_address("127.0.0.1"), port});
  return socket;
}

void write_request(tcp::socket& socket, std::string_view method, std::string_view target, std::string_view body,
                   const CallHeaders& headers) {
  http::request<http::string_body> request;
  request.version(11);
  request.method_string({method.data(), method.size()});
  request.target({target.data(), target.size()});
  request.set(http::field::host, "127.0.0.1");
  for (const auto& [name, value] : headers) request.set(name, value);
  request.body() = body;
  request.prepare_payload();
  boost::system::error_code ignored;  // a server that resets at once is told by the reading
  http::write(socket, request, ignored);
}

CallResult read_response(tcp::socket& socket, boost::beast::flat_buffer& buffer, std::string_view method) {
  CallResult result;
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  parser.skip(method == "HEAD");
  boost::system::error_code error;
  http::read(socket, buffer, parser, error);
  result.whole = !error;
  if (error) result.error = error.message();
  if (!parser.is_header_done()) return result;
  auto& response = parser.get();
  result.status = static_cast<int>(response.result_int());
  const auto text = [](boost::beast::string_view view) { return std::string(view.data(), view.size()); };
  result.content_type = text(response[http::field::content_type]);
  for (const auto& field : response) result.headers.emplace_back(text(field.name_string()), text(field.value()));
  result.body = std::move(response.body());
  return result;
}

}  // namespace

struct OpenCall::Connection {
  asio::io_context loop{};
  tcp::socket socket{loop};
  std::string received{};
};

OpenCall::OpenCall(std::uint16_t port, std::string_view method, std::string_view target, std::string_view body)
    : connection_(std::make_unique<Connection>()) {
  connection_->socket = connected(connection_->loop, port);
  write_request(connection_->socket, method, target, body, {});
}
OpenCall::~OpenCall() = default;
OpenCall::OpenCall(OpenCall&&) noexcept = default;
OpenCall& OpenCall::operator=(OpenCall&&) noexcept = default;

bool OpenCall::read_until(std::string_view text) {
  std::array<char, 4096> bytes{};
  while (connection_->received.find(text) == std::string::npos) {
    boost::system::error_code error;
    const auto count = connection_->socket.read_some(asio::buffer(bytes), error);
    if (error) return false;
    connection_->received.append(bytes.data(), count);
  }
  return true;
}

const std::string& OpenCall::received() const {
  return connection_->received;
}

struct RunningSimulator::Running {
  explicit Running(HubOptions options) : server(loop, "127.0.0.1", 0, std::move(options)), port(server.port()) {
    thread = std::thread([this] { loop.run(); });
  }
  asio::io_context loop{1};
  Server server;
  std::uint16_t port;
  std::thread thread{};
};

RunningSimulator::RunningSimulator(HubOptions options) : running_(std::make_unique<Running>(std::move(options))) {}

RunningSimulator::~RunningSimulator() {
  asio::post(running_->loop, [this] { running_->server.stop(); });
  running_->thread.join();
}

std::uint16_t RunningSimulator::port() const {
  return running_->port;
}

CallResult RunningSimulator::call(std::string_view method, std::string_view target, std::string_view body,
                                  const CallHeaders& headers) const {
  asio::io_context loop;
  auto socket = connected(loop, running_->port);
  write_request(socket, method, target, body, headers);
  boost::beast::flat_buffer buffer;
  return read_response(socket, buffer, method);
}

std::vector<CallResult> RunningSimulator::calls_on_one_connection(std::string_view method, std::string_view target,
                                                                  const std::vector<std::string>& bodies) const {
  asio::io_context loop;
  auto socket = connected(loop, running_->port);
  boost::beast::flat_buffer buffer;
  std::vector<CallResult> results;
  for (const auto& body : bodies) {
    write_request(socket, method, target, body, {});
    results.push_back(read_response(socket, buffer, method));
  }
  return results;
}

}  // namespace tokenrail::simulator
