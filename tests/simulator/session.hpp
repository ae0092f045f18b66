// One connection: reads a call, sends its answer step by step, and reads the next. Private to the server.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "tests/simulator/hub.hpp"
#include "tests/simulator/pacer.hpp"

namespace tokenrail::simulator {

class Session final : public Timed, public std::enable_shared_from_this<Session> {
 public:
  Session(boost::asio::ip::tcp::socket socket, Hub& hub, Pacer& pacer, std::function<void(Session*)> on_gone);
  ~Session() override;

  void start() { read(); }
  /// Drops the connection.
  void stop();
  void on_time(std::uint64_t generation) override;

 private:
  void read();
  void read_body();
  void begin();
  void pump();
  bool take_step();
  void send_head();
  void append_body(std::string_view bytes);
  void write();
  void wait(std::chrono::milliseconds time);
  void watch();
  void finish();
  void reset();
  void gone(std::string_view ending);
  void note_step();
  void close_entry(std::string_view ending);

  boost::asio::ip::tcp::socket socket_;
  Hub& hub_;
  Pacer& pacer_;
  std::function<void(Session*)> on_gone_;
  boost::beast::flat_buffer buffer_{};
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_{};

  // Of the call that is being answered.
  Reply reply_{};
  Step step_{};
  std::string head_{};         ///< a head that is sent byte by byte
  std::size_t step_sent_ = 0;  ///< of the step's bytes, where they are split
  bool has_step_ = false;
  bool head_sent_ = false;
  bool chunked_ = false;
  bool faulted_ = false;
  bool is_last_ = false;  ///< all of the answer is in `out_` or beyond
  bool answering_ = false;
  bool keep_alive_ = true;

  std::string out_{};      ///< to be written next
  std::string writing_{};  ///< being written
  bool is_writing_ = false;
  bool is_waiting_ = false;
  bool is_watching_ = false;
  bool is_gone_ = false;
  std::uint64_t generation_ = 0;
};

}  // namespace tokenrail::simulator
