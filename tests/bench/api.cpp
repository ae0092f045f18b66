// tokenrail-bench-api: clients of the registry API over kept connections, each with one request at a time and the next
// one as soon as that is answered. It speaks HTTP/1.1 by hand, so that it takes little of the machine that it measures.
//
//   tokenrail-bench-api --port P --token T --reads FILE [--readers 1] [--writes FILE] [--writers 0]
//                       [--seconds 10] [--requests 200]
//
// A line of the file of reads is a name, a tab and a path; the clients take them in turn, each from another line on. A
// line of the file of writes is a name, a tab, a path and a tab and the body of a PATCH; each writer has lines of its
// own, so that no two change one row. A client ends after so many requests or seconds, whichever comes first.
//
// Prints one JSON object: latencies in microseconds of reads, writes and each name, and how often each status came. An
// answer that is none of HTTP or a connection that ends is an error, never a number.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/bench/instruments.hpp"

namespace {

using namespace tokenrail::bench;
namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::size_t answer_bytes_max = 64UL * 1024 * 1024;

struct Line {
  std::string name;
  std::string path;
  std::string body;  ///< of a PATCH; empty: a GET
};

std::vector<Line> lines_of(const std::string& file) {
  std::vector<Line> lines;
  std::ifstream in(file);
  for (std::string text; std::getline(in, text);) {
    const auto first = text.find('\t');
    if (first == std::string::npos) throw std::runtime_error(fmt::format("a line of {} has no tab: {}", file, text));
    const auto second = text.find('\t', first + 1);
    const auto path = text.substr(first + 1, second == std::string::npos ? second : second - first - 1);
    lines.push_back({.name = text.substr(0, first),
                     .path = path,
                     .body = second == std::string::npos ? std::string() : text.substr(second + 1)});
  }
  if (lines.empty()) throw std::runtime_error(file + " has no lines");
  return lines;
}

/// Of a head that has arrived whole: the number behind `name`, which is in lower case and ends in a colon.
std::int64_t number_behind(std::string_view head, std::string_view name) {
  const auto at = std::ranges::search(
      head, name, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
  std::int64_t number = -1;
  if (at.empty()) return number;
  auto digits = head.substr(static_cast<std::size_t>(at.end() - head.begin()));
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

class Load {
 public:
  explicit Load(const Arguments& arguments)
      : port_(static_cast<std::uint16_t>(arguments.number("port", 0))),
        token_(arguments.text("token")),
        reads_(lines_of(arguments.text("reads"))),
        readers_(arguments.number("readers", 1)),
        writers_(arguments.number("writers", 0)),
        requests_(arguments.number("requests", 0)),
        seconds_(arguments.number("seconds", 10)) {
    if (writers_ > 0) writes_ = lines_of(arguments.text("writes"));
    if (static_cast<std::int64_t>(writes_.size()) < writers_)
      throw std::runtime_error("there are more writers than lines for them");
  }

  int run() {
    for (std::int64_t i = 0; i < readers_; ++i) spawn(client(reads_, static_cast<std::size_t>(i * 7'919), 1));
    for (std::int64_t i = 0; i < writers_; ++i)
      spawn(client(writes_, static_cast<std::size_t>(i), static_cast<std::size_t>(writers_)));
    end_ns_ = now_ns() + seconds_ * second_ns;
    const auto begin = now_ns();
    loop_.run();
    if (!failure_.empty()) throw std::runtime_error(failure_);
    print(now_ns() - begin);
    return 0;
  }

 private:
  void spawn(asio::awaitable<void> client) {
    asio::co_spawn(loop_, std::move(client), [this](const std::exception_ptr& failure) {
      if (!failure) return;
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& error) {
        failure_ = error.what();
      }
      loop_.stop();
    });
  }

  /// `lines` from number `at` on, of which `step` - 1 are passed over each time.
  asio::awaitable<void> client(const std::vector<Line>& lines, std::size_t at, std::size_t step) {
    tcp::socket socket(loop_);
    co_await socket.async_connect({asio::ip::address_v4::loopback(), port_}, asio::use_awaitable);
    socket.set_option(tcp::no_delay(true));
    std::string in;
    // A writer that comes to the end of its lines begins again with its own first one.
    const auto first = at % lines.size();
    at = first;
    for (std::int64_t done = 0; (requests_ == 0 || done < requests_) && now_ns() < end_ns_; ++done) {
      const auto& line = lines[at];
      at = at + step < lines.size() ? at + step : (step == 1 ? 0 : first);
      const auto begin = now_ns();
      co_await asio::async_write(socket, asio::buffer(request_of(line)), asio::use_awaitable);
      const auto status = co_await answer(socket, in);
      const auto took = now_ns() - begin;
      (line.body.empty() ? read_ns_ : write_ns_).push_back(took);
      by_name_[line.name].push_back(took);
      ++statuses_[status];
    }
  }

  [[nodiscard]] std::string request_of(const Line& line) const {
    auto request = fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\n",
                               line.body.empty() ? "GET" : "PATCH", line.path, port_, token_);
    if (!line.body.empty())
      request += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", line.body.size());
    return request + "\r\n" + line.body;
  }

  /// Reads one answer whole, of a known length; its status.
  static asio::awaitable<int> answer(tcp::socket& socket, std::string& in) {
    in.clear();
    auto buffer = asio::dynamic_buffer(in, answer_bytes_max);
    const auto head_bytes = co_await asio::async_read_until(socket, buffer, "\r\n\r\n", asio::use_awaitable);
    const auto head = std::string_view(in).substr(0, head_bytes);
    if (!head.starts_with("HTTP/1.1 ")) throw std::runtime_error("an answer is none of HTTP");
    int status = 0;
    std::from_chars(head.data() + 9, head.data() + head.size(), status);
    const auto length = number_behind(head, "\r\ncontent-length:");
    if (length < 0 && status != 204) throw std::runtime_error(fmt::format("an answer has no length: {}", head));
    const auto whole = head_bytes + static_cast<std::size_t>(std::max<std::int64_t>(length, 0));
    if (in.size() < whole)
      co_await asio::async_read(socket, buffer, asio::transfer_exactly(whole - in.size()), asio::use_awaitable);
    co_return status;
  }

  void print(std::int64_t wall_ns) {
    std::vector<std::string> names;
    for (auto& [name, samples] : by_name_) names.push_back(fmt::format("\"{}\":{}", name, percentiles_json(samples)));
    std::vector<std::string> statuses;
    for (const auto& [status, count] : statuses_) statuses.push_back(fmt::format("\"{}\":{}", status, count));
    std::puts(fmt::format(R"({{"wall_us":{},"reads_us":{},"writes_us":{},"names_us":{{{}}},"statuses":{{{}}}}})",
                          wall_ns / 1'000, percentiles_json(read_ns_), percentiles_json(write_ns_),
                          fmt::join(names, ","), fmt::join(statuses, ","))
                  .c_str());
  }

  asio::io_context loop_{1};
  std::uint16_t port_;
  std::string token_;
  std::vector<Line> reads_;
  std::vector<Line> writes_{};
  std::int64_t readers_;
  std::int64_t writers_;
  std::int64_t requests_;
  std::int64_t seconds_;
  std::int64_t end_ns_ = 0;
  std::string failure_{};
  std::vector<std::int64_t> read_ns_{};
  std::vector<std::int64_t> write_ns_{};
  std::map<std::string, std::vector<std::int64_t>> by_name_{};
  std::map<int, std::int64_t> statuses_{};
};

}  // namespace

int main(int argc, char** argv) {
  try {
    return Load(
               Arguments(argc, argv, {"port", "token", "reads", "readers", "writes", "writers", "requests", "seconds"}))
        .run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tokenrail-bench-api: %s\n", error.what());
    return 1;
  }
}
