// A simulator on a thread of its own for the length of a test, and a blocking client to call it with.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/simulator/hub.hpp"

namespace tokenrail::simulator {

using CallHeaders = std::vector<std::pair<std::string, std::string>>;

struct CallResult {
  int status = 0;  ///< 0: no head arrived
  std::string content_type{};
  CallHeaders headers{};
  std::string body{};   ///< as far as it came
  bool whole = false;   ///< the response ended in order
  std::string error{};  ///< what ended it otherwise
};

/// A call whose raw response bytes are read as the test likes. Its destructor closes the connection.
class OpenCall {
 public:
  OpenCall(std::uint16_t port, std::string_view method, std::string_view target, std::string_view body);
  ~OpenCall();
  OpenCall(OpenCall&&) noexcept;
  OpenCall& operator=(OpenCall&&) noexcept;

  /// Reads until all that was read contains `text`; false where the connection ended before.
  [[nodiscard]] bool read_until(std::string_view text);
  [[nodiscard]] const std::string& received() const;

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

class RunningSimulator {
 public:
  explicit RunningSimulator(HubOptions options = {});
  ~RunningSimulator();
  RunningSimulator(const RunningSimulator&) = delete;
  RunningSimulator& operator=(const RunningSimulator&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }

  /// One call on a connection of its own.
  [[nodiscard]] CallResult call(std::string_view method, std::string_view target, std::string_view body = "",
                                const CallHeaders& headers = {}) const;
  /// Several on one connection.
  [[nodiscard]] std::vector<CallResult> calls_on_one_connection(std::string_view method, std::string_view target,
                                                                const std::vector<std::string>& bodies) const;

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace tokenrail::simulator
